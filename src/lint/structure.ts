/** The rules about tables and entries: types, reserved bits, addresses, runs, sharing. Each table is checked once. (DDI 0487 D8.3, D8.7.1.) */
import { entryCountOf, iaAt, type TablePlace, visitTree } from '../machine/visit.ts';
import { reservedType } from '../text/fault.ts';
import { hex } from '../text/numbers.ts';
import { riscvReserved } from '../text/riscv.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../walker/index.ts';
import { word64 } from '../walker/word.ts';
import { checkRuns, runStart } from './contiguous-runs.ts';
import type { Findings } from './findings.ts';
import type { Reader } from './layout.ts';
import type { MetTable } from './met-table.ts';
import { permissionProblems } from './permissions.ts';
import { bitProblems } from './reserved.ts';
import type { RuleName } from './rules.ts';

/** Checks the tables of a tree. @returns the tables by level and address. */
export function checkStructure(tree: TableTree, by: Reader, findings: Findings): Map<string, MetTable> {
  const met = new Map<string, MetTable>();
  const { stage } = tree.root;
  const runs = new Map<MetTable, Set<number>>();

  const report = (
    rule: RuleName,
    message: string,
    entry: TableEntry,
    place: TablePlace,
    offset: number,
  ): void => {
    const first = iaAt(tree, Math.max(offset, 0));
    const last = first + (1n << BigInt(place.entrySizeLog2)) - 1n;
    const at = BigInt(place.base + entry.index * tree.reader.entryBytes);
    const descriptor = word64(entry.lo, entry.hi);
    findings.add({ rule, message, first, last, descriptor, at, stage, level: entry.level });
  };

  visitTree(tree, {
    enter(place) {
      const key = keyOf(place);
      const known = met.get(key);
      if (known !== undefined) {
        if (place.parent) known.parents.add(parentAddress(place));
        if (isWithinItself(place)) reportTable('cycle', place, 'leads to itself', findings);
        return false;
      }
      const table: MetTable = {
        tree,
        level: place.level,
        base: place.base,
        space: place.space,
        bytes: entryCountOf(place) * tree.reader.entryBytes,
        parents: new Set(place.parent ? [parentAddress(place)] : []),
        offset: place.offset,
        valid: 0,
      };
      met.set(key, table);
      if (isWithinItself(place)) {
        reportTable('cycle', place, 'leads to itself', findings);
        return false;
      }
      return true;
    },
    leaf(entry, place, offset) {
      const table = met.get(keyOf(place))!;
      table.valid++;
      if (entry.output >= 2 ** tree.outputBits) {
        const message = `output address ${hex(entry.output)} has more than ${tree.outputBits} bits`;
        report('output-size', message, entry, place, offset);
      }
      checkBits(entry, place, offset);
      for (const { rule, message } of permissionProblems(entry, tree, by)) {
        report(rule, message, entry, place, offset);
      }
      if (tree.reader.isContiguous(entry)) {
        const starts = runs.get(table) ?? new Set();
        starts.add(runStart(table, entry.index));
        runs.set(table, starts);
      }
    },
    table(entry, place, offset) {
      met.get(keyOf(place))!.valid++;
      checkBits(entry, place, offset);
    },
    other(entry, place, offset) {
      const table = met.get(keyOf(place))!;
      if (entry.kind === ENTRY_KINDS.table) {
        table.valid++;
        const message = `table address ${hex(entry.output)} has more than ${tree.outputBits} bits`;
        report('output-size', message, entry, place, offset);
      } else if (entry.kind === ENTRY_KINDS.abort) {
        report('outside-ram', 'there is no RAM where the entry should be', entry, place, offset);
      } else if (tree.reader.hasValidBit(entry)) {
        report(
          'illegal-block',
          `${reservedText(tree, word64(entry.lo, entry.hi))} at level ${entry.level}`,
          entry,
          place,
          offset,
        );
      }
    },
  });

  function checkBits(entry: TableEntry, place: TablePlace, offset: number): void {
    for (const { rule, message } of bitProblems(entry, tree, by)) report(rule, message, entry, place, offset);
  }

  for (const [table, starts] of runs) checkRuns(table, starts, findings);
  return met;
}

/** The same address may be of two tables: a Secure IPA, and a Non-secure one. */
/** What is wrong with an entry that says that it is valid. */
function reservedText({ reader }: TableTree, word: bigint): string {
  return reader.format === 'riscv' ? `V = 1, but reserved: ${riscvReserved(word)},` : reservedType(word);
}

function keyOf({ level, base, space }: TablePlace): string {
  return `${level}@${base} ${space}`;
}

function parentAddress({ parent, offset }: TablePlace): number {
  if (parent === undefined) return -1;
  const index = (offset - parent.offset) / 2 ** parent.entrySizeLog2;
  return parent.base + index * parent.tree.reader.entryBytes;
}

/** Whether one of the tables above has the same address. */
function isWithinItself({ base, parent }: TablePlace): boolean {
  for (let above = parent; above !== undefined; above = above.parent) if (above.base === base) return true;
  return false;
}

function reportTable(rule: RuleName, place: TablePlace, message: string, findings: Findings): void {
  const { tree, base, level, offset, entrySizeLog2 } = place;
  const first = iaAt(tree, Math.max(offset, 0));
  const size = BigInt(tree.reader.entryCount(level)) << BigInt(entrySizeLog2);
  findings.add({
    rule,
    message: `the level ${level} table at ${hex(base)} ${message}`,
    first,
    last: first + size - 1n,
    at: BigInt(parentAddress(place)),
    stage: tree.root.stage,
    level,
  });
}

/** Rules about whole tables, once all trees have been visited. */
export function checkTables(tables: readonly MetTable[], findings: Findings): void {
  const byBase = new Map<string, MetTable>();
  for (const table of tables) {
    const { level, base, valid, offset, parents, tree } = table;
    const { stage } = tree.root;
    const where = { first: iaAt(tree, Math.max(offset, 0)), last: undefined, stage, level };
    const name = `the level ${level} table at ${hex(base)}`;
    if (valid === 0) findings.add({ rule: 'empty-table', message: `${name} has no valid entry`, ...where });
    if (parents.size > 1) {
      findings.add({
        rule: 'shared-table',
        message: `${name} is reached from ${parents.size} entries`,
        ...where,
      });
    }
    const key = `${stage}@${base}`;
    const other = byBase.get(key);
    if (other !== undefined && other.level !== level) {
      findings.add({
        rule: 'level-mix',
        message: `the table at ${hex(base)} is used at levels ${other.level} and ${level}`,
        ...where,
      });
    }
    byBase.set(key, table);
  }
}
