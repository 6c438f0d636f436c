/** Drawn descriptors: every bit once, in its field's colour, and every field in the list. */
import { describe, expect, test } from 'vitest';
import { formats } from '../../formats/index.ts';
import { largest } from '../../src/cli/text/readings.ts';
import type { DescriptorLayout } from '../../src/descriptor/index.ts';
import { descriptor } from '../../src/draw/index.ts';
import { all, expectSound, HOSTILE, type XmlElement } from './check.ts';

const PAGE = largest('arm_64_lpae_s1', '4K')!.layout('page', 3);
const WORD = 0x0060_0000_4000_0f47n;

/** The digits of the bits, as they stand from the left and from above. */
function bits(root: XmlElement): string {
  return all(root, 'text')
    .filter(({ attributes }) => attributes['font-size'] === '14')
    .sort(
      (a, b) =>
        Number(a.attributes.y) - Number(b.attributes.y) || Number(a.attributes.x) - Number(b.attributes.x),
    )
    .map(({ text }) => text)
    .join('');
}

const texts = (root: XmlElement) => all(root, 'text').map(({ text }) => text);

test('64 bits, from the highest down, in two rows or in four', () => {
  const expected = WORD.toString(2).padStart(64, '0');
  for (const rowBits of [32, 16] as const) {
    const root = expectSound(descriptor(PAGE, WORD, { rowBits }));
    expect(bits(root)).toBe(expected);
    const rows = new Set(
      all(root, 'text')
        .filter((t) => t.attributes['font-size'] === '14')
        .map((t) => t.attributes.y),
    );
    expect(rows.size).toBe(64 / rowBits);
  }
});

test('says where it leads, and of each field bits, name, value, meaning and section', () => {
  const said = texts(expectSound(descriptor(PAGE, WORD)));
  expect(said).toContain('0x0060000040000f47');
  expect(said).toContain('stage 1 level 3 page, 4K granule');
  expect(said).toContain('output address: 0x40000000');
  for (const text of ['[9:8]', 'SH[1:0]', '0x3', 'shareability: inner shareable', 'DDI 0487 D8.3.1.2']) {
    expect(said).toContain(text);
  }
  expect(said).toContain('G  OA[47:12] = 0x40000');
});

test('a bit that must be 0 but is set is framed and said', () => {
  const good = descriptor(PAGE, WORD);
  const bad = descriptor(PAGE, WORD | (1n << 48n));
  const frames = (svg: string) =>
    all(expectSound(svg), 'rect').filter((r) => r.attributes.class === 'lpae-s-red');
  expect(frames(good)).toEqual([]);
  expect(frames(bad)).toHaveLength(1);
  expect(texts(expectSound(bad))).toContain('RES0, but set');
});

test('a 32-bit descriptor has one row', () => {
  const layout = largest('arm_v7s', '4K')!.layout('page', 2);
  expect(layout.width).toBe(32);
  expect(bits(expectSound(descriptor(layout, 0x8001_1c0en)))).toBe(
    0x8001_1c0en.toString(2).padStart(32, '0'),
  );
});

test('names of any kind', () => {
  const hostile: DescriptorLayout = {
    ...PAGE,
    title: HOSTILE,
    fields: PAGE.fields.map((field) => ({
      ...field,
      name: HOSTILE,
      meaning: HOSTILE.repeat(5),
      reference: HOSTILE,
    })),
  };
  expect(all(expectSound(descriptor(hostile, WORD, { title: HOSTILE, under: [HOSTILE] })), 'script')).toEqual(
    [],
  );
});

describe.each(formats.map(({ name }) => name))('%s', (name) => {
  test('every kind of descriptor at every level is sound, all bits set or none', () => {
    const made = (['4K', '16K', '64K'] as const).flatMap((granule) => largest(name, granule) ?? []);
    expect(made.length).toBeGreaterThan(0);
    for (const format of made) {
      for (const { level } of format.levels) {
        for (const kind of level === format.levels.at(-1)!.level
          ? (['page'] as const)
          : (['table', 'invalid'] as const)) {
          const layout = format.layout(kind, level);
          for (const word of [0n, (1n << BigInt(layout.width)) - 1n]) {
            expect(bits(expectSound(descriptor(layout, word)))).toBe(
              word.toString(2).padStart(layout.width, '0'),
            );
          }
        }
      }
    }
  });
});
