/**
 * The ranges that tables map, read table by table. The walker is asked once for each distinct kind of leaf (a descriptor without its
 * address, and the descriptors above it), and its answer is used for all leaves of that kind.
 */
import { traitsOf } from '../arch/regimes.ts';
import type { Answer, Translator } from '../machine/machine.ts';
import { entryPage, iaAt, type TablePlace, visitTree } from '../machine/visit.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../walker/index.ts';
import type { AddressRange } from './address-range.ts';
import { probe } from './probe.ts';
import { isHole, type MappedRange, sayOf } from './ranges.ts';

export interface TableRanges {
  readonly ranges: MappedRange[];
  /** False if it gave up because there were too many entries or ranges. */
  readonly complete: boolean;
}

/** Maximum length of a list that a person would read. */
export const SHORT_LIST = 2 ** 16;

/** The trees, if reading them gives the same as walks: only for one stage, whose entries don't depend on each other. */
export function listableTrees(translator: Translator): readonly TableTree[] | undefined {
  const trees = translator.trees();
  const stages = new Set(trees.map(({ root }) => root.stage));
  return stages.size === 1 && traitsOf(translator.regime).descriptors !== 'riscv' ? trees : undefined;
}

/** Ranges of leaves that are contiguous on both sides, of one size and alike. */
export function tableRanges(
  translator: Translator,
  trees: readonly TableTree[],
  within: AddressRange | undefined,
  maxRanges: number,
): TableRanges {
  const ranges: MappedRange[] = [];
  let complete = true;
  for (const tree of trees) {
    const collector = new LeafCollector(translator, tree, ranges);
    const options = within === undefined ? {} : { within };
    const visited = visitTree(
      tree,
      {
        enter: () => ranges.length < maxRanges,
        leaf: (entry, table, offset) => collector.leaf(entry, table, offset),
        other: (entry, table, offset) => collector.other(entry, table, offset),
      },
      options,
    );
    collector.close();
    complete &&= visited && ranges.length < maxRanges;
  }
  return { ranges, complete };
}

/** Everything that leaves of one kind have in common. */
interface Kind {
  readonly say: string;
  readonly result: Answer;
  readonly hole: boolean;
}

/** A range that is still growing, in numbers. */
interface Open {
  readonly offset: number;
  end: number;
  /** -1: none. */
  readonly pa: number;
  readonly sizeLog2: number;
  readonly kind: Kind;
  leaves: number;
}

class LeafCollector {
  readonly #translator: Translator;
  readonly #tree: TableTree;
  readonly #ranges: MappedRange[];
  readonly #kinds = new Map<string, Kind>();
  #open: Open | undefined;
  // The kind of the previous leaf: most leaves are of the same kind.
  #lo = -1;
  #hi = -1;
  #path = -1;
  #sizeLog2 = -1;
  #beyond = false;
  #abort: { readonly table: TablePlace; readonly page: number; readonly kind: Kind } | undefined;
  #kind: Kind | undefined;

  constructor(translator: Translator, tree: TableTree, ranges: MappedRange[]) {
    this.#translator = translator;
    this.#tree = tree;
    this.#ranges = ranges;
  }

  leaf(entry: TableEntry, table: TablePlace, offset: number): void {
    const kind = this.#kindOf(entry, table, offset);
    // An entry in a run of short descriptors maps a part of its run.
    const inLeaf = entry.sizeLog2 > table.entrySizeLog2 ? offset % 2 ** entry.sizeLog2 : 0;
    this.#add(offset, table.entrySizeLog2, entry.output + inLeaf, kind);
  }

  /** An entry that can't be read, or a table out of reach: a fault worth listing. A merely invalid entry is a hole. */
  other(entry: TableEntry, table: TablePlace, offset: number): void {
    if (entry.kind === ENTRY_KINDS.invalid) return;
    const kind =
      entry.kind === ENTRY_KINDS.abort
        ? this.#abortOf(entry, table, offset)
        : this.#kindOf(entry, table, offset);
    this.#add(offset, table.entrySizeLog2, -1, kind);
  }

  #add(offset: number, sizeLog2: number, pa: number, kind: Kind): void {
    if (kind.hole) return;
    const size = 2 ** sizeLog2;
    const open = this.#open;
    if (
      open !== undefined &&
      open.end === offset &&
      open.sizeLog2 === sizeLog2 &&
      (open.kind === kind || open.kind.say === kind.say) &&
      (open.pa < 0 ? pa < 0 : pa === open.pa + (offset - open.offset))
    ) {
      open.end += size;
      open.leaves++;
      return;
    }
    this.close();
    this.#open = { offset, end: offset + size, pa, sizeLog2, kind, leaves: 1 };
  }

  #kindOf(entry: TableEntry, { path, entrySizeLog2 }: TablePlace, offset: number): Kind {
    const { attributesLo, attributesHi } = entry;
    const beyond = entry.output >= 2 ** this.#tree.outputBits;
    const same =
      this.#lo === attributesLo &&
      this.#hi === attributesHi &&
      this.#path === path &&
      this.#sizeLog2 === entrySizeLog2 &&
      this.#beyond === beyond;
    if (same && this.#kind !== undefined) return this.#kind;
    const key = `${path}.${entrySizeLog2}.${attributesLo}.${attributesHi}.${entry.kind}.${beyond}`;
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      kind = this.#ask(offset);
      this.#kinds.set(key, kind);
    }
    this.#lo = attributesLo;
    this.#hi = attributesHi;
    this.#path = path;
    this.#sizeLog2 = entrySizeLog2;
    this.#beyond = beyond;
    this.#kind = kind;
    return kind;
  }

  /** Of entries that can't be read, those of one page are alike. */
  #abortOf({ index }: TableEntry, table: TablePlace, offset: number): Kind {
    const page = entryPage(table, index);
    const known = this.#abort;
    if (known?.table === table && known.page === page) return known.kind;
    const kind = this.#ask(offset);
    this.#abort = { table, page, kind };
    return kind;
  }

  #ask(offset: number): Kind {
    const result = probe(this.#translator, iaAt(this.#tree, offset), false);
    const { regime } = this.#translator;
    return { say: sayOf(result, regime), result, hole: isHole(result, regime) };
  }

  /** Ends the range that is open. */
  close(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#ranges.push({
      first: iaAt(this.#tree, open.offset),
      last: iaAt(this.#tree, open.end - 1),
      pa: open.pa < 0 ? undefined : BigInt(open.pa),
      leafSize: 1n << BigInt(open.sizeLog2),
      leaves: open.leaves,
      result: open.kind.result,
    });
  }
}
