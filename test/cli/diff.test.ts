/** Differences of two address spaces, by meaning and by bits, on literal changes; and none where only tables moved. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffMeaning, type MeaningDifference } from '../../src/space/diff-meaning.ts';
import type { MappedRange } from '../../src/space/ranges.ts';
import { asText, lpae, lpaeJson, tempFile } from './run.ts';

const UBOOT = join(import.meta.dirname, '../../fixtures/real/uboot-arm64-el2.json');

interface Image {
  memory: { pa: string; words64: Record<string, string> }[];
}

/** U-Boot's image with one descriptor changed. */
function changed(pa: string, offset: number, change: (word: bigint) => bigint): string {
  const image = JSON.parse(readFileSync(UBOOT, 'utf8')) as Image;
  const frame = image.memory.find((one) => one.pa === pa)!;
  const word = BigInt(frame.words64[String(offset)] ?? '0x0');
  frame.words64[String(offset)] = `0x${change(word).toString(16)}`;
  return tempFile('changed.json', JSON.stringify(image));
}

const LEVEL2 = '0x5fff2000';

describe('one descriptor changed', () => {
  type Case = [string, (word: bigint) => bigint, meaning: object[], bits: object[]];
  const at = { first: '0x400000', last: '0x5fffff' };
  const entry = { register: 'ttbr0', level: 2, index: 2, ia: '0x400000', count: 1 };
  test.each<Case>([
    [
      'a right',
      (word) => word | 0x80n,
      [{ ...at, a: { says: 'rwx WB ISH' }, b: { says: 'r-x WB ISH' } }],
      // EL2 has no AP[1].
      [{ ...entry, fields: [{ name: 'AP[2]', bits: '[7]', a: '0x0', b: '0x1' }] }],
    ],
    [
      'the address',
      (word) => word + 0x20_0000n,
      [{ ...at, a: { pa: '0x400000' }, b: { pa: '0x600000' } }],
      [{ ...entry, fields: [{ name: 'OA[47:21]' }] }],
    ],
    [
      'gone',
      () => 0n,
      [{ ...at, a: { pa: '0x400000' }, b: null }],
      [{ ...entry, kinds: ['leaf', 'invalid'] }],
    ],
    ['bits for software', (word) => word | (1n << 55n), [], [{ ...entry, fields: [{ a: '0x0', b: '0x1' }] }]],
  ])('%s', async (_, change, meaning, bits) => {
    const other = changed(LEVEL2, 16, change);
    const { code, json } = await lpaeJson(['diff', UBOOT, other]);
    expect(code).toBe(1);
    expect(json).toMatchObject({ same: false, meaning, bits: { entries: bits } });
    expect((json.meaning as unknown[]).length).toBe(meaning.length);
    const back = await lpaeJson(['diff', other, UBOOT, '--by', 'bits']);
    expect((back.json.bits as { entries: unknown[] }).entries.length).toBe(bits.length);
    expect(back.json.meaning).toBeUndefined();
  });
});

test('the same file: nothing, and exit code 0', async () => {
  const { code, out } = await lpae(['diff', UBOOT, UBOOT]);
  expect([code, out]).toEqual([0, '- uboot-arm64-el2\n+ uboot-arm64-el2\nthe same\n']);
});

test('tables elsewhere are no difference; blocks against pages are one of bits, and of sizes', async () => {
  const config = { pgsize_bitmap: '0x40201000', ias: 48, oas: 48 };
  const request = (pgsize: string, base: string) =>
    tempFile(
      'r.json',
      asText({
        format: 'arm_64_lpae_s1',
        config: { ...config, pgsize_bitmap: pgsize },
        ram: { base, size: '1G' },
        ranges: [{ iova: '2M', paddr: '4G', size: '4M' }],
      }),
    );
  const [here, there] = [request('0x40201000', '0x8000_0000'), request('0x40201000', '0x1_0000_0000')];
  expect((await lpae(['diff', here, there])).code).toBe(0);
  const pages = request('0x1000', '0x8000_0000');
  expect((await lpae(['diff', here, pages, '--by', 'meaning'])).code).toBe(0);
  expect((await lpae(['diff', here, pages, '--by', 'meaning', '--sizes'])).code).toBe(1);
  const { json } = await lpaeJson(['diff', here, pages, '--by', 'bits']);
  expect(json.bits).toMatchObject({ entries: [{ level: 2, kinds: ['leaf', 'table'] }, { level: 2 }] });
});

test('another granule is said, not compared word by word', async () => {
  const real = join(import.meta.dirname, '../../fixtures/real');
  const { code, out } = await lpae([
    'diff',
    join(real, 'linux612-max-4k-lpa2.json.gz'),
    join(real, 'linux612-max-16k-lpa2-blocks.json.gz'),
    '--by',
    'bits',
  ]);
  expect(code).toBe(1);
  expect(out).toMatch(/ttbr0 \(stage 1\): long descriptors, 4K pages.* in A, long descriptors, 16K pages/);
});

