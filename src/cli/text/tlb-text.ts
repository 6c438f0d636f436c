/** The results of a TLB study: a table of at most 100 columns for each set of tables, and JSON. */
import { stageText } from '../../study/combination-words.ts';
import type { TlbCombination, TlbMeasured, TlbResult } from '../../study/tlb/study.ts';
import type { TablesChoice } from '../../study/tlb/tables.ts';
import { columns, wrap } from '../../text/columns.ts';
import { count, counted, percent, shortSize, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';

const LINE = 96;
const HEADER = ['entries', 'ways', 'walk cache', 'hits', 'walks', 'reads', 'per walk', 'per 1000', 'reach'];
/** Characters of a size in a column. */
const SHORT = 5;
const RIGHT = HEADER.map((_, i) => i);

/** Rows under a heading for each kind of tables. Results of the same tables follow each other. */
export function studyLines(results: readonly TlbResult[], style: Style): string[] {
  const measured = results.filter((result) => result.maps);
  const [header = '', ...rows] = columns([HEADER, ...measured.map(rowOf)], { right: RIGHT, indent: '  ' });
  const lines = measured.length > 0 ? [header] : [];
  let [row, last] = [0, ''];
  for (const result of results) {
    const name = tablesText(result.combination.tables);
    if (name !== last) lines.push(...(lines.length > 0 ? [''] : []), ...headingLines(name, result, style));
    last = name;
    if (result.maps) lines.push(rows[row++]!);
  }
  return lines;
}

function headingLines(name: string, result: TlbResult, style: Style): string[] {
  if (!result.maps) {
    const reason = wrap(result.reason, LINE).map((line) => `  ${line}`);
    return [`${style.title(name)}: ${style.bad('not mapped')}`, ...reason];
  }
  const { entries, bytes, tables } = result.workingSet;
  const needs = `needs ${counted(entries, 'entry', 'entries')} for ${shortSize(bytes, SHORT)}, ${counted(tables, 'table')}`;
  // Faults are never cached, so their number is the same for all TLBs.
  const faults =
    result.faults > 0 ? `; ${style.bad(`${counted(result.faults, 'access', 'accesses')} faulted`)}` : '';
  return [`${style.title(name)}: ${needs}${faults}`];
}

function tablesText(tables: TablesChoice | undefined): string {
  if (tables === undefined) return 'these tables';
  return `${stageText(tables.stage)}, ${sizeText(tables.granule)} granule, ${tables.sizes}`;
}

function rowOf(result: TlbMeasured): string[] {
  const { combination, hitRate, misses, fetches, fetchesPerWalk, fetchesPerAccess, bestReach } = result;
  const { entries, ways, walkCache } = combination;
  return [
    count(entries),
    String(ways),
    walkCache === 0 ? 'off' : count(walkCache),
    percent(hitRate, 2),
    count(misses),
    count(fetches),
    fetchesPerWalk.toFixed(2),
    (fetchesPerAccess * 1000).toFixed(2),
    shortSize(bestReach, SHORT),
  ];
}

/** A result as JSON. Bytes are bigints, as every size of a document is. */
export function resultJson(result: TlbResult): object {
  const of = combinationJson(result.combination);
  if (!result.maps) return { ...of, maps: false, reason: result.reason };
  const { workingSet } = result;
  return {
    ...of,
    maps: true,
    accesses: result.accesses,
    hits: result.hits,
    misses: result.misses,
    faults: result.faults,
    hit_rate: result.hitRate,
    evictions: result.evictions,
    walks: {
      count: result.misses,
      from_walk_cache: result.walkCacheHits,
      reads: result.fetches,
      stage1_reads: result.stage1Fetches,
      stage2_reads: result.stage2Fetches,
      reads_saved: result.fetchesSaved,
      reads_per_walk: result.fetchesPerWalk,
      reads_per_access: result.fetchesPerAccess,
      most_reads: result.costliestWalk,
    },
    reach: { end: BigInt(result.reach), best: BigInt(result.bestReach) },
    working_set: {
      entries: workingSet.entries,
      bytes: BigInt(workingSet.bytes),
      tables: workingSet.tables,
    },
  };
}

function combinationJson({ tables, entries, ways, walkCache, runs = true }: TlbCombination): object {
  return {
    ...(tables && { granule: BigInt(tables.granule), sizes: tables.sizes, stage: tables.stage }),
    tlb: { entries, ways: ways === 'full' ? entries : ways, walk_cache: walkCache, runs },
  };
}
