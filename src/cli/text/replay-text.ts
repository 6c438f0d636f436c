/** The results of a replay: totals side by side, problems, and one request in full. */
import { countTree } from '../../index.ts';
import { treeOfTables } from '../../space/tree.ts';
import { columns } from '../../text/columns.ts';
import { count, counted, hex, pageSizes, roughSize, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { protText } from '../input/request.ts';
import { DMA_PROT, makeDomain, type Problem, type ReplayResult } from '../run/replay.ts';
import { treeLines } from './tree-text.ts';
import { walkLines } from './walk-text.ts';

/** The most files side by side in one table. */
const ABREAST = 3;
const SHOWN_PROBLEMS = 10;
const SHOWN_ROWS = 40;

export function totalsLines(results: readonly ReplayResult[], style: Style): string[] {
  const lines: string[] = [];
  for (let i = 0; i < results.length; i += ABREAST) {
    if (i > 0) lines.push('');
    lines.push(...totalsTable(results.slice(i, i + ABREAST), style));
  }
  return lines;
}

function totalsTable(results: readonly ReplayResult[], style: Style): string[] {
  const row = (name: string, cell: (result: ReplayResult) => string) => [name, ...results.map(cell)];
  const levels = [...new Set(results.flatMap(({ leaves }) => [...leaves.keys()]))].sort((a, b) => a - b);
  const rows = [
    row('', ({ file }) => style.title(file.name)),
    row('CPU pages', ({ file }) => sizeText(file.cpuPageSize)),
    row('IOMMU pages', ({ file }) => pageSizes(file.iommuPageSizes)),
    row('requests', ({ requests }) => count(requests.length)),
    row('scatterlist entries', ({ entries }) => count(entries)),
    row('runs of adjacent memory', ({ runs }) => count(runs)),
    row('mapped', ({ bytes }) => roughSize(bytes)),
    ...levels.map((level) =>
      row(`level ${level} ${level === 3 ? 'pages' : 'blocks'}`, (r) => leavesAt(r, level)),
    ),
    row('tables made', ({ tables }) => count(tables)),
    row(
      style.faint('time in mapSg'),
      ({ time, requests }) => `${milliseconds(time.mapSg)}${each(time.mapSg, requests.length)}`,
    ),
    row(style.faint('  walking what it mapped'), ({ time }) => milliseconds(time.verify)),
    row(style.faint('  unmapSg'), ({ time }) => milliseconds(time.unmapSg)),
    row(style.faint('  walking what is gone'), ({ time }) => milliseconds(time.verifyGone)),
  ];
  const right = results.map((_, i) => i + 1);
  return columns(rows, { right, indent: '  ', gap: '    ' });
}

function leavesAt({ leaves, leafSizes }: ReplayResult, level: number): string {
  const n = leaves.get(level) ?? 0;
  return n === 0 ? '-' : `${count(n)} of ${sizeText(leafSizes.get(level) ?? 0n)}`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

/** Each request starts with an empty domain, so most of its time goes into making tables. */
function each(ms: number, requests: number): string {
  return requests === 0 ? '' : ` (${((ms * 1000) / requests).toFixed(1)} µs a request)`;
}

/** One line if all is well, or the problems. */
export function verdictLines(results: readonly ReplayResult[], style: Style): string[] {
  const problems = results.flatMap(({ file, problems: found }) =>
    found.map((problem) => ({ file, problem })),
  );
  if (problems.length > 0) {
    const shown = problems
      .slice(0, SHOWN_PROBLEMS)
      .map(({ file, problem }) => `  ${problemText(file.name, problem)}`);
    const rest = problems.length - shown.length;
    return [
      style.bad(`  ${counted(problems.length, 'problem')}:`),
      ...shown,
      ...(rest > 0 ? [`  … and ${count(rest)} more`] : []),
    ];
  }
  const bytes = results.reduce((sum, result) => sum + result.bytes, 0n);
  return [
    style.good(
      `  ✓ ${count(Number(bytes))} bytes verified: each leads where its scatterlist says, readable and writable;`,
    ),
    style.good('    the byte before and the byte after each request fault; after unmapSg everything faults.'),
  ];
}

export function problemText(file: string, { request, text }: Problem): string {
  return `${file}, requests[${request}]: ${text}`;
}

/** One request: its scatterlist, the tables that it makes, their cost, and the walk of one address. */
export function exampleLines({ file }: ReplayResult, number: number, style: Style): string[] {
  const { iova, sg } = file.requests[number]!;
  const { domain, walker } = makeDomain(file);
  domain.mapSg(iova, sg, DMA_PROT);
  const runs = sg.runs();
  const tables = domain.tables();
  const { tables: n, tableBytes, leaves } = countTree(tables);
  let at = iova;
  const entries = [...sg].map(({ page, offset, length }) => {
    const row = [hex(at), `-> ${hex(page + BigInt(offset))}`, sizeText(length)];
    at += BigInt(length);
    return row;
  });
  const tree = treeOfTables(tables, domain.format.stage, domain.format.firstIova);
  const title = `One request in full: requests[${number}] of ${file.name}`;
  return [
    style.title(title),
    `mapSg(${hex(iova)}, ${counted(sg.count, 'entry', 'entries')} in ${counted(runs.length, 'run')}, ${protText(DMA_PROT)}) = ${hex(sg.byteLength)} (${sizeText(sg.byteLength)})`,
    '',
    ...columns(entries, { right: [2], indent: '  ' }),
    '',
    ...treeLines(tree, { style, walker, maxRows: SHOWN_ROWS }),
    style.faint(
      `  ${counted(leaves, 'leaf', 'leaves')}, ${counted(n, 'table')} of ${roughSize(tableBytes)} in all`,
    ),
    '',
    ...walkLines(
      walker.walk(middleOf(iova, sg.byteLength), { access: 'write' }),
      { access: 'write' },
      walker,
      style,
    ),
  ];
}

/** An address in the middle, not at the start of any entry or page. */
function middleOf(iova: bigint, bytes: bigint): bigint {
  return iova + bytes / 2n + 0x234n;
}
