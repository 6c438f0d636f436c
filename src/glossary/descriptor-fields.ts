/** The fields of every format's descriptors, gathered from the layouts that encode and decode them: where each stands, and what it means. */
import { formats } from '../../formats/index.ts';
import { bitRange, type DescriptorLayout, type Field } from '../descriptor/index.ts';
import type { Feature, FormatRequest, TableFormat } from '../pagetable/format.ts';

/** Where a field stands with the same bits and the same meaning: in descriptors of formats, or in registers. */
export interface FieldPlace {
  /** `[54]`. */
  readonly bits: string;
  /** `arm_64_lpae_s1, arm_32_lpae_s1: block, page`, or `TCR_EL1`. */
  readonly where: string;
  readonly meaning: string;
  readonly values?: Readonly<Record<number, string>>;
  readonly reference: string;
}

/** A field of descriptors by its name, with all its places. */
export interface DescriptorField {
  /** `AP`: without the range of bits that a layout may name. */
  readonly name: string;
  readonly places: readonly FieldPlace[];
}

/** `AP[2:1]` as `AP`. */
export function bareName(name: string): string {
  return name.replace(/\[.*\]$/, '');
}

/** Every page and block size of any granule: a format keeps its own. */
const ALL_SIZES = 0x490_6331_5000n;
const LPA2: readonly Feature[] = ['lpa2'];

/** The largest that a format can be, for each of its granules, plain and with LPA2. */
function configurations(): TableFormat[] {
  const made: TableFormat[] = [];
  for (const format of formats) {
    for (const cpuPageSize of [0x1000, 0x4000, 0x1_0000]) {
      for (const features of [[], LPA2]) {
        const found = largest((request) => format.configure({ ...request, features, cpuPageSize }));
        if (found !== undefined) made.push(found);
      }
    }
  }
  return made;
}

function largest(configure: (request: FormatRequest) => TableFormat): TableFormat | undefined {
  for (const bits of [52, 48, 40, 32]) {
    try {
      return configure({ pgsizeBitmap: ALL_SIZES, ias: bits, oas: bits });
    } catch {
      // Smaller addresses may do; a format without this granule or feature refuses them all.
    }
  }
  return undefined;
}

function* layoutsOf(format: TableFormat): Generator<DescriptorLayout> {
  const last = format.levels.at(-1)!.level;
  for (const { level, shift } of format.levels) {
    yield format.layout('invalid', level);
    if (level < last) yield format.layout('table', level);
    if (!(format.pgsizeBitmap & (1n << BigInt(shift)))) continue;
    for (const run of [false, true]) yield format.layout(level === last ? 'page' : 'block', level, run);
  }
}

/** `table`, `block`, `page`; of short descriptors the kind's own name: `section`. */
function kindOf({ title, kind }: DescriptorLayout): string {
  return /\(([a-z ]+)\)/.exec(title)?.[1] ?? kind;
}

/** Every field that means something, alike places joined. */
export function descriptorFields(): DescriptorField[] {
  const places = new Map<string, Gathered>();
  for (const format of configurations()) {
    for (const layout of layoutsOf(format)) {
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
        place.formats.add(format.name);
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
  readonly field: Field;
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
