/** Two trees of tables compared entry by entry: which fields of which descriptors differ. The addresses of tables are not compared. */

import type { MachineRegime } from '../arch/regimes.ts';
import type { PaSpace } from '../arch/security.ts';
import { bitRange, type DescriptorLayout, decode } from '../descriptor/index.ts';
import { layoutOf } from '../lint/layout.ts';
import type { Translator } from '../machine/machine.ts';
import { iaAt } from '../machine/visit.ts';
import { hex } from '../text/numbers.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../walker/index.ts';
import { word64 } from '../walker/word.ts';

/** A field of a descriptor that differs: its name and bits as the layout has them, and its value on both sides. */
export interface FieldDifference {
  readonly name: string;
  readonly bits: string;
  readonly a: bigint;
  readonly b: bigint;
}

/** An entry that differs, or a run of them that differ alike. */
export interface EntryDifference {
  readonly stage: 1 | 2;
  readonly register: string;
  readonly level: number;
  readonly index: number;
  /** Input addresses that the first entry serves. */
  readonly ia: bigint;
  readonly a: bigint;
  readonly b: bigint;
  /** If the kind is the same on both sides, the fields that differ. Otherwise the kinds. */
  readonly fields: readonly FieldDifference[];
  readonly kinds?: readonly [a: string, b: string];
  count: number;
}

/** What {@link diffBits} found. */
export interface BitsDiff {
  readonly entries: readonly EntryDifference[];
  /** Trees that exist on one side only, or that divide addresses differently. */
  readonly trees: readonly string[];
  /** Entries that differ beyond those listed. */
  readonly more: number;
}

const MAX_ENTRIES = 2000;
/** The most pairs of tables to compare, since tables may point to themselves. */
const MAX_TABLES = 2 ** 18;
const KIND_TEXT: Readonly<Record<number, string>> = { 0: 'invalid', 1: 'table', 2: 'leaf', 3: 'outside RAM' };

interface Word {
  readonly kind: number;
  readonly word: bigint;
  readonly output: number;
  /** The space of the table that it points at. */
  readonly below: PaSpace;
  readonly sizeLog2: number;
  readonly key: string;
}

/**
 * Compares the tables of two address spaces, entry by entry and field by field. Trees are compared with the tree of the same register;
 * where their tables lie does not matter. Memory is only read; nothing throws.
 *
 * @example
 * for (const { level, index, fields } of diffBits(before, after).entries) {
 *   console.log(level, index, fields.map(({ name }) => name));
 * }
 */
export function diffBits(a: Translator, b: Translator): BitsDiff {
  const trees: string[] = [];
  const diff = new TreeDiff(a.regime);
  const nameOf = ({ root }: TableTree) => `${root.register} (stage ${root.stage})`;
  const others = [...b.trees()];
  for (const tree of a.trees()) {
    const at = others.findIndex(({ root }) => root.register === tree.root.register);
    const [other] = at < 0 ? [] : others.splice(at, 1);
    if (other === undefined) trees.push(`${nameOf(tree)} has tables in A only`);
    else if (shapeOf(tree) !== shapeOf(other)) {
      trees.push(`${nameOf(tree)}: ${shapeOf(tree)} in A, ${shapeOf(other)} in B`);
    } else diff.compare(tree, other);
  }
  for (const tree of others) trees.push(`${nameOf(tree)} has tables in B only`);
  return { entries: diff.found, trees, more: diff.more };
}

function shapeOf({ root, reader }: TableTree): string {
  const { startLevel, firstIa, lastIa } = root;
  return `${reader.format} descriptors, ${2 ** (reader.granuleLog2 - 10)}K pages, level ${startLevel} from ${hex(firstIa)} to ${hex(lastIa)}`;
}

/** A table: its address, and the space that it is in. */
interface TableAt {
  readonly base: number;
  readonly space: PaSpace;
}

/** The same table of both sides. */
type Pair = readonly [a: TableAt, b: TableAt];

class TreeDiff {
  readonly found: EntryDifference[] = [];
  more = 0;
  readonly #regime: MachineRegime;
  readonly #done = new Set<string>();

  constructor(regime: MachineRegime) {
    this.#regime = regime;
  }

