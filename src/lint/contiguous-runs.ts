/** Checks the contiguous runs in a table: all entries must be marked, aligned, adjacent and alike. (DDI 0487 D8.7.1, D8.7.1.1, D8.7.1.3.) */
import { contiguousEntries } from '../arch/descriptors/index.ts';
import { iaAt } from '../machine/visit.ts';
import { judgeRun, type RunEntry } from '../walker/contiguous.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../walker/index.ts';
import { word64 } from '../walker/word.ts';
import type { Findings } from './findings.ts';
import type { MetTable } from './met-table.ts';

/** The first index of the run that contains an entry. */
export function runStart({ tree, level }: MetTable, index: number): number {
  return index - (index % contiguousEntries(tree.reader.granuleLog2, level));
}

/** @param starts - the first index of each run in which some leaf has its Contiguous bit set. */
export function checkRuns(table: MetTable, starts: Iterable<number>, findings: Findings): void {
  for (const start of starts) checkRun(table, start, findings);
}

function checkRun(table: MetTable, start: number, findings: Findings): void {
  const { tree, level, bytes } = table;
  const length = contiguousEntries(tree.reader.granuleLog2, level);
  const count = bytes / tree.reader.entryBytes;
  const entries = readRun(table, start, Math.min(length, count - start));
  const like = entries.findIndex((entry) => entry?.contiguous);
  const marked = entries[like];
  if (marked === undefined) return;
  const message =
    start + length > count
      ? `a run of ${length} entries in a table of ${count} is larger than the input addresses`
      : problemOf(entries, like, start, tree.reader.entrySizeLog2(level), tree);
  if (message !== undefined) report(table, start, like, marked, length, message, findings);
}

interface ReadEntry extends RunEntry {
  readonly contiguous: boolean;
}

/** Invalid entries are undefined. */
function readRun(
  { tree, level, base, space }: MetTable,
  start: number,
  count: number,
): (ReadEntry | undefined)[] {
  const found: (ReadEntry | undefined)[] = [];
  const add = (entry: TableEntry): void => {
    const { kind, lo, hi, output } = entry;
    const valid = kind === ENTRY_KINDS.leaf || kind === ENTRY_KINDS.table;
    const leaf = kind === ENTRY_KINDS.leaf;
    found.push(valid ? { lo, hi, output, leaf, contiguous: tree.reader.isContiguous(entry) } : undefined);
  };
  tree.scan(level, base, start, count, add, space);
  return found;
}

function problemOf(
  entries: readonly (ReadEntry | undefined)[],
  like: number,
  start: number,
  sizeLog2: number,
  { root: { stage }, place }: Pick<TableTree, 'root' | 'place'>,
): string | undefined {
  const problems = judgeRun(entries, like, sizeLog2, stage, place);
  const [first] = problems;
  if (first === undefined) return undefined;
  const unmarked = problems.filter(({ reason }) => reason === 'not_contiguous').length;
  if (unmarked > 0) {
    const valid = entries.filter((entry) => entry !== undefined).length;
    const all = valid === entries.length ? `${valid} entries` : `${valid} valid entries`;
    return `only ${valid - unmarked} of the ${all} from index ${start} on are marked contiguous`;
  }
  if (problems.some(({ entry }) => entry === like)) {
    return `the output of the run from index ${start} on is not aligned to its ${entries.length} entries`;
  }
  const index = start + first.entry;
  return first.reason === 'output'
    ? `the output of entry ${index} does not follow its neighbour's`
    : `the attributes of entry ${index} differ from those of entry ${start + like}`;
}

function report(
  { tree, level, base, offset }: MetTable,
  start: number,
  like: number,
  { lo, hi }: RunEntry,
  length: number,
  message: string,
  findings: Findings,
): void {
  const size = 2 ** tree.reader.entrySizeLog2(level);
  const first = iaAt(tree, offset + start * size);
  findings.add({
    rule: 'contiguous-run',
    message,
    first,
    last: first + BigInt(size * length) - 1n,
    descriptor: word64(lo, hi),
    at: BigInt(base + (start + like) * tree.reader.entryBytes),
    stage: tree.root.stage,
    level,
  });
}
