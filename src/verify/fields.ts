/** Fields of leaf descriptors: those that an intention names, and those that differ. (DDI 0487 D8.3.1, G5.4, G5.5.) */
import { type DescriptorLayout, descriptorLayout, type LayoutField } from '../arch/descriptors/index.ts';
import { bitRange } from '../descriptor/index.ts';
import { layoutOf } from '../lint/layout.ts';
import type { Translator } from '../machine/machine.ts';
import { iaAt, visitTree } from '../machine/visit.ts';
import type { AddressRange } from '../space/address-range.ts';
import { hex } from '../text/numbers.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../walker/index.ts';
import { word64 } from '../walker/word.ts';
import type { AspectDifference } from './compare.ts';
import type { WantedField } from './intent.ts';

/** A field that is wanted but that a leaf does not have. */
export class UnknownFieldError extends Error {
  override readonly name = 'UnknownFieldError';
}

/** Input addresses whose leaves all differ from one wanted value. */
export interface FieldDifference extends AddressRange {
  readonly difference: AspectDifference;
}

type Place = Pick<TableEntry, 'level' | 'kind' | 'sizeLog2'>;

/** The bits of a leaf, of every format. */
export function leafLayout(entry: Place, tree: TableTree, translator: Translator): DescriptorLayout {
  const { regime, security } = translator;
  const layout = layoutOf(entry, tree, { regime, ...(security !== undefined && { security }) });
  if (layout !== undefined) return layout;
  const { format, granuleLog2, lastLevel } = tree.reader;
  const { level } = entry;
  const kind = entry.kind !== ENTRY_KINDS.leaf ? 'invalid' : level === lastLevel ? 'page' : 'block';
  const run = entry.sizeLog2 > tree.reader.entrySizeLog2(level);
  return descriptorLayout({ format, kind, stage: tree.root.stage, level, granuleLog2, run });
}

/**
 * Compares fields of all leaves of a range. With two stages, those of stage 1.
 * @throws UnknownFieldError
 */
export function fieldDifferences(
  translator: Translator,
  range: AddressRange,
  fields: readonly WantedField[],
): FieldDifference[] {
  const trees = translator.trees();
  const stage = trees.some(({ root }) => root.stage === 1) ? 1 : 2;
  const found: FieldDifference[] = [];
  for (const tree of trees.filter(({ root }) => root.stage === stage)) {
    const layouts = new Map<string, DescriptorLayout>();
    visitTree(
      tree,
      {
        leaf(entry, { entrySizeLog2 }, offset) {
          const key = `${entry.level}.${entry.sizeLog2}`;
          let layout = layouts.get(key);
          if (layout === undefined) {
            layout = leafLayout(entry, tree, translator);
            layouts.set(key, layout);
          }
          const ia = iaAt(tree, offset);
          const end = ia + (1n << BigInt(entrySizeLog2)) - 1n;
          const first = ia > range.first ? ia : range.first;
          const last = end < range.last ? end : range.last;
          for (const wanted of fields) {
            const difference = compareField(wanted, layout, word64(entry.lo, entry.hi));
            if (difference !== undefined) add(found, { first, last, difference });
          }
        },
      },
      { within: range },
    );
  }
  return found;
}

/** Joins neighbours with the same difference. */
function add(found: FieldDifference[], next: FieldDifference): void {
  const { difference, first, last } = next;
  const at = found.findLastIndex(
    (one) =>
      one.last + 1n === first &&
      one.difference.field === difference.field &&
      one.difference.found === difference.found,
  );
  const open = found[at];
  if (open === undefined || at < found.length - 8) found.push(next);
  else found[at] = { ...open, last };
}

function compareField(
  { name, bits, value }: WantedField,
  layout: DescriptorLayout,
  word: bigint,
): AspectDifference | undefined {
  const { high, low, ...field } =
    bits === undefined ? fieldNamed(name, layout) : { high: bits[0], low: bits[1] };
  const found = (word >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
  if (found === value) return undefined;
  const own = 'name' in field && field.name !== '-' ? field.name : name;
  const label = own.includes('[') ? own : `${own} ${bitRange({ high, low })}`;
  return { aspect: 'field', field: label, wanted: `${name}=${hex(value)}`, found: `${name}=${hex(found)}` };
}

/** The name of bits for software, if the layout has none for them. */
const SOFTWARE = /^sw$/i;

function fieldNamed(name: string, { fields, title }: DescriptorLayout): LayoutField {
  const wanted = name.toLowerCase();
  if (SOFTWARE.test(name)) {
    const own = fields.find(({ meaning }) => /free for software/.test(meaning));
    if (own !== undefined) return own;
  }
  const known = fields.filter(({ name: own }) => own !== '-');
  const exact = known.filter(({ name: own }) => own.toLowerCase() === wanted);
  const alike =
    exact.length > 0 ? exact : known.filter(({ name: own }) => own.toLowerCase().startsWith(`${wanted}[`));
  const [only] = alike;
  if (only !== undefined && alike.length === 1) return only;
  const names = (alike.length > 1 ? alike : known).map(({ name: own }) => own).join(', ');
  throw new UnknownFieldError(
    alike.length > 1
      ? `${name} is several fields of a ${title}: ${names}`
      : `a ${title} has no field ${name}; its fields are ${names}`,
  );
}
