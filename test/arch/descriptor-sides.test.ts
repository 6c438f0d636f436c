/**
 * Both sides of the wall declare descriptors apart: the formats, which encode them, and the hardware side, which reads them. Here
 * they are held against each other, field by field. What differs on purpose is listed.
 */
import { describe, expect, test } from 'vitest';
import { armMaliLpae, riscv64 } from '../../formats/index.ts';
import { longDescriptor } from '../../formats/lpae/fields.ts';
import { shortDescriptor } from '../../formats/short/fields.ts';
import { type DescriptorPlace, descriptorLayout, featuresInUse } from '../../src/arch/descriptors/index.ts';
import type { DescriptorLayout } from '../../src/descriptor/index.ts';

type Kind = DescriptorLayout['kind'];
interface Pair {
  readonly name: string;
  readonly driver: DescriptorLayout;
  readonly hardware: DescriptorLayout;
}

const LONG_LEAVES: readonly (readonly [granuleLog2: 12 | 14 | 16, ds: boolean, firstBlock: number])[] = [
  [12, false, 1],
  [12, true, 0],
  [14, false, 2],
  [14, true, 1],
  [16, false, 1],
];

type LongPlace = DescriptorPlace & { readonly granuleLog2: 12 | 14 | 16 };

/** Features in use, by their names on the driver side and, for each stage, on the hardware side. */
const FEATURES = {
  indirect: { 1: 'FEAT_S1PIE', 2: 'FEAT_S2PIE' },
  overlays: { 1: 'FEAT_S1POE', 2: false },
  aie: { 1: 'FEAT_AIE', 2: false },
  haft: { 1: 'FEAT_HAFT', 2: 'FEAT_HAFT' },
} as const;
type Feature = keyof typeof FEATURES;
const COMBINED: readonly (readonly Feature[])[] = [
  ['indirect'],
  ['overlays'],
  ['aie'],
  ['haft'],
  ['indirect', 'overlays', 'aie', 'haft'],
];

/** A descriptor with features in use, of which all but `haft` switch the permissions of tables off (DDI 0487 D8.4.1.3, D8.4.1.4, D8.6.1). */
function featurePair(place: LongPlace, names: readonly Feature[]): Pair {
  const there = names.filter((name) => FEATURES[name][place.stage] !== false);
  const hierarchical = !there.some((name) => name !== 'haft');
  const inUse = featuresInUse(there.map((name) => FEATURES[name][place.stage]));
  return longPair({ ...place, hierarchical, ...inUse }, there);
}

function longPair(place: LongPlace, names: readonly Feature[] = []): Pair {
  const { kind, stage, level, granuleLog2, ds = false, aarch32 } = place;
  const driver = longDescriptor(kind, {
    stage,
    width: aarch32 ? 32 : 64,
    granuleLog2,
    level,
    shift: granuleLog2 + (3 - level) * (granuleLog2 - 3),
    lpa2: ds,
    ...Object.fromEntries(names.map((one) => [one, true])),
  });
  const width = aarch32 ? 'AArch32' : 'AArch64';
  const name = [`${width} ${driver.title}`, ...(ds ? ['DS'] : []), ...names].join(', ');
  return { name, driver, hardware: descriptorLayout(place) };
}

const long = ([1, 2] as const).flatMap((stage) => {
  const aarch64 = LONG_LEAVES.flatMap(([granuleLog2, ds, firstBlock]) =>
    [-1, 0, 1, 2, 3].flatMap((level) => {
      const upper: Kind[] = level < firstBlock ? ['table', 'invalid'] : ['table', 'block', 'invalid'];
      const kinds: Kind[] = level === 3 ? ['page', 'invalid'] : upper;
      return kinds.map((kind) => longPair({ kind, stage, level, granuleLog2, ds }));
    }),
  );
  const aarch32 = [1, 2, 3].flatMap((level) => {
    const kinds: Kind[] = level === 3 ? ['page', 'invalid'] : ['table', 'block', 'invalid'];
    return kinds.map((kind) => longPair({ kind, stage, level, granuleLog2: 12, aarch32: true }));
  });
  const extended = COMBINED.flatMap((names) =>
    [false, true].flatMap((ds) =>
      (
        [
          ['table', 1],
          ['block', 2],
          ['page', 3],
        ] as const
      ).map(([kind, level]) => featurePair({ kind, stage, level, granuleLog2: 12, ds }, names)),
    ),
  );
  return [...aarch64, ...aarch32, ...extended];
});