  compare(a: TableTree, b: TableTree): void {
    const { root, rootEntries } = a;
    const bases: Pair = [
      { base: root.base, space: a.spaces.root },
      { base: b.root.base, space: b.spaces.root },
    ];
    this.#tables(a, b, root.startLevel, bases, root.firstIndex, rootEntries, 0);
  }

  #tables(
    a: TableTree,
    b: TableTree,
    level: number,
    bases: Pair,
    first: number,
    count: number,
    offset: number,
  ): void {
    const key = `${a.root.register}.${level}.${bases.map(({ base, space }) => `${base} ${space}`).join('.')}`;
    if (this.#done.has(key) || this.#done.size > MAX_TABLES) return;
    this.#done.add(key);
    const [left, right] = [
      readTable(a, level, bases[0], first, count),
      readTable(b, level, bases[1], first, count),
    ];
    const size = 2 ** a.reader.entrySizeLog2(level);
    for (const [i, one] of left.entries()) {
      const other = right[i]!;
      const at = offset + i * size;
      if (one.kind === ENTRY_KINDS.table && other.kind === ENTRY_KINDS.table) {
        if (one.key !== other.key) this.#add(a, level, first + i, at, one, other);
        const below: Pair = [
          { base: one.output, space: one.below },
          { base: other.output, space: other.below },
        ];
        this.#tables(a, b, level + 1, below, 0, a.reader.entryCount(level + 1), at);
      } else if (one.word !== other.word || one.kind !== other.kind) {
        this.#add(a, level, first + i, at, one, other);
      }
    }
  }

  #add(tree: TableTree, level: number, index: number, offset: number, a: Word, b: Word): void {
    const { stage, register } = tree.root;
    const sameKind = a.kind === b.kind;
    const layout = sameKind
      ? layoutOf({ level, kind: a.kind, sizeLog2: a.sizeLog2 }, tree, { regime: this.#regime })
      : undefined;
    const fields = sameKind ? fieldsOf(layout, a, b) : [];
    const open = this.found.at(-1);
    const step =
      open && open.index + open.count === index && open.level === level && open.register === register;
    if (open && step && alike(open, fields, sameKind)) {
      open.count++;
      return;
    }
    if (this.found.length >= MAX_ENTRIES) {
      this.more++;
      return;
    }
    this.found.push({
      stage,
      register,
      level,
      index,
      ia: iaAt(tree, offset),
      a: a.word,
      b: b.word,
      fields,
      ...(!sameKind && { kinds: [KIND_TEXT[a.kind]!, KIND_TEXT[b.kind]!] as const }),
      count: 1,
    });
  }
}

/** Whether the same fields differ in the same way. Addresses only have to differ. */
function alike(open: EntryDifference, fields: readonly FieldDifference[], sameKind: boolean): boolean {
  if (!sameKind || open.kinds !== undefined || open.fields.length !== fields.length) return false;
  return open.fields.every(({ name, a, b }, i) => {
    const other = fields[i]!;
    return name === other.name && (name.startsWith('OA') || (a === other.a && b === other.b));
  });
}

function readTable(tree: TableTree, level: number, at: TableAt, first: number, count: number): Word[] {
  const words: Word[] = [];
  const add = (entry: TableEntry): void => {
    const { kind, lo, hi, output, sizeLog2, attributesLo, attributesHi } = entry;
    const below = tree.spaces.below(entry, at.space);
    words.push({
      kind,
      word: word64(lo, hi),
      output,
      below,
      sizeLog2,
      key: `${attributesLo}.${attributesHi}`,
    });
  };
  tree.scan(level, at.base, first, count, add, at.space);
  return words;
}

/** The fields that differ. Next-table addresses are skipped: where a table lies does not matter. */
function fieldsOf(layout: DescriptorLayout | undefined, a: Word, b: Word): FieldDifference[] {
  if (layout === undefined) return [{ name: 'descriptor', bits: '', a: a.word, b: b.word }];
  const [left, right] = [decode(layout, a.word), decode(layout, b.word)];
  return left.flatMap(({ field, value }, i) => {
    const other = right[i]!.value;
    if (value === other || field.name.startsWith('NLTA')) return [];
    return [
      { name: field.name === '-' ? field.meaning : field.name, bits: bitRange(field), a: value, b: other },
    ];
  });
}
