/**
 * The ranges that two stages map together. Each leaf of stage 1 is cut where stage 2 changes. The walker is asked once for each
 * distinct pair of leaf kinds. (DDI 0487 D8.1.2: stage 2 translates the output of stage 1.)
 */
import type { PaSpace } from '../arch/security.ts';
import type { Answer, Translator } from '../machine/machine.ts';
import { entryPage, iaAt, type TablePlace, visitTree } from '../machine/visit.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../walker/index.ts';
import type { AddressRange } from './address-range.ts';
import { probe } from './probe.ts';
import { type MappedRange, RangeCollector } from './ranges.ts';
import type { TableRanges } from './table-ranges.ts';

/** IPAs that stage 2 treats alike, `[start, end)`: leaves of one size that follow each other, or entries that are not valid. */
interface Span {
  readonly start: number;
  end: number;
  readonly sizeLog2: number;
  /** The entry and those above it, without addresses. */
  readonly key: string;
  /** PA of the first byte, or -1 if there is none. */
  readonly pa: number;
}

/** The trees of stage 1, and of stage 2 (in Secure state one for each IPA space), where both stages translate. */
export function nestedTrees(translator: Translator): NestedTrees | undefined {
  const trees = translator.trees();
  const first = trees.filter(({ root }) => root.stage === 1);
  const second = trees.filter(({ root }) => root.stage === 2);
  // Of a short descriptor's page the level above says which IPA space it is in, and tables do not carry that.
  const twoSpaces = second.some(({ root }) => root.ipas !== undefined);
  if (twoSpaces && first.some(({ reader }) => reader.format === 'short')) return undefined;
  return first.length === 0 || second.length === 0 ? undefined : { first, second };
}

export interface NestedTrees {
  readonly first: readonly TableTree[];
  readonly second: readonly TableTree[];
}

export function nestedRanges(
  translator: Translator,
  { first, second }: NestedTrees,
  within: AddressRange | undefined,
  maxRanges: number,
): TableRanges {
  const stage2 = second.map((tree) => ({ ipas: tree.root.ipas, ...spansOf(tree) }));
  let complete = stage2.every((spans) => spans.complete);
  const spansIn: SpansIn = (space) =>
    stage2.find(({ ipas }) => ipas === undefined || ipas === space)?.list ?? [];
  const ranges: MappedRange[] = [];
  for (const tree of first) {
    const collector = new RangeCollector(translator.regime);
    const cutter = new LeafCutter(translator, tree, spansIn, collector);
    const done = visitTree(
      tree,
      {
        enter: () => ranges.length + collector.ranges.length < maxRanges,
        leaf: (entry, table, offset) => cutter.leaf(entry, table, offset),
        other: (entry, table, offset) => cutter.other(entry, table, offset),
      },
      within === undefined ? {} : { within },
    );
    ranges.push(...collector.ranges);
    complete &&= done && ranges.length < maxRanges;
  }
  return { ranges, complete };
}

/** What stage 2 maps of an IPA space. */
type SpansIn = (space: PaSpace) => readonly Span[];

/** Everything in one tree of stage 2, by IPA. */
function spansOf(tree: TableTree): { readonly list: Span[]; readonly complete: boolean } {
  const list: Span[] = [];
  const origin = Number(iaAt(tree, 0));
  const add = (entry: TableEntry, table: TablePlace, offset: number): void => {
    const isLeaf = entry.kind === ENTRY_KINDS.leaf;
    const size = 2 ** table.entrySizeLog2;
    const pa = isLeaf ? entry.output : -1;
    const beyond = isLeaf && entry.output >= 2 ** tree.outputBits;
    const says = isLeaf ? `${table.path}.${entry.attributesLo}.${entry.attributesHi}.${beyond}` : entry.kind;
    const key = `${table.entrySizeLog2}.${says}`;
    const start = origin + offset;
    const open = list.at(-1);
    if (
      open !== undefined &&
      open.end === start &&
      open.key === key &&
      pa === (pa < 0 ? open.pa : open.pa + (start - open.start))
    ) {
      open.end += size;
    } else list.push({ start, end: start + size, sizeLog2: table.entrySizeLog2, key, pa });
  };
  const complete = visitTree(tree, { leaf: add, other: add });
  return { list, complete };
}

