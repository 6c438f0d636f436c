/** Listing by tables against listing by walks, address by address: the plain way is the reference for the fast one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseImageFile } from '../../src/golden/image-file.ts';
import { imageMachine } from '../../src/golden/image-probe.ts';
import { createMachine } from '../../src/machine/machine.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import type { MappedRange } from '../../src/space/ranges.ts';
import { listSpace, scanSpace } from '../../src/space/space.ts';
import { listableTrees } from '../../src/space/table-ranges.ts';
import { Random } from '../support/random.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures');

function translatorOf(file: string) {
  const bytes = readFileSync(join(FIXTURES, file));
  const image = parseImageFile(
    JSON.parse((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()) as unknown,
  );
  const sid = image.rows.find((row) => row.sid !== undefined)?.sid;
  return imageMachine(image).machineOf()(sid === undefined ? {} : { streamId: Number(sid) });
}

const show = ({ first, last, pa, leafSize, leaves, result }: MappedRange) =>
  [first, last, pa ?? -1n, leafSize, BigInt(leaves)].map((n) => n.toString(16)).join(' ') +
  (result.ok ? ` ${JSON.stringify([result.permissions, result.attributes.byte])}` : ` ${result.fault.kind}`);

describe('the same ranges by tables as by walks', () => {
  // One file of each granule and kind of table, and all captures of one stage; RISC-V has no shorter way.
  const files = readdirSync(join(FIXTURES, 'qemu'))
    .filter((file) => /-(00|02)\.json$/.test(file) && !/nested|s2pie|config|64k/.test(file))
    .map((file) => `qemu/${file}`)
    .concat(
      readdirSync(join(FIXTURES, 'real'))
        .filter((file) => /\.json(\.gz)?$/.test(file) && !/\.sg\.|nested|riscv/.test(file))
        .map((file) => `real/${file}`),
    );

  test.each(files)('%s', (file) => {
    const translator = translatorOf(file);
    expect(listableTrees(translator)).toBeDefined();
    const [fast, plain] = [listSpace(translator), scanSpace(translator)];
    expect(fast.ranges.length).toBeGreaterThan(0);
    expect(fast.ranges.map(show)).toEqual(plain.ranges.map(show));
    expect(fast.windows).toEqual(plain.windows);
    const middle = fast.ranges[Math.floor(fast.ranges.length / 2)]!;
    const window = { first: middle.first + 0x800n, last: middle.last + 0x1_0000n };
    expect(listSpace(translator, window).ranges.map(show)).toEqual(
      scanSpace(translator, window).ranges.map(show),
    );
  });

  test('of random words, one table after another', () => {
    const random = new Random(20261125);
    for (let round = 0; round < 20; round++) {
      const memory = new PhysicalMemory({ base: 0n, size: 0x8000n });
      // Every descriptor leads into this memory, or a little beyond it.
      for (let pa = 0n; pa < 0x8000n; pa += 8n) {
        if (random.between(0, 3) > 0) continue;
        const type = BigInt([0, 1, 3, 3][random.between(0, 3)]!);
        const attributes = (BigInt(random.between(0, 7)) << 8n) | (BigInt(random.between(0, 3)) << 6n);
        memory.write64(
          pa,
          (BigInt(random.between(0, 8)) << 12n) | (BigInt(random.between(0, 1)) << 54n) | attributes | type,
        );
      }
      const tcr = 25n | (0b101n << 32n) | (1n << 23n);
      const machine = createMachine({
        memory,
        regime: 'el1&0',
        registers: { ttbr0: 0n, tcr, mair: 0xff44n },
      });
      const translator = machine();
      const window = { first: 0n, last: 0x3fff_ffffn };
      const [fast, plain] = [listSpace(translator, window), scanSpace(translator, window)];
      expect(fast.ranges.map(show)).toEqual(plain.ranges.map(show));
    }
  });
});

describe('two stages: the same translations, and the same faults at the same addresses', () => {
  /** Faults without what is only how they are shown: where the leaf would lead, and how it is cut. */
  function faultsOf(ranges: readonly MappedRange[]) {
    const merged: { first: bigint; last: bigint; fault: string }[] = [];
    for (const { first, last, result } of ranges) {
      if (result.ok) continue;
      const { kind, ...where } = result.fault;
      const fault = 'level' in where ? `${kind} ${where.stage} ${where.level}` : kind;
      const open = merged.at(-1);
      if (open !== undefined && open.last + 1n === first && open.fault === fault) open.last = last;
      else merged.push({ first, last, fault });
    }
    return merged;
  }

  test.each([
    'qemu/qemu-nested-4k-max-00.json',
    'qemu/qemu-nested-4k-cortex-a53-02.json',
    'qemu/qemu-nested-16k-neoverse-n1-02.json',
    'qemu/qemu-nested-64k-cortex-a57-02.json',
    'qemu/qemu-v7lpae-nested-cortex-a15-02.json',
    'real/xen417-armhf-a15-domu-nested.json.gz',
    'qemu/qemu10-smmuv3-nested-4k-00.json',
    'qemu/qemu10-smmuv3-nested-16k-00.json',
  ])('%s', (file) => {
    const translator = translatorOf(file);
    const [fast, plain] = [listSpace(translator).ranges, scanSpace(translator).ranges];
    const mapped = (ranges: readonly MappedRange[]) => ranges.filter(({ result }) => result.ok).map(show);
    expect(mapped(fast).length).toBeGreaterThan(2);
    expect(mapped(fast)).toEqual(mapped(plain));
    expect(faultsOf(fast)).toEqual(faultsOf(plain));
  });
});