describe('by meaning, against pages looked up one by one', () => {
  const says = ['r', 'w'];
  const rangeOf = ([first, size, pa, kind]: [number, number, number, number]) => ({
    first: BigInt(first),
    last: BigInt(first + size - 1),
    pa: BigInt(pa),
    leafSize: 1n,
    leaves: 1,
    result: { ok: false, fault: { kind: 'abort' }, ...{ says: says[kind] } },
  });
  const spaceOf = fc
    .array(
      fc.tuple(fc.nat({ max: 6 }), fc.integer({ min: 1, max: 6 }), fc.nat({ max: 9 }), fc.nat({ max: 1 })),
      {
        maxLength: 6,
      },
    )
    .map((parts) => {
      let at = 0;
      return parts.map(([gap, size, pa]) => {
        const first = at + gap;
        at = first + size;
        return rangeOf([first, size, pa, 0]) as unknown as MappedRange;
      });
    });
  const paAt = (ranges: readonly MappedRange[], ia: bigint) => {
    const range = ranges.find(({ first, last }) => first <= ia && ia <= last);
    return range && range.pa! + (ia - range.first);
  };

  test('random spaces', () => {
    fc.assert(
      fc.property(spaceOf, spaceOf, (a, b) => {
        const found = diffMeaning(a, b, { regimes: ['el2', 'el2'] });
        const at = (ia: bigint) => found.find(({ first, last }) => first <= ia && ia <= last);
        for (let ia = 0n; ia < 80n; ia++) {
          const [left, right] = [paAt(a, ia), paAt(b, ia)];
          const difference: MeaningDifference | undefined = at(ia);
          expect(difference !== undefined).toBe(left !== right);
          if (difference === undefined) continue;
          const offset = ia - difference.first;
          expect(difference.a && difference.a.pa! + offset).toBe(left);
          expect(difference.b && difference.b.pa! + offset).toBe(right);
        }
        // In order and apart.
        expect(found.slice(1).every((one, i) => one.first > found[i]!.last)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('sides', () => {
  const RAM = `${UBOOT.replace('.json', '.ram.gz')}@0x4000_0000`;
  const request = (paddr: string) =>
    tempFile(
      'want.json',
      asText({
        format: 'arm_64_lpae_s1',
        config: { pgsize_bitmap: '0x40201000', ias: 48, oas: 48 },
        ranges: [
          { iova: '2M', paddr, size: '2M' },
          { iova: '2M', paddr: '0', size: '2M' },
        ].slice(0, paddr === 'again' ? 2 : 1),
      }).replace('"again"', '"2M"'),
    );

  test('registers are for the side that needs them, in either order', async () => {
    const options = ['--registers', UBOOT, '--by', 'meaning'];
    expect(await lpae(['diff', UBOOT, RAM, ...options])).toMatchObject({ code: 0 });
    expect(await lpae(['diff', RAM, UBOOT, ...options])).toMatchObject({ code: 0 });
    expect(await lpae(['diff', request('2M'), RAM, ...options])).toMatchObject({ code: 1 });
    expect(await lpae(['diff', RAM, request('2M'), ...options])).toMatchObject({ code: 1 });
    expect(await lpae(['diff', UBOOT, RAM, '--registers-b', UBOOT])).toMatchObject({ code: 0 });
    expect(await lpae(['diff', RAM, UBOOT, '--registers-a', UBOOT])).toMatchObject({ code: 0 });
    expect(await lpae(['diff', RAM, UBOOT, '--registers-b', UBOOT])).toMatchObject({ code: 2 });
    expect(await lpae(['diff', request('2M'), request('4M'), '--registers', UBOOT])).toMatchObject({
      code: 2,
    });
  });

  test('differences are wanted and found', async () => {
    const { out } = await lpae(['diff', request('2M'), request('4M'), '--by', 'meaning']);
    expect(out).toMatch(
      /^ {2}- wanted {2}0x200000-0x3fffff {2}2M {2}-> 0x200000 .*\n {2}\+ found {3}0x200000-0x3fffff {2}2M {2}-> 0x400000 /m,
    );
  });

  test('a request that can not be carried out in full is no side', async () => {
    const { code, out, err } = await lpae(['diff', request('again'), UBOOT]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain("can't be made: ops[1] map: ");
  });
});

describe('--gpt', () => {
  /** 4K granules; level 0 at 0x8001_0000: a table, Non-secure, Root, then nothing valid. */
  const WORDS: Readonly<Record<string, string>> = {
    '0x80010000': '0x80020003',
    '0x80010008': '0x91',
    '0x80010010': '0xa1',
    '0x80020000': '0xbbbbbbbbbbbbbbbb',
  };
  const imageOf = (
    name: string,
    words: Record<string, string> = {},
    registers: Record<string, string> = {},
  ) =>
    tempFile(
      `${name}.json`,
      asText({
        schema: 'pgtable-golden/1',
        kind: 'image',
        name,
        regime: 'el3',
        security: 'root',
        cpu: { model: 'max', pa_bits: 44, features: ['FEAT_RME_GPC2'] },
        ram: { base: '0x80000000', size: '0x100000' },
        registers: { sctlr: '0x0', gpccr_el3: '0x13501', gptbr_el3: '0x80010', ...registers },
        memory: Object.entries({ ...WORDS, ...words }),
        translations: [],
      }),
    );
  const a = imageOf('a');

  test('who owns which granules, on either side', async () => {
    const b = imageOf('b', { '0x80010008': '0xb1', '0x80020000': '0xbbbbbbbbbbb99bbb' });
    const { code, out } = await lpae(['diff', a, b, '--gpt']);
    expect(code).toBe(1);
    expect(out).toContain('2 differences in who owns granules\n');
    expect(out).toMatch(/- wanted +0x3000-0x4fff +8K +Realm\n +\+ found +0x3000-0x4fff +8K +Non-secure\n/);
    expect(out).toMatch(/- wanted +0x40000000-0x7fffffff +1G +Non-secure\n +\+ found .* 1G +Realm\n/);
    const { json } = await lpaeJson(['diff', b, a, '--gpt']);
    expect(json).toMatchObject({
      schema: 'lpae.diff/1',
      same: false,
      granules: {
        checks: [],
        ranges: [
          {
            first: '0x3000',
            last: '0x4fff',
            size: '0x2000',
            a: { owner: 'Non-secure', gpi: 9 },
            b: { gpi: 11 },
          },
          { first: '0x40000000', last: '0x7fffffff', a: { gpi: 11 }, b: { gpi: 9 } },
        ],
      },
    });
    expect(Object.keys(json)).not.toContain('meaning');
  });

  test('the same owners by other entries: contiguous regions against granules', async () => {
    const level1 = Object.fromEntries(
      Array.from({ length: 16 }, (_, i) => [`0x${(0x8004_0000 + 8 * i).toString(16)}`, '0x1b1']),
    );
    const table = { '0x80010000': '0x80040003', ...level1 };
    const groups = Object.fromEntries(Object.keys(level1).map((at) => [at, '0xbbbbbbbbbbbbbbbb']));
    const same = await lpae([
      'diff',
      imageOf('one', table),
      imageOf('two', { ...table, ...groups }),
      '--gpt',
    ]);
    expect([same.code, same.out]).toEqual([0, expect.stringMatching(/\nthe same\n$/)]);
  });

  test('entries that are not valid, and addresses that only one side protects', async () => {
    const b = imageOf('b', { '0x80010008': '0x2' }, { gpccr_el3: '0x13500' });
    const { json } = await lpaeJson(['diff', a, b, '--gpt']);
    const owner = 'not valid: a GPT walk fault';
    expect(json.granules).toMatchObject({
      ranges: [
        { first: '0x40000000', last: '0x7fffffff', a: { gpi: 9 }, b: { owner, gpc: 'walk' } },
        { first: '0x100000000', last: '0xfffffffff', a: { owner, gpc: 'walk' }, b: null },
      ],
    });
  });

  test('checks that need no table', async () => {
    // GPCCR_EL3.APPSAA is bit 24, RLPAD bit 5.
    const b = imageOf('b', {}, { gpccr_el3: '0x1013521' });
    const { code, out } = await lpae(['diff', a, b, '--gpt']);
    expect(code).toBe(1);
    expect(out).toContain('  address spaces that no access reaches: none in A, Realm in B\n');
    expect(out).toContain(
      '  accesses beyond the protected addresses: only Non-secure ones pass in A, all pass in B\n',
    );
    expect(out).not.toContain('the same');
  });

  test('what was not read is said; what has no table is refused', async () => {
    const gone = imageOf('gone', { '0x80010000': '0x90000003' });
    const unread = await lpae(['diff', gone, gone, '--gpt']);
    expect([unread.code, unread.err]).toEqual([
      0,
      expect.stringContaining('gone: a part of the table is in no RAM that was given'),
    ]);
    const off = await lpae(['diff', a, imageOf('off', {}, { gpccr_el3: '0x3501' }), '--gpt']);
    expect([off.code, off.err]).toEqual([
      2,
      expect.stringContaining('off: granule protection checks are off'),
    ]);
    const beyond = await lpae(['diff', a, imageOf('bad', {}, { gptbr_el3: '0xfffffff' }), '--gpt']);
    expect([beyond.code, beyond.err]).toEqual([
      2,
      expect.stringContaining('bad: GPCCR_EL3 or GPTBR_EL3 is not valid'),
    ]);
    const both = await lpae(['diff', a, a, '--gpt', '--by', 'bits']);
    expect([both.code, both.out]).toEqual([2, '']);
  });
});
