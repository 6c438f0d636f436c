/** Captures: no more than what was read, and the same answers from it, by a check and by walks. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { asText, lpae, lpaeJson, REQUEST, tempFile } from './run.ts';

const REAL = join(import.meta.dirname, '../../fixtures/real');
const place = () => join(mkdtempSync(join(tmpdir(), 'lpae-')), 'capture.json');

interface Image {
  memory: { pa: string; words64: Record<string, string> }[];
  translations: Record<string, unknown>[];
  [key: string]: unknown;
}

async function captured(...args: string[]): Promise<{ file: string; image: Image }> {
  const file = place();
  const { code, out } = await lpae(['capture', ...args, '-o', file]);
  expect([code, out]).toEqual([0, '']);
  return { file, image: JSON.parse(readFileSync(file, 'utf8')) as Image };
}

const wordsOf = ({ memory }: Image) => memory.flatMap(({ words64 }) => Object.values(words64));

test('a walk: its descriptors and no other word', async () => {
  const { file, image } = await captured(
    join(REAL, 'linux61-a72-rodata-on.json.gz'),
    '0xffff_8000_0801_0000',
  );
  expect(wordsOf(image)).toEqual([
    '0x10000000fffff003',
    '0xd0000040210783',
    '0x10000000ffffd003',
    '0x10000000ffffe003',
  ]);
  expect(image.translations).toEqual([
    {
      va: '0xffff800008010000',
      access: 'read',
      el: 1,
      pa: '0x40210000',
      attr: '0xff',
      sh: 3,
      ns: 1,
      level: 3,
    },
  ]);
  expect((await lpae(['check', file])).code).toBe(0);
  const again = await lpaeJson(['walk', file, '0xffff_8000_0801_0000']);
  expect(again.json.walks).toMatchObject([{ pa: '0x40210000' }]);
});

test('features that the PE has beyond its model stay with it', async () => {
  const source = join(REAL, '../arm/xs-el1-0-4k.json');
  const { file, image } = await captured(source, '0x1394_6c3f');
  expect(image.cpu).toEqual({ model: 'max', pa_bits: 52, features: ['FEAT_XS'] });
  expect((await lpae(['check', file])).code).toBe(0);
  // 0x0d: Device-GRE whose XS attribute is 0, which no PE without the feature has.
  expect(image.translations).toMatchObject([{ attr: '0xd' }]);
  const without = { ...image, cpu: { model: 'max', pa_bits: 52 } };
  expect((await lpae(['check', tempFile('without.json', asText(without))])).code).toBe(1);
});

test('registers that no walk reads are left out; those that it should read and does not model are refused', async () => {
  const memory = new Uint8Array(4096);
  const registers = { ttbr0_el1: '0x40000000', tcr_el1: '0x19', far_el1: '0x1', esr_el1: '0x2', scr: '0x3' };
  const dump = `${tempFile('ram.bin', memory)}@0x4000_0000`;
  const given = tempFile('registers.json', asText(registers));
  const { file, image } = await captured(dump, '0x1000', '--registers', given);
  expect(image.registers).toEqual({ ttbr0: '0x40000000', tcr: '0x19' });
  expect((await lpae(['check', file])).code).toBe(0);
  const wide = tempFile('d128.json', asText({ ...registers, tcr2_el1: '0x20' }));
  const refused = await lpae(['capture', dump, '0x1000', '--registers', wide]);
  expect([refused.code, refused.out]).toEqual([3, '']);
  expect(refused.err).toContain('TCR2_EL1 = 0x20: D128 turns on 128-bit descriptors (FEAT_D128)');
});

test('a fault, and an access that is not a read', async () => {
  const source = tempFile('request.json', asText(REQUEST));
  const { file, image } = await captured(source, '0x2000_0000', '--access', 'write', '--unprivileged');
  expect(image.translations).toEqual([
    { va: '0x20000000', access: 'write', el: 0, fault: { kind: 'translation', stage: 1, level: 2 } },
  ]);
  expect((await lpae(['check', file])).code).toBe(0);
});

describe('all of an address space', () => {
  test.each([
    ['uboot-arm64-el2.json'],
    ['uboot-arm-lpae.json'],
    ['linux612-kvm-vhe-stage2.json'],
    ['linux612-max-4k-lpa2.json.gz'],
    ['linux61-smmuv3-4k.json', '--sid', '0x28'],
  ])('%s: the capture has the same ranges and passes', async (name, ...stream) => {
    const { file, image } = await captured(join(REAL, name), ...stream);
    expect(image.translations.length).toBeGreaterThan(4);
    expect((await lpae(['check', file])).code).toBe(0);
    const [one, other] = await Promise.all([
      lpaeJson(['dump', file, ...stream]),
      lpaeJson(['dump', join(REAL, name), ...stream]),
    ]);
    expect(one.json.ranges).toEqual(other.json.ranges);
  });

  test('and a broken descriptor in it is noticed', async () => {
    const { file, image } = await captured(join(REAL, 'uboot-arm64-el2.json'));
    const frame = image.memory.find(({ words64 }) => words64['0'] !== undefined)!;
    frame.words64['0'] = `0x${(BigInt(frame.words64['0']!) ^ 0x1n).toString(16)}`;
    writeFileSync(file, JSON.stringify(image));
    expect((await lpae(['check', file])).code).toBe(1);
  });

  test('--range: a part', async () => {
    const { image } = await captured(join(REAL, 'uboot-arm64-el2.json'), '--range', '0x4000_0000+1G');
    expect(wordsOf(image)).toEqual(['0x5fff1003', '0x40000711']);
    expect(image.translations.map(({ va }) => va)).toEqual(['0x40000000', '0x7fffffff']);
  });
});

test('an SMMU: stream table entry and context descriptor too, for the stream that was asked', async () => {
  const { file, image } = await captured(
    join(REAL, 'linux61-smmuv3-4k.json'),
    '0x1001_0000',
    '--sid',
    '0x28',
  );
  expect(image.translations).toMatchObject([{ sid: 0x28, fault: { kind: 'translation' } }]);
  expect(wordsOf(image)).toContain('0xd92c0009');
  expect((await lpae(['check', file])).code).toBe(0);
});

test('the access of a fault in a log line', async () => {
  const line = 'Unable to handle kernel write at 00: esr = 0x9200004f, FAR_EL1 = 0x0000000000100000';
  const { image } = await captured(join(REAL, 'linux61-a72-rodata-on.json.gz'), '--fault', line);
  expect(image.translations).toMatchObject([
    { va: '0x100000', access: 'write', el: 0, fault: { kind: 'access_flag', level: 3 } },
  ]);
  const none = await lpae(['capture', join(REAL, 'uboot-arm64-el2.json'), '--fault', 'all is well']);
  expect([none.code, none.out]).toEqual([2, '']);
});

test('a file is not overwritten unasked, and stdout is the default', async () => {
  const source = join(REAL, 'uboot-arm64-el2.json');
  const file = tempFile('there.json', 'mine');
  const refused = await lpae(['capture', source, '0', '-o', file]);
  expect([refused.code, readFileSync(file, 'utf8')]).toEqual([2, 'mine']);
  expect(refused.err).toContain('--force overwrites it');
  expect((await lpae(['capture', source, '0', '-o', file, '--force'])).code).toBe(0);
  expect(existsSync(file)).toBe(true);
  const { out } = await lpae(['capture', source, '0', '--name', 'mine']);
  expect(JSON.parse(out)).toMatchObject({ name: 'mine', kind: 'image' });
});
