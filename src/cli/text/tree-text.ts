/** Tables as a tree of lines, with equal neighbours folded into one: `[3-5]`, `[9-511] invalid ×503`. */

import type { DescriptorKind } from '../../arch/regime-table.ts';
import { isNested, traitsOf } from '../../arch/regimes.ts';
import type { Translator } from '../../machine/machine.ts';
import { probe } from '../../space/probe.ts';
import type { TableEntry, TableNode, TableTree } from '../../space/tree.ts';
import { columns } from '../../text/columns.ts';
import { faultText } from '../../text/fault.ts';
import { leafCode } from '../../text/leaf.ts';
import { counted, hex, hexWord, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { tableLimits } from '../../text/table-limits.ts';
import { descriptorBits } from '../../text/words.ts';

export interface TreeOptions {
  readonly style: Style;
  /** Says what leaves allow. */
  readonly walker: Translator;
  /** Rows of one table before the rest is only counted. */
  readonly maxRows: number;
}

/** Rows of one table that are shown without `--full`. */
export const SHORT_TABLE = 24;

/** Formats in which a larger leaf is one word, repeated in several entries. */
const REPEATING: readonly DescriptorKind[] = ['short', 'mtk', 'riscv'];

interface Run {
  readonly first: TableEntry;
  last: TableEntry;
  /** Bytes that each of its entries maps, known once there are two. */
  step: bigint;
  readonly text: string;
}

export function treeLines(tree: TableTree, options: TreeOptions): string[] {
  const rows: string[][] = [];
  const shown = new Set<TableNode>();
  for (const root of tree.roots) {
    const label = `${tree.roots.length > 1 ? `stage ${root.stage} ` : ''}level ${root.level} table`;
    rows.push([`${options.style.title(label)} @${hex(root.pa)}`]);
    tableRows(tree, root, '  ', options, rows, shown);
  }
  // The first column is the tree. The columns beside it are aligned.
  const parts = rows.map(([left, ...rest]) => [left!, ...rest]);
  return columns(parts, { gap: '  ' });
}

/** @param shown - tables that already have rows: each table is shown once, however many entries lead to it. */
function tableRows(
  tree: TableTree,
  node: TableNode,
  indent: string,
  options: TreeOptions,
  rows: string[][],
  shown: Set<TableNode>,
) {
  shown.add(node);
  const { style, maxRows } = options;
  const runs = foldRuns(node, options);
  const kept = runs.length > maxRows ? runs.slice(0, maxRows - 1) : runs;
  let next = 0;
  for (const run of kept) {
    if (run.first.index > next) rows.push(gapRow(indent, next, run.first.index - 1, node, style));
    const missing = missingText(childOf(tree, node, run.first), shown);
    rows.push(...runRows(node, run, indent, missing, options));
    next = run.last.index + 1;
    const child = childOf(tree, node, run.first);
    if (child && !shown.has(child)) tableRows(tree, child, `${indent}  `, options, rows, shown);
  }
  if (kept.length < runs.length) {
    rows.push([
      style.faint(
        `${indent}… ${counted(runs.length - kept.length, 'more row')} of this table (--full shows them)`,
      ),
    ]);
    return;
  }
  if (next < node.entryCount) rows.push(gapRow(indent, next, node.entryCount - 1, node, style));
}

/** Folds consecutive entries of the same kind and rights with contiguous addresses. Tables stay separate, since each has its own rows. */
function foldRuns(node: TableNode, { walker, maxRows }: TreeOptions): Run[] {
  const runs: Run[] = [];
  for (const entry of node.entries) {
    const text = textOf(entry, node, walker);
    const run = runs.at(-1);
    // With every row asked for, each word in memory is shown.
    const each = maxRows === Number.POSITIVE_INFINITY && entry.kind !== 'invalid';
    if (run && !each && continues(run, entry, text)) {
      run.step = entry.output - run.last.output;
      run.last = entry;
    } else runs.push({ first: entry, last: entry, step: 0n, text });
  }
  return runs;
}

function continues({ first, last, step, text }: Run, entry: TableEntry, entryText: string): boolean {
  if (entry.kind !== first.kind || entry.kind === 'table' || entry.index !== last.index + 1) return false;
  if (text !== entryText) return false;
  if (entry.kind === 'invalid') return entry.descriptor === last.descriptor;
  if (entry.attributes !== last.attributes) return false;
  const distance = entry.output - last.output;
  return entry.ia - last.ia === distance && (step === 0n || distance === step);
}

function textOf(entry: TableEntry, node: TableNode, walker: Translator): string {
  switch (entry.kind) {
    case 'table':
    case 'external_abort':
      return '';
    case 'invalid':
      return entry.descriptor === 0n ? 'invalid' : 'not zero, but not valid';
    default: {
      // Under stage 1, the walker can't be asked about a stage-2 leaf by its own input address.
      if (node.stage === 2 && isNested(walker.regime)) return '';
      const result = probe(walker, entry.ia, false);
      if (result.ok) {
        // Where several entries make one leaf, the size is part of the text, so that leaves of different sizes stay separate.
        const size = REPEATING.includes(traitsOf(walker.regime).descriptors)
          ? `  ${sizeText(result.size)}`
          : '';
        return `${leafCode(result, walker.regime)}${size}`;
      }
      const { fault } = result;
      if (!('level' in fault) || traitsOf(walker.regime).architecture === 'RISC-V') {
        return faultText(fault, walker.regime);
      }
      const where = fault.stage === node.stage ? '' : ` at stage ${fault.stage}`;
      return `${fault.kind.replace('_', ' ')} fault${where}`;
    }
  }
}

function childOf(tree: TableTree, { stage, level }: TableNode, entry: TableEntry): TableNode | undefined {
  return entry.kind === 'table' ? tree.nodeAt(stage, level + 1, entry.output) : undefined;
}

/** Why a table has no rows below its descriptor. */
function missingText(child: TableNode | undefined, shown: ReadonlySet<TableNode>): string {
  if (child === undefined) return '(not visited)';
  return shown.has(child) ? '(shown above)' : '';
}

function runRows(
  node: TableNode,
  run: Run,
  indent: string,
  missing: string,
  { style, walker }: TreeOptions,
): string[][] {
  const { first, last, text } = run;
  const n = last.index - first.index + 1;
  const label = indent + indexText(first.index, last.index);
  const times = n > 1 ? ` ×${n}` : '';
  const word = hexWord(first.descriptor, descriptorBits(walker, node.stage));
  switch (first.kind) {
    case 'table': {
      const link = `${style.table('table')} -> L${node.level + 1} @${hex(first.output)}`;
      const limits = tableLimits(
        first.descriptor,
        { stage: node.stage, level: node.level, ia: first.ia },
        walker,
      );
      const notes = [limits && style.warn(limits), style.faint(missing)].filter(Boolean).join('  ');
      return [[label, word, link, notes]];
    }
    case 'invalid':
      return [[style.faint(label), style.faint(word), style.faint(`${text}${times}`)]];
    case 'external_abort':
      return [[label, '', style.bad('outside RAM')]];
    default: {
      const size = n > 1 ? `${sizeText(run.step * BigInt(n))}` : '';
      const words = `${style.leaf(first.kind)} -> ${hex(first.output)}${size ? ` +${size}` : ''}${times}`;
      return [[label, word, words, text]];
    }
  }
}

function gapRow(indent: string, from: number, to: number, { complete }: TableNode, style: Style): string[] {
  const n = to - from + 1;
  const text = complete ? 'invalid' : 'not looked at';
  return [style.faint(`${indent}${indexText(from, to)}`), style.faint(`${text}${n > 1 ? ` ×${n}` : ''}`)];
}

function indexText(from: number, to: number): string {
  return from === to ? `[${from}]` : `[${from}-${to}]`;
}
