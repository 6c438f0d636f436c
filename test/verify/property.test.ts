/**
 * For random tables of every regime: the text of a dump, and its JSON, are intentions that hold; and one changed bit makes them fail
 * just where the dump says something else, and nowhere where it does not.
 */
import { describe, expect, test } from 'vitest';
import { machineRegimes } from '../../src/arch/regimes.ts';
import { rangeJson, spaceLines } from '../../src/cli/text/dump-text.ts';
import type { Translator } from '../../src/machine/machine.ts';
import type { PhysicalMemory } from '../../src/memory/index.ts';
import type { MappedRange } from '../../src/space/ranges.ts';
import { listSpace } from '../../src/space/space.ts';
import { makeStyle } from '../../src/text/style.ts';
import { parseIntent, type Verification, verifySpace } from '../../src/verify/index.ts';
import { firstEndingFrom } from '../../src/verify/pieces.ts';
import { Random } from '../support/random.ts';
import { rounds } from '../support/rounds.ts';
import { randomSpace, SHAPES } from './random-tables.ts';

const TABLES = rounds(1, 2);
const FLIPS = 16;
/** Short descriptors: tables of thousands of entries. */
const SHORT_FLIPS = 8;
const style = makeStyle(false);

function textOf(target: Translator): string {
  const space = listSpace(target);
  return spaceLines({ regime: target.regime, walker: target }, space, { style, inPart: false }).join('\n');
}

function jsonOf(target: Translator): string {
  const { ranges } = listSpace(target);
  const { regime } = target;
  const document = { schema: 'lpae.dump/1', regime, ranges: ranges.map((range) => rangeJson(range, regime)) };
  return JSON.stringify(document, (_, value: unknown) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  );
}

/** What a dump says of ranges: everything but where they begin and end, with what the output is more than the input. */
function saidBy(ranges: readonly MappedRange[], target: Translator): (ia: bigint) => string {
  const says = ranges.map((range) => {
    const { first, last, size, leaves, pa, ...rest } = rangeJson(range, target.regime) as Record<
      string,
      unknown
    >;
    const text = JSON.stringify(rest, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}` : value,
    );
    return `${text} ${typeof pa === 'bigint' ? pa - range.first : pa}`;
  });
  return (ia) => {
    const at = firstEndingFrom(ranges, ia);
    return ranges[at] !== undefined && ranges[at].first <= ia ? says[at]! : 'unmapped';
  };
}

/** First addresses of the pieces whose meaning is another one now. */
function changes(
  before: readonly MappedRange[],
  after: readonly MappedRange[],
  target: Translator,
): bigint[] {
  const edges = [...before, ...after].flatMap(({ first, last }) => [first, last + 1n]);
  const starts = [...new Set(edges)].filter((at) => at >> 64n === 0n);
  const [was, is] = [saidBy(before, target), saidBy(after, target)];
  return starts.filter((at) => was(at) !== is(at));
}

function word64At(memory: PhysicalMemory, at: bigint): bigint {
  const word = memory.read64(at);
  if (typeof word !== 'bigint') throw new Error('no RAM');
  return word;
}

function word32At(memory: PhysicalMemory, at: bigint): number {
  const word = memory.read32(at);
  if (typeof word !== 'number') throw new Error('no RAM');
  return word;
}

const named = ({ lines, unnamed, unreachable }: Verification) => [
  ...lines.flatMap(({ differences }) => differences),
  ...unnamed,
  ...unreachable,
];

test('there is a shape of every regime', () => {
  expect(machineRegimes.filter((regime) => !SHAPES.some((shape) => shape.regime === regime))).toEqual([]);
});

describe.each(SHAPES)('$name', (shape) => {
  test('a dump holds of its own tables, and a changed bit is found where it counts', () => {
    const random = new Random(20261129);
    let [changed, unchanged] = [0, 0];
    for (let i = 0; i < TABLES; i++) {
      const { target, memory, entries, entryBytes } = randomSpace(shape, random);
      const before = listSpace(target);
      expect(before.ranges.length).toBeGreaterThan(3);
      const intents = [textOf(target), jsonOf(target)].map(parseIntent);
      for (const intent of intents) {
        const found = verifySpace(target, intent);
        expect(named(found)).toEqual([]);
        expect(found.ok).toBe(true);
        expect(found.notes).toEqual([]);
      }
      for (let flip = 0; flip < (entryBytes === 4 ? SHORT_FLIPS : FLIPS); flip++) {
        const at = random.pick(entries);
        const bit = BigInt(random.between(0, entryBytes * 8 - 1));
        const word = entryBytes === 8 ? word64At(memory, at) : BigInt(word32At(memory, at));
        const write = (value: bigint) =>
          entryBytes === 8 ? memory.write64(at, value) : memory.write32(at, Number(value));
        write(word ^ (1n << bit));
        const after = listSpace(target);
        const differs = changes(before.ranges, after.ranges, target);
        for (const intent of intents) {
          const found = verifySpace(target, intent);
          const ranges = named(found);
          const where = `entry ${at.toString(16)}, bit ${bit}`;
          expect([where, found.ok]).toEqual([where, differs.length === 0]);
          // Every place that changed is named, and no other is.
          for (const ia of differs)
            expect(ranges.some(({ first, last }) => first <= ia && ia <= last)).toBe(true);
          for (const { first, last } of ranges)
            expect([where, differs.some((ia) => first <= ia && ia <= last)]).toEqual([where, true]);
        }
        if (differs.length > 0) changed++;
        else unchanged++;
        write(word);
      }
    }
    // Neither answer is rare: an eighth of the bits at least change something, and some change nothing.
    expect(changed).toBeGreaterThan((changed + unchanged) / 8);
    expect(unchanged).toBeGreaterThan(0);
  }, 120_000);
});