const short = [false, true].flatMap((mtk) =>
  (
    [
      ['table', 1, false],
      ['block', 1, false],
      ['block', 1, true],
      ['page', 2, false],
      ['page', 2, true],
      ['invalid', 1, false],
      ['invalid', 2, false],
    ] as const
  ).map(([kind, level, run]): Pair => {
    const place = { kind, stage: 1, level, granuleLog2: 12, run } as const;
    const driver = shortDescriptor(kind, level, run, mtk);
    const hardware = descriptorLayout({ ...place, format: mtk ? 'mtk' : 'short' });
    return { name: `${mtk ? 'MediaTek ' : ''}${driver.title}`, driver, hardware };
  }),
);

const OTHERS = [
  ['mali', armMaliLpae.configure({ pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 40 })],
  ['riscv', riscv64.configure({ pgsizeBitmap: 0x80_4021_1000n, ias: 48, oas: 52 })],
] as const;
const others = OTHERS.flatMap(([format, made]) =>
  [0, 1, 2, 3].flatMap((level) => {
    const kinds: (readonly [Kind, boolean])[] =
      level === 3
        ? [
            ['page', false],
            ['invalid', false],
          ]
        : [
            ['table', false],
            ['block', false],
            ['invalid', false],
          ];
    if (format === 'riscv' && level === 3) kinds.push(['page', true]);
    return kinds.map(([kind, run]): Pair => {
      const driver = made.layout(kind, level, run);
      const place = { kind, stage: 1, level, granuleLog2: 12, run, format } as const;
      return { name: `${driver.title}${run ? ', run' : ''}`, driver, hardware: descriptorLayout(place) };
    });
  }),
);

const pairs = [...long, ...short, ...others];

/** `Contiguous field`, by bit: how fields are cut does not hide what they are. */
function bitsOf(layout: DescriptorLayout): string[] {
  const found = new Array<string>(layout.width).fill('');
  for (const { name, high, low, kind } of layout.fields) {
    for (let bit = low; bit <= high; bit++) found[bit] += name === '-' ? kind : `${name} ${kind}`;
  }
  return found;
}

/**
 * What the driver's tables name and hardware does not look at: the format declares a field in every block and in both
 * architectures, hardware knows where it is RES0. (Contiguous: DDI 0487 D8.7.1; AArch32: G5.5.2.1, G5.5.3.)
 */
const ON_PURPOSE: readonly (readonly [of: RegExp, bit: number, driver: string, hardware: string])[] = [
  [/AArch64 .* level 0 block, 4K granule, DS/, 52, 'Contiguous field', 'res0'],
  [/AArch64 .* level 1 block, 16K granule, DS/, 52, 'Contiguous field', 'res0'],
  [/AArch64 .* level 1 block, 64K granule/, 52, 'Contiguous field', 'res0'],
  [/AArch32 .* (block|page)/, 51, 'DBM field', 'res0'],
  [/AArch32 .* block/, 16, 'nT field', 'res0'],
  [/AArch32 stage 2 .* (block|page)/, 11, 'FnXS field', 'res0'],
];

describe.each(pairs)('$name', ({ name, driver, hardware }) => {
  const expected = ON_PURPOSE.filter(([of]) => of.test(name));

  test('the same kinds of bits under the same names, but for what differs on purpose', () => {
    const [theirs, own] = [bitsOf(driver), bitsOf(hardware)];
    const different = theirs.flatMap((text, bit) => (text === own[bit] ? [] : [[bit, text, own[bit]]]));
    const wanted = expected.map(([, ...difference]) => difference).sort(([a], [b]) => a - b);
    expect(different).toEqual(wanted);
    expect([hardware.title, hardware.kind, hardware.width]).toEqual([
      driver.title,
      driver.kind,
      driver.width,
    ]);
  });

  test('the same words, values, type bits and addresses', () => {
    const untouched = (layout: DescriptorLayout) =>
      layout.fields.filter(({ high, low, kind }) =>
        // Where a field is gone, the hole around it is cut otherwise.
        expected.length === 0
          ? true
          : kind !== 'res0' && !expected.some(([, bit]) => bit <= high && bit >= low),
      );
    expect(untouched(hardware)).toEqual(untouched(driver));
  });
});

test('every difference on purpose is one', () => {
  for (const [of] of ON_PURPOSE) expect(pairs.some(({ name }) => of.test(name))).toBe(true);
  expect(pairs.length).toBeGreaterThan(150);
});
