/** How a golden image writes its memory: offsets in decimal or hex, single words, and memory that is zero elsewhere. */
import { describe, expect, test } from 'vitest';
import { checkImage } from '../../src/golden/image.ts';
import { parseImageFile } from '../../src/golden/image-file.ts';
import { imageMachine } from '../../src/golden/image-probe.ts';
import { lint } from '../../src/lint/index.ts';

const ROW = { va: '0x201000', access: 'read', el: 1, pa: '0x50000000', level: 3 };

/** 4K, 39 bits: VA 0x20_1000 is a page at 0x5000_0000, by entries 0, 1 and 1. */
const image = (memory: unknown, more: object = {}) => ({
  schema: 'pgtable-golden/1',
  kind: 'image',
  name: 'memory',
  regime: 'el1&0',
  cpu: { model: 'max', pa_bits: 40 },
  ram: { base: '0x40000000', size: '0x10000' },
  registers: { ttbr0: '0x40000000', tcr: '0x200800019', mair: '0xff', sctlr: '0x1' },
  memory,
  translations: [ROW],
  ...more,
});

const FRAMES = [
  { pa: '0x40000000', words64: { '0': '0x40001003' } },
  { pa: '0x40001000', words64: { '8': '0x40002003' } },
  { pa: '0x40002000', words64: { '8': '0x50000783' } },
];

describe('the same tables', () => {
  test.each<[string, unknown]>([
    ['in frames with decimal offsets', FRAMES],
    [
      'in frames with hex offsets',
      [
        { pa: '0x40000000', words64: { '0x0': '0x40001003' } },
        { pa: '0x40001000', words64: { '0x8': '0x40002003' } },
        { pa: '0x40002000', words64: { '0x008': '0x50000783' } },
      ],
    ],
    [
      'as a flat list of words',
      [
        ['0x40000000', '0x40001003'],
        ['0x40001008', '0x40002003'],
        ['0x40002008', '0x50000783'],
      ],
    ],
    ['in a frame, and as words', [FRAMES[0], ['0x40001008', '0x40002003'], ['0x40002008', '0x50000783']]],
  ])('%s', (_, memory) => {
    expect(parseImageFile(image(memory)).words).toEqual([
      [0x4000_0000n, 0x4000_1003n],
      [0x4000_1008n, 0x4000_2003n],
      [0x4000_2008n, 0x5000_0783n],
    ]);
    expect(checkImage(image(memory))).toEqual({
      name: 'memory',
      checked: 1,
      claims: 2,
      differences: [],
      notes: [],
    });
  });

  test('hex offsets are hex, decimal ones are decimal', () => {
    const words64 = { '10': '0x1', '0x10': '0x2', '16': '0x3' };
    const parse = (keys: (keyof typeof words64)[]) =>
      parseImageFile(
        image([{ pa: '0x40000000', words64: Object.fromEntries(keys.map((key) => [key, words64[key]])) }]),
      ).words;
    expect(parse(['0x10'])).toEqual([[0x4000_0010n, 2n]]);
    expect(parse(['16'])).toEqual([[0x4000_0010n, 3n]]);
    expect(() => parse(['10'])).toThrow(/a multiple of 8, in decimal or as 0x/);
    expect(() => parse(['16', '0x10'])).toThrow(/^memory must not hold two words at one pa/);
  });
});

test.each<[string, unknown, RegExp]>([
  [
    'an offset beyond the frame',
    [{ pa: '0x0', words64: { '0x1000': '0x1' } }],
    /memory\[0\]\.words64.* below 4096/,
  ],
  ['an offset of 4096', [{ pa: '0x0', words64: { '4096': '0x1' } }], /memory\[0\]\.words64.* below 4096/],
  [
    'an uneven hex offset',
    [{ pa: '0x0', words64: { '0x4': '0x1' } }],
    /memory\[0\]\.words64.* multiple of 8/,
  ],
  ['an offset with a sign', [{ pa: '0x0', words64: { '-8': '0x1' } }], /memory\[0\]\.words64/],
  [
    'a word of three',
    [['0x40000000', '0x1', '0x2']],
    /^memory\[0\] must be a pair: \["0x<pa>", "0x<word>"\]/,
  ],
  ['a word as a number', [['0x40000000', 1]], /^memory\[0\]\[1\] must be a "0x…" string/],
  ['an unaligned word', [['0x40000004', '0x1']], /^memory.*multiple of 8/],
  [
    'two words at one address',
    [
      ['0x40000000', '0x1'],
      ['0x40000000', '0x1'],
    ],
    /^memory must not hold two words at one pa/,
  ],
  ['a number', [7], /^memory\[0\]/],
])('%s is refused', (_, memory, message) => {
  expect(() => parseImageFile(image(memory))).toThrow(message);
});

describe('memory that is sparse on purpose', () => {
  // Entry 1 of level 1 leads to a table that the file does not hold.
  const SPARSE = [...FRAMES, ['0x40000008', '0x80000003']];
  const findings = (more: object) => {
    const { machineOf } = imageMachine(parseImageFile(image(SPARSE, more)));
    return lint({ translator: machineOf()({}), ranges: [] }).findings.map(({ rule }) => rule);
  };

  test('is not RAM elsewhere, and lint reports each entry of it, unless the file says that it is zero', () => {
    expect(findings({})).toContain('outside-ram');
    expect(findings({ elsewhere: 'zero' })).not.toContain('outside-ram');
    expect(findings({ elsewhere: 'zero', ram: undefined })).not.toContain('outside-ram');
  });

  test('an address that leads there is not mapped, instead of an abort', () => {
    const row = (kind: string, level: number) => ({
      translations: [{ va: '0x40000000', access: 'read', el: 1, fault: { kind, level, stage: 1 } }],
    });
    expect(checkImage(image(SPARSE, row('external_walk', 2))).differences).toEqual([]);
    expect(checkImage(image(SPARSE, { elsewhere: 'zero', ...row('translation', 2) })).differences).toEqual(
      [],
    );
    expect(
      checkImage(image(SPARSE, { elsewhere: 'zero', ...row('external_walk', 2) })).differences,
    ).toHaveLength(1);
  });

  test('may stand anywhere below 2^52, without ram', () => {
    const far = image(
      [
        ['0x40000000', '0x8000000001003'],
        ['0x8000000001008', '0x40002003'],
        ['0x40002008', '0x50000783'],
      ],
      { elsewhere: 'zero', ram: undefined },
    );
    expect(parseImageFile(far).words[1]).toEqual([0x8_0000_0000_1008n, 0x4000_2003n]);
    expect(imageMachine(parseImageFile(far)).memory.read64(0x8_0000_0000_1008n)).toBe(0x4000_2003n);
    expect(imageMachine(parseImageFile(far)).memory.read64(0xf_ffff_ffff_fff8n)).toBe(0n);
  });

  test('can be nothing but zero, and a file without either is refused', () => {
    expect(() => parseImageFile(image(FRAMES, { elsewhere: 'ones' }))).toThrow(
      /^elsewhere must be one of zero/,
    );
    expect(() => parseImageFile(image(FRAMES, { ram: undefined }))).toThrow(
      /^ram must be \{ base, size \}, or left out beside "elsewhere": "zero", but is missing$/,
    );
  });
});