class LeafCutter {
  readonly #translator: Translator;
  readonly #tree: TableTree;
  readonly #spansIn: SpansIn;
  readonly #collector: RangeCollector;
  readonly #answers = new Map<string, Answer>();
  /** By kind of stage 1 leaf: its fault at stage 1, if it faults whatever stage 2 holds. */
  readonly #ownFaults = new Map<string, Answer | undefined>();

  constructor(translator: Translator, tree: TableTree, spansIn: SpansIn, collector: RangeCollector) {
    this.#translator = translator;
    this.#tree = tree;
    this.#spansIn = spansIn;
    this.#collector = collector;
  }

  other(entry: TableEntry, table: TablePlace, offset: number): void {
    const { kind, index, attributesLo, attributesHi } = entry;
    if (kind === ENTRY_KINDS.invalid) return;
    const says =
      kind === ENTRY_KINDS.abort
        ? `page ${entryPage(table, index)}`
        : `table ${attributesLo}.${attributesHi}`;
    const answer = this.#answer(`${table.path}.${table.entrySizeLog2}.${says}`, offset);
    this.#add(offset, 2 ** table.entrySizeLog2, answer, undefined);
  }

  leaf(entry: TableEntry, table: TablePlace, offset: number): void {
    const beyond = entry.output >= 2 ** this.#tree.outputBits;
    const key = `${table.path}.${table.entrySizeLog2}.${entry.attributesLo}.${entry.attributesHi}.${beyond}`;
    const size = 2 ** table.entrySizeLog2;
    if (!this.#ownFaults.has(key)) this.#ownFaults.set(key, this.#ownFault(offset));
    // A leaf that faults at stage 1 still leads to a PA if stage 2 translates its output.
    const own = this.#ownFaults.get(key);
    // An entry in a run of short descriptors maps a part of its run.
    const ipa = entry.output + (entry.sizeLog2 > table.entrySizeLog2 ? offset % 2 ** entry.sizeLog2 : 0);
    const spans = this.#spansIn(this.#tree.spaces.output(entry, table.space));
    for (let at = 0; at < size; ) {
      const span = spanAt(spans, ipa + at);
      const left = size - at;
      const piece =
        span === undefined ? left : Math.min(left, 2 ** span.sizeLog2 - ((ipa + at) % 2 ** span.sizeLog2));
      const answer = own ?? this.#answer(`${key}/${span?.key}`, offset + at);
      const pa = span === undefined || span.pa < 0 ? undefined : span.pa + (ipa + at - span.start);
      this.#add(offset + at, piece, answer, pa === undefined ? undefined : BigInt(pa));
      at += piece;
    }
  }

  #add(offset: number, size: number, result: Answer, pa: bigint | undefined): void {
    const ia = iaAt(this.#tree, offset);
    this.#collector.addKnown({ ia, size: BigInt(size), result }, pa);
  }

  #ownFault(offset: number): Answer | undefined {
    const answer = this.#ask(offset);
    if (answer.ok || !('stage' in answer.fault)) return undefined;
    return answer.fault.stage === 1 ? answer : undefined;
  }

  #answer(key: string, offset: number): Answer {
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      answer = this.#ask(offset);
      this.#answers.set(key, answer);
    }
    return answer;
  }

  #ask(offset: number): Answer {
    return probe(this.#translator, iaAt(this.#tree, offset), true);
  }
}

function spanAt(spans: readonly Span[], ipa: number): Span | undefined {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (spans[middle]!.start <= ipa) low = middle + 1;
    else high = middle;
  }
  const span = spans[low - 1];
  return span !== undefined && ipa < span.end ? span : undefined;
}
