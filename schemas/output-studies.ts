/** What measurements give: `compare`, `tlb`, `study` and `replay`. */
import * as v from 'valibot';
import {
  count,
  document,
  flag,
  fraction,
  hex,
  level,
  list,
  maybe,
  said,
  some,
  text,
  texts,
} from './output-parts.ts';

const refusal = some({ request: count, entry: maybe(count), code: maybe(text), message: text });
const counts = some({
  descriptors: count,
  leaves: said(count, 'a contiguous run counts as one'),
  tables: count,
  table_bytes: count,
  by_leaf: list(
    some({
      level,
      kind: v.picklist(['block', 'page']),
      size: hex,
      run: said(count, 'entries in a leaf'),
      leaves: count,
      descriptors: count,
    }),
  ),
  by_level: list(some({ level, tables: count, bytes: count })),
});
const miss = some({
  level,
  run: said(count, 'entries in the leaf'),
  accesses: said(count, 'descriptors that a walk reads'),
  stage1: count,
  stage2: count,
});
const semantics = some({
  semantics: text,
  maps: flag,
  refused_requests: count,
  refused_pieces: count,
  first: maybe(refusal),
  over_mapped: hex,
});
const dma = some({
  refused_requests: count,
  first: maybe(refusal),
  iova_bytes: hex,
  over_mapped: hex,
  padding: hex,
});
const advice = some({
  kind: text,
  text,
  gain: some({
    refused_requests: fraction,
    descriptors: fraction,
    leaves: fraction,
    tables: fraction,
    table_bytes: fraction,
  }),
});

const tables = { granule: hex, sizes: text, stage: text };
const combination = some({
  cpu_page_size: hex,
  ...tables,
  page_sizes: texts,
  pgsize_bitmap: hex,
  levels: count,
  stage2_levels: maybe(count),
  maps: said(flag, 'every request is mapped'),
  refused_requests: count,
  refusals: list(refusal),
  counts,
  stage2: maybe(counts),
  misses: said(list(miss), 'the cost of a TLB miss'),
  semantics: list(semantics),
  dma,
  chunk_loop: some({ possible: flag, lists: count, ranges: count, calls: count, over_mapped: hex }),
  advice: list(advice),
});
const lists = list(
  some({ cpu_page_size: hex, requests: count, entries: count, bytes: hex, combinations: list(combination) }),
);
const comparison = { workload: maybe(text), question: maybe(text), lists };

const tlb = {
  granule: maybe(hex),
  sizes: maybe(text),
  stage: maybe(text),
  tlb: some({ entries: count, ways: count, walk_cache: count, runs: flag }),
  maps: flag,
  reason: maybe(said(text, 'why nothing was measured')),
  accesses: maybe(count),
  hits: maybe(count),
  misses: maybe(count),
  faults: maybe(count),
  hit_rate: maybe(fraction),
  evictions: maybe(count),
  walks: maybe(
    some({
      count,
      from_walk_cache: count,
      reads: count,
      stage1_reads: count,
      stage2_reads: count,
      reads_saved: count,
      reads_per_walk: fraction,
      reads_per_access: fraction,
      most_reads: count,
    }),
  ),
  reach: maybe(said(some({ end: hex, best: hex }), 'bytes that the entries serve')),
  working_set: maybe(some({ entries: count, bytes: hex, tables: count })),
};

export const COMPARE = document('compare', { interrupted: flag, ...comparison });
export const TLB = document('tlb', { title: text, interrupted: flag, combinations: list(some(tlb)) });
export const STUDY = document('study', {
  interrupted: flag,
  conclusions: list(some({ about: text, cpu_page_sizes: list(hex), text })),
  comparison: some(comparison),
  lists: list(
    some({ cpu_page_size: hex, best: maybe(some(tables)), tlb: list(some({ trace: text, ...tlb })) }),
  ),
});
export const REPLAY = document('replay', {
  ok: flag,
  files: list(
    some({
      name: text,
      cpu_page_size: v.union([hex, count]),
      iommu_page_sizes: v.union([hex, count]),
      requests: count,
      entries: count,
      runs: count,
      bytes: hex,
      leaves: list(some({ level, size: v.union([hex, count]), count })),
      tables: count,
      ms: said(
        some({ map_sg: fraction, verify: fraction, unmap_sg: fraction, verify_gone: fraction }),
        'time that each part took',
      ),
      problems: list(some({ request: count, text })),
    }),
  ),
});
