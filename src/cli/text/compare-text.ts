/** A comparison as tables of at most 100 columns, one for each CPU page size, with what was refused, and advice below; and as JSON. */
import { gainText } from '../../study/advice.ts';
import { bestAdvice } from '../../study/best-advice.ts';
import type { CombinationResult, Compared, SemanticsResult } from '../../study/index.ts';
import { sizeOf } from '../../study/workload.ts';
import { columns, wrap } from '../../text/columns.ts';
import { count, counted, pageSizes, roughSize, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';

const LINE = 96;

export function comparisonLines(compared: readonly Compared[], style: Style): string[] {
  const [first] = compared;
  if (first === undefined) return [];
  const { name, question } = first.workload;
  return [
    style.title(name),
    ...wrap(question, LINE).map((line) => `  ${line}`),
    ...compared.flatMap((one) => tableLines(one, style)),
  ];
}

function tableLines({ workload, results }: Compared, style: Style): string[] {
  const { requests, entries, bytes } = sizeOf(workload);
  const heading =
    `CPU pages of ${sizeText(workload.cpuPageSize)}: ${counted(entries, 'entry', 'entries')} in ${counted(requests, 'request')}, ` +
    `${sizeText(bytes)}`;
  if (results.length === 0) return ['', style.title(heading), '  nothing measured'];
  return [
    '',
    style.title(heading),
    ...columns(
      [
        ['granule', 'sizes', 'stage', 'maps', 'leaves', 'tables', 'bytes', 'levels', 'miss'],
        ...results.flatMap((result, i) => rowsOf(result, results[i - 1], style)),
      ],
      { right: [5, 6], indent: '  ' },
    ),
    '',
    ...semanticsLines(results, style),
    ...chunkLoopLines(results),
    ...refusalLines(results, style),
  ];
}

/** Leaves out what equals the row above. Leaves of many kinds, with the cost of a miss for each, take more rows. */
function rowsOf(result: CombinationResult, above: CombinationResult | undefined, style: Style): string[][] {
  const { combination, counts, refusedRequests, maps, levels, stage2Levels, misses } = result;
  const isNew = above?.combination.granule !== combination.granule;
  const isOther = isNew || above?.combination.sizes !== combination.sizes;
  const leaves = inLines(
    counts.byLeaf.map(({ level, run, leaves: n }) => `${leafName(level, run)} ${count(n)}`),
  );
  const costs = inLines(misses.map(({ accesses }) => `${accesses}`));
  const first = [
    isNew ? sizeText(combination.granule) : '',
    isOther ? combination.sizes : '',
    combination.stage,
    maps ? style.good('yes') : style.bad(`no, ${count(refusedRequests)}`),
    leaves[0] ?? '-',
    counts.leaves > 0 ? count(counts.tables) : '-',
    counts.leaves > 0 ? roughSize(counts.tableBytes) : '-',
    stage2Levels === undefined ? `${levels}` : `${levels}+${stage2Levels}`,
    costs[0] ?? '-',
  ];
  const more = leaves.slice(1).map((text, i) => ['', '', '', '', text, '', '', '', costs[i + 1] ?? '']);
  return [first, ...more];
}

const KINDS_A_LINE = 2;

function inLines(texts: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < texts.length; i += KINDS_A_LINE) {
    lines.push(texts.slice(i, i + KINDS_A_LINE).join(', '));
  }
  return lines;
}

function leafName(level: number, run: number): string {
  return `L${level}${run > 1 ? `x${run}` : ''}`;
}

/** By granule: how the meanings of map_sg judge the lists, and what the DMA layer takes. */
function semanticsLines(results: readonly CombinationResult[], style: Style): string[] {
  const granules = new Map(results.map(({ combination, ofGranule }) => [combination.granule, ofGranule]));
  const [first] = granules.values();
  const heads = first!.semantics.map(({ semantics }) => semantics);
  return columns(
    [
      ['granule', ...heads, 'DMA layer', 'too much'],
      ...[...granules].map(([granule, { semantics, dma }]) => [
        sizeText(granule),
        ...semantics.map((one) => semanticsCell(one, style)),
        dma.refusedRequests > 0 ? style.bad(`no, ${count(dma.refusedRequests)}`) : roughSize(dma.iovaBytes),
        roughSize(dma.overMapped),
      ]),
    ],
    { indent: '  ' },
  );
}

function semanticsCell({ maps, refusedPieces, overMapped }: SemanticsResult, style: Style): string {
  if (!maps) return style.bad(`refuses ${count(refusedPieces)}`);
  return overMapped === 0n ? style.good('maps') : style.warn(`maps, ${roughSize(overMapped)} too much`);
}

/** What the loop that map_sg replaced takes: a range a chunk, a call an entry. It knows the CPU's pages only. */
function chunkLoopLines(results: readonly CombinationResult[]): string[] {
  const [one] = results;
  if (one === undefined) return [];
  const { lists, ranges, calls } = one.ofGranule.chunkLoop;
  const possible = results.every(({ ofGranule }) => ofGranule.chunkLoop.possible);
  const rows = columns(
    [
      ['lists', 'IOVA ranges', 'calls'],
      ['at once, by map_sg', count(lists), count(lists)],
      [
        `chunk by chunk, as before map_sg${possible ? '' : ' (not with granules above a CPU page)'}`,
        count(ranges),
        count(calls),
      ],
    ],
    { right: [1, 2], indent: '  ' },
  );
  return ['', ...rows];
}

