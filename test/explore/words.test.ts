/** Flipped bits: what the page says of them is what a walk of the changed memory answers. */
import { expect, test } from 'vitest';
import { type Playground, play } from '../../src/explore/playground.ts';
import { withFlips, wordAt } from '../../src/explore/words.ts';
import { createWalker, type WalkResult } from '../../src/walker/index.ts';

const ASKED: Playground = {
  cpuPage: 0x1000,
  granule: 0x1000,
  sizes: 'blocks',
  stage: 's1',
  semantics: 'exact',
  iova: 0x20_0000n,
  sg: [
    { phys: 0x9_0000_0000n, length: 0x20_0000n },
    { phys: 0x9_1000_0000n, length: 0x3000n },
  ],
};
/** The tables are at 0x80000000, and follow each other: level 0, 1, 2, 3. */
const BLOCK = 0x8000_2008n;
const PAGE = 0x8000_3000n;

/** What a dump says of an address, of which a read is answered. */
function meaning(result: WalkResult): string {
  if (!result.ok) return JSON.stringify([result.fault.kind, result.fault.stage, result.fault.level]);
  const { pa, size, permissions, attributes, shareability, global, contiguous, guarded } = result;
  return JSON.stringify([
    `${pa}`,
    `${size}`,
    permissions,
    attributes,
    shareability,
    global,
    contiguous,
    guarded,
  ]);
}

test('words are found by their address, used or not', () => {
  const played = play(ASKED);
  expect(wordAt(played, BLOCK)).toMatchObject({ index: 1, table: { level: 2 }, entry: { kind: 'block' } });
  expect(wordAt(played, PAGE)).toMatchObject({ index: 0, table: { level: 3 }, entry: { kind: 'page' } });
  expect(wordAt(played, PAGE + 0xff8n)).toMatchObject({ index: 511, value: 0n });
  expect(wordAt(played, PAGE + 0xff8n)?.entry).toBeUndefined();
  expect(wordAt(played, PAGE + 4n)).toBeUndefined();
  expect(wordAt(played, 0x9000_0000n)).toBeUndefined();
});

test.each([BLOCK, PAGE])(
  'each bit of the word at %s: every address that is told to differ does, and no other',
  (pa) => {
    for (let bit = 0; bit < 64; bit++) {
      const { before, after, differences, changed } = withFlips(ASKED, [{ pa, bit }]);
      expect(changed).toHaveLength(1);
      expect(changed[0]!.now ^ changed[0]!.word.value).toBe(1n << BigInt(bit));
      const registers = before.domain.registers.hardware;
      const [was, is] = [before, after].map(({ domain }) => createWalker(domain.memory, registers));
      for (let ia = 0x20_0000n; ia < 0x40_4000n; ia += 0x1_1000n) {
        const [a, b] = [was!, is!].map((walker) => meaning(walker.walk(ia, { access: 'read' })));
        const told = differences.some(({ first, last }) => first <= ia && ia <= last);
        expect([bit, ia, told]).toEqual([bit, ia, a !== b]);
      }
    }
  },
);

test('two flips of a bit are none, and a flip outside the tables does nothing', () => {
  for (const flips of [
    [
      { pa: PAGE, bit: 7 },
      { pa: PAGE, bit: 7 },
    ],
    [{ pa: 0x9000_0000n, bit: 0 }],
  ]) {
    const { differences, findings, changed } = withFlips(ASKED, flips);
    expect(differences).toEqual([]);
    expect(findings).toEqual([]);
    expect(changed.every(({ word, now }) => word.value === now)).toBe(true);
  }
});

test('break-before-make and lint have their say', () => {
  // AP[2]: read-only. Bit 12: another output address.
  expect(withFlips(ASKED, [{ pa: PAGE, bit: 7 }]).changed[0]!.verdict?.legal).toBe(true);
  expect(withFlips(ASKED, [{ pa: PAGE, bit: 12 }]).changed[0]!.verdict).toMatchObject({
    legal: false,
    changes: ['oa'],
  });
  // A RES0 bit.
  const { findings } = withFlips(ASKED, [{ pa: PAGE, bit: 48 }]);
  expect(findings.map(({ rule }) => rule)).toEqual(['reserved-bits']);
});
