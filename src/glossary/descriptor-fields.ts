/** The fields of every kind of descriptor, gathered from the layouts that hardware reads: the bits and the meaning of each. */
import {
  type DescriptorLayout,
  type DescriptorPlace,
  descriptorLayout,
  type EntryKind,
  featuresInUse,
  type LayoutField,
} from '../arch/descriptors/index.ts';
import { bitRange } from '../descriptor/index.ts';

/** The descriptors or registers in which a field has the same bits and the same meaning. */
export interface FieldPlace {
  /** `[54]`. */
  readonly bits: string;
  /** `arm_64_lpae_s1, arm_32_lpae_s1: block, page`, or `TCR_EL1`. */
  readonly where: string;
  readonly meaning: string;
  readonly values?: Readonly<Record<number, string>>;
  readonly reference: string;
}

/** A field of descriptors, with all its places. */
export interface DescriptorField {
  /** `AP`: without the bit range that a layout may add. */
  readonly name: string;
  readonly places: readonly FieldPlace[];
}

/** `AP[2:1]` as `AP`. */
export function bareName(name: string): string {
  return name.replace(/\[.*\]$/, '');
}

/** Descriptors, by the names of the driver formats that write them, since people know those names. */
interface Family {
  readonly name: string;
  readonly places: readonly DescriptorPlace[];
}

/** The granules of VMSAv8-64, with the first level of tables and of blocks, without and with TCR.DS. */
const GRANULES = [
  { granuleLog2: 12, ds: false, from: 0, blocks: 1 },
  { granuleLog2: 12, ds: true, from: -1, blocks: 0 },
  { granuleLog2: 14, ds: false, from: 0, blocks: 2 },
  { granuleLog2: 14, ds: true, from: 0, blocks: 1 },
  { granuleLog2: 16, ds: false, from: 1, blocks: 1 },
] as const;

/** Every kind of entry from a level on. Pages are at the last. */
function kindsFrom(
  place: Omit<DescriptorPlace, 'kind' | 'level'>,
  { from, blocks, last }: { readonly from: number; readonly blocks: number; readonly last: number },
): DescriptorPlace[] {
  return Array.from({ length: last + 1 - from }, (_, i) => from + i).flatMap((level) => {
    const kinds: EntryKind[] = ['invalid'];
    if (level < last) kinds.push('table');
    if (level >= blocks) kinds.push(level === last ? 'page' : 'block');
    return kinds.map((kind) => ({ ...place, kind, level }));
  });
}

/** Adds large pages and supersections, which have their own fields. */
function withRuns(
  places: readonly DescriptorPlace[],
  runs: (place: DescriptorPlace) => boolean,
): DescriptorPlace[] {
  return places.flatMap((place) => (runs(place) ? [place, { ...place, run: true }] : [place]));
}

const isLeaf = ({ kind }: DescriptorPlace) => kind === 'page' || kind === 'block';

function aarch64(stage: 1 | 2): DescriptorPlace[] {
  return GRANULES.flatMap(({ granuleLog2, ds, from, blocks }) =>
    kindsFrom({ stage, granuleLog2, ds }, { from, blocks, last: 3 }),
  );
}

/** What registers may turn on, so that bits mean something else. */
const STAGE1_FEATURES = ['FEAT_S1PIE', 'FEAT_S1POE', 'FEAT_AIE', 'FEAT_THE'];
const STAGE2_FEATURES = ['FEAT_S2PIE', 'FEAT_S2POE', 'FEAT_THE'];

/** Adds the same places with features. */
function withFeatures(places: readonly DescriptorPlace[], features: readonly string[]): DescriptorPlace[] {
  const use = featuresInUse(features);
  return [...places, ...places.map((place) => ({ ...place, ...use }))];
}

function aarch32(stage: 1 | 2): DescriptorPlace[] {
  return kindsFrom({ stage, granuleLog2: 12, aarch32: true }, { from: 1, blocks: 1, last: 3 });
}

const FAMILIES: readonly Family[] = [
  { name: 'arm_64_lpae_s1', places: withFeatures(aarch64(1), STAGE1_FEATURES) },
  { name: 'arm_64_lpae_s2', places: withFeatures(aarch64(2), STAGE2_FEATURES) },
  { name: 'arm_32_lpae_s1', places: aarch32(1) },
  { name: 'arm_32_lpae_s2', places: aarch32(2) },
  {
    name: 'arm_mali_lpae',
    places: kindsFrom({ format: 'mali', stage: 1, granuleLog2: 12 }, { from: 0, blocks: 1, last: 3 }),
  },
  {
    name: 'arm_v7s',
    places: withRuns(
      kindsFrom({ format: 'short', stage: 1, granuleLog2: 12 }, { from: 1, blocks: 1, last: 2 }),
      isLeaf,
    ),
  },
  {
    name: 'riscv_64',
    places: withRuns(
      kindsFrom({ format: 'riscv', stage: 1, granuleLog2: 12 }, { from: 0, blocks: 0, last: 3 }),
      ({ kind }) => kind === 'page',
    ),
  },
];

/** `table`, `block`, `page`; or the own name of a short descriptor: `section`. */
function kindOf({ title, kind }: DescriptorLayout): string {
  return /\(([a-z ]+)\)/.exec(title)?.[1] ?? kind;
}

/** Every field that has a meaning, with equal places joined. */
export function descriptorFields(): DescriptorField[] {
  const places = new Map<string, Gathered>();
  for (const { name: family, places: all } of FAMILIES) {
    for (const layout of all.map(descriptorLayout)) {
      for (const field of layout.fields) {
        if (field.kind !== 'field' && field.kind !== 'software') continue;
        const { name, meaning, values } = field;
        const key = JSON.stringify([layout.width, name, bitRange(field), meaning, values]);
        const place = places.get(key) ?? {
          field,
          formats: new Set(),
          kinds: new Set(),
          references: new Set(),
        };
        place.formats.add(family);
        place.kinds.add(kindOf(layout));
        place.references.add(field.reference);
        places.set(key, place);
      }
    }
  }
  const byName = new Map<string, FieldPlace[]>();
  for (const place of places.values()) {
    const name = bareName(place.field.name);
    byName.set(name, [...(byName.get(name) ?? []), placeOf(place)]);
  }
  return [...byName].map(([name, found]) => ({ name, places: found }));
}

interface Gathered {
  readonly field: LayoutField;
  readonly formats: Set<string>;
  readonly kinds: Set<string>;
  readonly references: Set<string>;
}

function placeOf({ field, formats: names, kinds, references }: Gathered): FieldPlace {
  return {
    bits: bitRange(field),
    where: `${[...names].join(', ')}: ${[...kinds].join(', ')}`,
    meaning: field.meaning,
    ...(field.values !== undefined && { values: field.values }),
    reference: [...references].join(', '),
  };
}
