/** What the page shows is what the library and `lpae map` answer; the seed's cases come out as they must. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { playgroundOf } from '../../src/cli/input/playground-request.ts';
import { parseRequest } from '../../src/cli/input/request.ts';
import { perform } from '../../src/cli/run/perform.ts';
import { adviceOn } from '../../src/explore/advice.ts';
import { requestOf } from '../../src/explore/command.ts';
import { matrixOf } from '../../src/explore/matrix.ts';
import { type Playground, play } from '../../src/explore/playground.ts';
import { PRESETS } from '../../src/explore/presets.ts';
import { strips } from '../../src/explore/strips.ts';
import { rounds } from '../support/rounds.ts';
import { question } from './questions.ts';

const preset = (name: string) => PRESETS.find((one) => one.name === name)!.playground;

describe("the seed's cases", () => {
  test('a CPU with pages of 64K on an IOMMU with pages of 4K: exact', () => {
    const { error, plan, leaves, counts, overMapped } = play(preset('64K pages, 4K IOMMU'));
    expect(error).toBeUndefined();
    expect(plan!.mappedBytes).toBe(0x21_5000n);
    expect(overMapped).toEqual([]);
    expect(leaves).toEqual([{ size: 0x1000n, count: 0x215, reads: 4 }]);
    expect(counts.tables).toBe(5);
  });

  test('rounded to CPU pages: what nobody asked for has its addresses', () => {
    const { plan, overMapped } = play(preset('over-mapped'));
    expect(plan!.overMapped).toBe(0x1_0000n - 0x2000n + 0x2_0000n - 0x1_5000n);
    expect(overMapped).toEqual([
      { first: 0x1000_0000n, last: 0x1000_0fffn },
      { first: 0x1000_3000n, last: 0x1000_ffffn },
      { first: 0x1002_5000n, last: 0x1002_ffffn },
    ]);
  });

  test('an IOMMU whose smallest page is larger than an entry refuses it by name', () => {
    const { error, leaves, counts } = play(preset('IOMMU page too large'));
    expect(error).toMatchObject({ code: 'EINVAL', operands: { entry: 1 } });
    expect(leaves).toEqual([]);
    expect(counts).toMatchObject({ tables: 1, leaves: 0 });
  });
});

test('every preset is mapped or refused, and shows something to look at', () => {
  for (const { playground } of PRESETS) {
    const { error, leaves } = play(playground);
    expect(error === undefined || leaves.length === 0).toBe(true);
  }
  expect(play(preset('off by one page')).leaves).toEqual([{ size: 0x1000n, count: 4096, reads: 4 }]);
  const moved = { ...preset('off by one page'), iova: 0x1000_0000n };
  expect(play(moved).leaves).toEqual([{ size: 0x20_0000n, count: 8, reads: 3 }]);
});

test('a random question, asked by a map request: the same tables, words and refusals', () => {
  fc.assert(
    fc.property(question, (asked) => {
      const request = parseRequest(requestOf(asked), 'a request');
      const { domain, outcomes } = perform(request);
      const mine = play(asked);
      if (mine.error !== undefined) domain.reclaim();
      expect(outcomes[0]?.error?.message).toBe(mine.error?.message);
      expect(domain.tables()).toEqual(mine.tables);
      const back = playgroundOf(request, 'a request');
      expect(play(back).tables).toEqual(mine.tables);
    }),
    { numRuns: rounds(100, 1000) },
  );
});

test('every byte that is mapped was asked for, or is told as too much', () => {
  fc.assert(
    fc.property(question, (asked) => {
      const { error, space, overMapped } = play(asked);
      if (error !== undefined) {
        expect(space.ranges).toEqual([]);
        return;
      }
      const size = (spans: readonly { first: bigint; last: bigint }[]) =>
        spans.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
      const wanted = asked.sg.reduce((sum, { length }) => sum + BigInt(length), 0n);
      expect(size(space.ranges)).toBe(wanted + size(overMapped));
    }),
    { numRuns: rounds(50, 500) },
  );
});

test('the nine cells are nine questions', () => {
  const asked = preset('64K pages, 4K IOMMU');
  const cells = matrixOf(asked);
  expect(cells.map((row) => row.map(({ ok }) => ok))).toEqual([
    [true, false, false],
    [true, false, false],
    [true, false, false],
  ]);
  expect(cells[2]![1]!.why).toContain('entry 1');
  expect(cells[0]![0]).toMatchObject({
    descriptors: 0x215,
    tables: 5,
    shares: [{ size: 0x1000n, share: 1 }],
  });
});

test('advice that is taken saves what it said', async () => {
  const asked = preset('off by one page');
  const found = await adviceOn(asked);
  expect(found.length).toBeGreaterThan(0);
  const before = play(asked).counts;
  for (const { advice, playground } of found) {
    const after = play(playground);
    expect(after.error).toBeUndefined();
    expect(before.leaves - after.counts.leaves).toBe(advice.gain.descriptors);
    expect(before.tables - after.counts.tables).toBe(advice.gain.tables);
  }
  expect(await adviceOn({ ...asked, semantics: 'per-entry' })).toEqual([]);
});

describe('a request that the playground can not ask is refused, with the reason', () => {
  const good = requestOf(preset('64K pages, 4K IOMMU')) as Record<string, unknown> & { config: object };
  test.each<[string, object, RegExp]>([
    ['another format', { ...good, format: 'arm_mali_lpae' }, /arm_mali_lpae has no playground/],
    ['other address sizes', { ...good, config: { ...good.config, ias: 39 } }, /of 48 bits/],
    ['other page sizes', { ...good, config: { ...good.config, pgsize_bitmap: '0x201000' } }, /leaf sizes/],
    ['quirks', { ...good, config: { ...good.config, quirks: ['arm_ttbr1'] } }, /quirks/],
    ['a version of Linux', { ...good, linux: '7.3' }, /versions of Linux/],
    ['reserved ranges', { ...good, reserved: [['0x0', '0x1000']] }, /reserved/],
    ['a CPU page of 8K', { ...good, cpu_page_size: '8K' }, /cpu_page_size 8K/],
    ['another operation', { ...good, ops: [{ op: 'iova_to_phys', iova: '0x0' }] }, /than one map_sg/],
  ])('%s', (_, json, message) => {
    expect(() => playgroundOf(parseRequest(json, 'a request'), 'a request')).toThrow(message);
  });

  test('entries of pages are entries of bytes', () => {
    const request = { ...good, sg: [{ page: '0x900000000', offset: '0x1000', length: '0x2000' }] };
    const { sg } = playgroundOf(parseRequest(request, 'a request'), 'a request');
    expect(sg).toEqual([{ phys: 0x9_0000_1000n, length: 0x2000n }]);
  });
});

describe('the strips', () => {
  const drawn = (asked: Playground) => strips(play(asked), 'Nothing.');
  test('red is what nobody asked for, in both', () => {
    const svg = drawn(preset('over-mapped'));
    expect(svg.match(/data-excess="IOVA"/g)).toHaveLength(3);
    expect(svg.match(/data-excess="PA"/g)).toHaveLength(3);
    expect(svg).toContain('IOVA 0x10000000-0x10000fff: mapped, and nobody asked for it');
    expect(drawn(preset('64K pages, 4K IOMMU'))).not.toContain('data-excess');
  });
  test('without a mapping they say so', () => {
    expect(drawn(preset('IOMMU page too large'))).toContain('Nothing.');
  });
  test('no coordinate is out of the picture', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const svg = drawn(asked);
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
        for (const [, x, width] of svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)) {
          expect(Number(x)).toBeGreaterThanOrEqual(0);
          expect(Number(x) + Number(width)).toBeLessThanOrEqual(880.01);
        }
      }),
      { numRuns: 40 },
    );
  });
});
