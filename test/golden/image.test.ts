/** Golden images: every table that another machine walked is walked here with the same answers, and a wrong answer is noticed. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { checkImage } from '../../src/golden/image.ts';
import { GoldenFileError } from '../../src/golden/result.ts';

const folder = new URL('../../fixtures/', import.meta.url);
const filesOf = (producer: string) =>
  readdirSync(new URL(`${producer}/`, folder))
    .filter((name) => /(?<!\.sg)\.json(\.gz)?$/.test(name))
    .map((name) => `${producer}/${name}`);
const files = [...filesOf('qemu'), ...filesOf('arm')];
const captures = filesOf('real');

interface Image {
  regime: string;
  registers: Record<string, string>;
  memory: { pa: string; words64: Record<string, string> }[];
  translations: Record<string, unknown>[];
  [key: string]: unknown;
}

function load(name: string): Image {
  const bytes = readFileSync(new URL(name, folder));
  return JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')) as Image;
}

test('there are golden images to run', () => {
  expect(filesOf('qemu').length).toBeGreaterThanOrEqual(82);
  expect(filesOf('arm').length).toBeGreaterThanOrEqual(46);
  expect(captures.length).toBe(18);
});

test.each([...files, ...captures])('%s: every row agrees', (name) => {
  const result = checkImage(load(name));
  expect(result.differences).toEqual([]);
  expect(result.checked).toBeGreaterThanOrEqual(load(name).translations.length);
});

describe('a file that was tampered with is noticed', () => {
  const stage1 = 'qemu/qemu-s1-4k-cortex-a53-02.json';

  /** Index of the first row that translates and has no second opinion. */
  const mapped = (image: Image) =>
    image.translations.findIndex((row) => row.pa !== undefined && row.arm === undefined);
  const faulting = (image: Image) =>
    image.translations.findIndex((row) => row.fault !== undefined && row.arm === undefined);

  test('a PA', () => {
    const image = load(stage1);
    const at = mapped(image);
    const row = image.translations[at];
    if (row) row.pa = `0x${(BigInt(String(row.pa)) ^ 0x1000n).toString(16)}`;
    const { differences } = checkImage(image);
    expect(differences.map((d) => d.where)).toEqual([`translations[${at}].pa`]);
  });

  test('an attribute', () => {
    const image = load(stage1);
    const at = image.translations.findIndex((row) => row.attr !== undefined);
    const row = image.translations[at];
    if (row) row.attr = `0x${(Number(row.attr) ^ 0x44).toString(16)}`;
    expect(checkImage(image).differences.map((d) => d.where)).toEqual([`translations[${at}].attr`]);
  });

  test.each([
    ['kind', 'domain'],
    ['level', -1],
    ['stage', 2],
  ])('the %s of a fault', (member, value) => {
    const image = load(stage1);
    const at = faulting(image);
    const fault = image.translations[at]?.fault as Record<string, unknown>;
    fault[member] = value;
    expect(checkImage(image).differences.map((d) => d.where)).toEqual([
      `translations[${at}].fault.${member}`,
    ]);
  });

  test('a fault where there was a translation', () => {
    const image = load(stage1);
    const at = mapped(image);
    const { va, access, el } = image.translations[at] ?? {};
    image.translations[at] = { va, access, el, fault: { kind: 'translation', level: 3, stage: 1 } };
    expect(checkImage(image).differences.map((d) => d.where)).toEqual([`translations[${at}].fault`]);
  });

  test('any address bit of a descriptor that a row needs', () => {
    const image = load(stage1);
    const words = image.memory.flatMap(({ words64 }) =>
      Object.keys(words64).map((key) => ({ words64, key })),
    );
    let noticed = 0;
    for (const { words64, key } of words) {
      const word = words64[key] ?? '0x0';
      words64[key] = `0x${(BigInt(word) ^ 1n).toString(16)}`;
      if (checkImage(image).differences.length > 0) noticed++;
      words64[key] = word;
    }
    expect(noticed).toBeGreaterThan(words.length / 4);
  });

  test('a register', () => {
    const image = load(stage1);
    image.registers.ttbr0 = '0x0';
    expect(checkImage(image).differences.length).toBeGreaterThan(0);
  });
});

describe('a file that is no golden image is refused with the place that is wrong', () => {
  const broken = (change: (image: Image) => void) => () => {
    const image = load('qemu/qemu-s1-4k-cortex-a53-02.json');
    change(image);
    return checkImage(image);
  };

  test.each<[string, (image: Image) => void, RegExp]>([
    ['not an image', (i) => Object.assign(i, { kind: 'ops' }), /^kind must be one of image, but is "ops"/],
    [
      'another schema',
      (i) => Object.assign(i, { schema: 'x' }),
      /^schema must be one of pgtable-golden\/1, but is "x"/,
    ],
    ['an unknown regime', (i) => Object.assign(i, { regime: 'el9' }), /unknown regime 'el9'/],
    ['an unknown CPU', (i) => Object.assign(i, { cpu: { model: 'i386' } }), /unknown CPU model 'i386'/],
    [
      'no RAM',
      (i) => Object.assign(i, { ram: undefined }),
      /^ram must be \{ base, size \}, or left out beside "elsewhere": "zero", but is missing$/,
    ],
    [
      'a number as register',
      (i) => Object.assign(i.registers, { tcr: 7 }),
      /^registers\.tcr must be a "0x…" string of at most 64 bits, but is 7/,
    ],
    ['a word outside RAM', (i) => Object.assign(i.memory[0] ?? {}, { pa: '0x1000' }), /^memory: no RAM at/],
    [
      'an unaligned word',
      (i) => Object.assign(i.memory[1] ?? {}, { words64: { '4': '0x1' } }),
      /^memory\[1\]\.words64/,
    ],
    [
      'a strange access',
      (i) => Object.assign(i.translations[3] ?? {}, { access: 'x' }),
      /^translations\[3\]\.access/,
    ],
    [
      'a row without an answer',
      (i) => {
        i.translations[2] = { va: '0x0', access: 'read', el: 1 };
      },
      /^translations\[2\] must hold a pa, a fault, or what arm says/,
    ],
  ])('%s', (_, change, message) => {
    expect(broken(change)).toThrow(GoldenFileError);
    expect(broken(change)).toThrow(message);
  });

  test.each([undefined, null, 1, 'x', []])('%s', (value) => {
    expect(() => checkImage(value)).toThrow(GoldenFileError);
  });
});

test('pages that the kernel lets nobody use count too: one that translates is a difference', () => {
  const image = load('real/linux61-a72-rodata-on.json.gz');
  const { checked } = checkImage(image);
  const pagemap = image.pagemap as { va: string; pa: string }[];
  const none = image.pagemap_prot_none as { va: string; pa: string }[];
  expect(checked).toBe(image.translations.length + pagemap.length + none.length);
  none.push(pagemap[0]!);
  expect(checkImage(image).differences.map(({ where }) => where)).toEqual([
    `pagemap_prot_none[${none.length - 1}]`,
  ]);
});