/** Each reason once for a granule, however many combinations it stopped. */
function refusalLines(results: readonly CombinationResult[], style: Style): string[] {
  const reasons = new Map<string, string>();
  const add = (granule: number, what: string, request: number, message: string) => {
    const key = `${granule} ${what}`;
    if (!reasons.has(key)) reasons.set(key, `${sizeText(granule)}, ${what}: request ${request}: ${message}`);
  };
  for (const { combination, refusals, refusedRequests, ofGranule } of results) {
    const { granule } = combination;
    const [refusal] = refusals;
    const more = refusedRequests > 1 ? ` (the first of ${count(refusedRequests)})` : '';
    if (refusal) add(granule, `map_sg${more}`, refusal.request, refusal.message);
    for (const { semantics, first } of ofGranule.semantics) {
      // The refusals of `exact` are already in the list.
      if (first && semantics !== 'exact') add(granule, semantics, first.request, first.message);
    }
    const { first } = ofGranule.dma;
    if (first) add(granule, 'DMA layer', first.request, first.message);
  }
  if (reasons.size === 0) return [];
  return ['', style.title('  Refused'), ...[...reasons.values()].flatMap((text) => hanging(text, '  '))];
}

export function adviceLines(compared: readonly Compared[], style: Style): string[] {
  const best = bestAdvice(compared.flatMap(({ results }) => results));
  if (best.length === 0) return [];
  const pieces = best.flatMap(({ advice, result, others }) => {
    const text = `${whereText(result)}: ${advice.text}: ${style.good(gainText(result, advice.gain))}`;
    return hanging(others > 0 ? `${text} (${count(others)} more of this kind in --json)` : text, '');
  });
  return ['', style.title('Advice'), ...pieces];
}

function whereText({ combination }: CombinationResult): string {
  const { cpuPageSize, granule, sizes, stage } = combination;
  return `CPU ${sizeText(cpuPageSize)}, granule ${sizeText(granule)}, ${sizes}, ${stage}`;
}

function hanging(text: string, indent: string): string[] {
  return wrap(text, LINE - 2 - indent.length).map((line, i) => `${indent}${i === 0 ? '- ' : '  '}${line}`);
}

/** Everything, with types: sizes of memory are strings like addresses, counts are numbers. */
export function comparisonJson(compared: readonly Compared[]): object {
  const [first] = compared;
  return {
    workload: first?.workload.name,
    question: first?.workload.question,
    lists: compared.map(({ workload, results }) => ({
      cpu_page_size: BigInt(workload.cpuPageSize),
      ...sizeOf(workload),
      combinations: results.map(resultJson),
    })),
  };
}

function resultJson(result: CombinationResult): object {
  const { combination, pgsizeBitmap, levels, stage2Levels, maps, refusedRequests, refusals } = result;
  const { counts, stage2, misses, ofGranule, advice } = result;
  const { semantics, dma, chunkLoop } = ofGranule;
  return {
    cpu_page_size: BigInt(combination.cpuPageSize),
    granule: BigInt(combination.granule),
    sizes: combination.sizes,
    page_sizes: pageSizes(pgsizeBitmap).split(' '),
    pgsize_bitmap: pgsizeBitmap,
    stage: combination.stage,
    levels,
    ...(stage2Levels !== undefined && { stage2_levels: stage2Levels }),
    maps,
    refused_requests: refusedRequests,
    refusals,
    counts: countsJson(counts),
    ...(stage2 && { stage2: countsJson(stage2) }),
    misses,
    semantics: semantics.map((one) => ({
      semantics: one.semantics,
      maps: one.maps,
      refused_requests: one.refusedRequests,
      refused_pieces: one.refusedPieces,
      ...(one.first && { first: one.first }),
      over_mapped: one.overMapped,
    })),
    dma: {
      refused_requests: dma.refusedRequests,
      ...(dma.first && { first: dma.first }),
      iova_bytes: dma.iovaBytes,
      over_mapped: dma.overMapped,
      padding: dma.padding,
    },
    chunk_loop: {
      possible: chunkLoop.possible,
      lists: chunkLoop.lists,
      ranges: chunkLoop.ranges,
      calls: chunkLoop.calls,
      over_mapped: chunkLoop.overMapped,
    },
    advice: advice.map(({ kind, text, gain }) => ({
      kind,
      text,
      gain: {
        refused_requests: gain.refusedRequests,
        descriptors: gain.descriptors,
        leaves: gain.leaves,
        tables: gain.tables,
        table_bytes: gain.tableBytes,
      },
    })),
  };
}

function countsJson({
  descriptors,
  leaves,
  tables,
  tableBytes,
  byLeaf,
  byLevel,
}: CombinationResult['counts']) {
  return { descriptors, leaves, tables, table_bytes: tableBytes, by_leaf: byLeaf, by_level: byLevel };
}
