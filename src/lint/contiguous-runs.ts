/** Contiguous runs as they stand in a table: complete, aligned, adjacent and alike. (DDI 0487 D8.7.1, table D8-104.) */
import { iaAt } from '../machine/visit.ts';
import { runEntries } from '../walker/contiguous.ts';
import type { TableEntry } from '../walker/index.ts';
import type { Findings } from './findings.ts';
import type { MetTable } from './met-table.ts';

/** AF may differ, since hardware sets it in one entry alone; so may AP[2] where DBM says it is the dirty state. */
const NOT_COMPARED_LO = 1 << 10;
const AP2 = 1 << 7;
const DBM_HI = 1 << 19;

/** @param leaves - those of the table that have their Contiguous bit set, in order. */
export function checkRuns(table: MetTable, leaves: readonly TableEntry[], findings: Findings): void {
  const groups = new Map<number, TableEntry[]>();
  for (const leaf of leaves) {
    const length = runEntries(leaf.sizeLog2);
    if (length === 1) continue;
    const start = Math.floor(leaf.index / length) * length;
    const group = groups.get(start);
    if (group) group.push(leaf);
    else groups.set(start, [leaf]);
  }
  for (const [start, group] of groups) {
    const message = problemOf(group, start);
    if (message !== undefined) report(table, group[0]!, start, message, findings);
  }
}

function problemOf(group: readonly TableEntry[], start: number): string | undefined {
  const [first] = group;
  if (first === undefined) return undefined;
  const length = runEntries(first.sizeLog2);
  if (group.length < length) {
    return `only ${group.length} of the ${length} entries from index ${start} on are valid and marked contiguous`;
  }
  const size = 2 ** first.sizeLog2;
  if (first.output % (size * length) !== 0) {
    return `the output of the run from index ${start} on is not aligned to its ${length} entries`;
  }
  for (const [i, leaf] of group.entries()) {
    if (leaf.output !== first.output + i * size)
      return `the output of entry ${leaf.index} does not follow its neighbour's`;
    const same = leaf.attributesHi === first.attributesHi && keyOf(leaf) === keyOf(first);
    if (!same) return `the attributes of entry ${leaf.index} differ from those of entry ${start}`;
  }
  return undefined;
}

function keyOf({ attributesLo, hi }: TableEntry): number {
  return attributesLo & ~(NOT_COMPARED_LO | (hi & DBM_HI ? AP2 : 0));
}

function report(table: MetTable, leaf: TableEntry, start: number, message: string, findings: Findings): void {
  const { tree, level, base, offset } = table;
  const size = 1n << BigInt(leaf.sizeLog2);
  const first = iaAt(tree, offset + start * 2 ** leaf.sizeLog2);
  findings.add({
    rule: 'contiguous-run',
    message,
    first,
    last: first + size * BigInt(runEntries(leaf.sizeLog2)) - 1n,
    descriptor: (BigInt(leaf.hi) << 32n) | BigInt(leaf.lo),
    at: BigInt(base + leaf.index * tree.reader.entryBytes),
    stage: tree.root.stage,
    level,
  });
}
