/** What `map` carries out, and `check` compares. */
import * as v from 'valibot';
import { CONCATENATIONS } from '../src/pagetable/linux.ts';
import { PARTIAL_UNMAP } from '../src/pagetable/partial-unmap.ts';
import {
  count,
  document,
  error,
  flag,
  hex,
  level,
  list,
  maybe,
  said,
  some,
  table,
  text,
  texts,
  whole,
} from './output-parts.ts';
import { verification } from './output-verify.ts';

const op = some({
  op: v.picklist(['map', 'map_sg', 'unmap', 'iova_to_phys', 'dirty']),
  iova: hex,
  ret: said(v.union([whole, hex]), 'as Linux returns it: 0 or a negative errno, else bytes or an address'),
  ok: flag,
  want: maybe(said(v.union([whole, hex]), 'the return value that the request expects')),
  entries: maybe(said(count, 'of the scatterlist')),
  runs: maybe(said(count, 'of entries that are neighbours in memory')),
  bytes: maybe(hex),
  semantics: maybe(text),
  over_mapped: maybe(said(hex, 'bytes beyond the request')),
  failing: maybe(
    said(
      list(
        some({
          entry: count,
          values: list(some({ what: v.picklist(['iova', 'phys', 'length']), value: hex })),
          alignment: hex,
          rule: text,
          remedy: text,
        }),
      ),
      'entries that can not be mapped',
    ),
  ),
  ranges: maybe(said(list(list(hex)), 'what was dirty, as [iova, size]')),
  from: maybe(said(hex, 'the first address that was unmapped, if it is before the request')),
  error: maybe(error),
});

/** What the DMA layer answered to one operation of a request. */
const dma = some({
  op: v.picklist(['map_sg', 'map_single', 'unmap']),
  ok: flag,
  iova: maybe(hex),
  size: maybe(hex),
  segments: maybe(list(some({ address: hex, length: hex, first_entry: count, entries: count }))),
  padding: maybe(said(hex, 'bytes that only keep segments from crossing a boundary')),
  over_mapped: maybe(said(hex, 'bytes that the device can reach beyond the request')),
  unmapped: maybe(hex),
  error: maybe(error),
});

/** The tables of one root. */
const made = {
  name: maybe(text),
  config: maybe(
    some({
      pgsize_bitmap: hex,
      ias: count,
      oas: count,
      coherent_walk: flag,
      quirks: texts,
      features: texts,
      partial_unmap: v.picklist(PARTIAL_UNMAP),
      concatenation: maybe(v.picklist(CONCATENATIONS)),
    }),
  ),
  ops: maybe(list(op)),
  dma: maybe(list(dma)),
  tables: maybe(list(table)),
  cost: maybe(
    some({
      tables: count,
      table_bytes: count,
      leaves: count,
      by_level: list(some({ level, tables: count, blocks: count, pages: count })),
    }),
  ),
  registers: maybe(
    said(
      v.record(v.string(), v.union([hex, v.record(v.string(), count)])),
      "by the names of Linux's io_pgtable_cfg: values, or fields",
    ),
  ),
  hardware: maybe(
    some({
      regime: text,
      registers: v.record(v.string(), hex),
      output_bits: maybe(said(count, 'the output size that the tables were made for')),
      pa_bits: said(count, 'the PA bits of the hardware that walks them'),
      features: maybe(said(list(text), 'what that hardware must have')),
    }),
  ),
  warnings: maybe(
    said(
      list(some({ field: text, value: hex, rule: text, section: text, remedy: maybe(text), text })),
      'register fields with which hardware of that size walks nothing',
    ),
  ),
};

export const MAP = document('map', {
  ...made,
  format: maybe(text),
  roots: maybe(
    said(
      list(some({ role: v.picklist(['lower', 'upper', 'stage 2']), format: text, ok: flag, ...made })),
      'of an intention that needs several: what is said of one otherwise (format, config, ops, tables …) stands here, for each',
    ),
  ),
  ok: said(flag, 'true: every operation was done in full, and returned what the request expects'),
  verify: maybe(said(some(verification), 'of an intention: as lpae verify prints it')),
  error: maybe(error),
});

export const CHECK = document('check', {
  agree: count,
  differ: count,
  unsupported: count,
  facts: count,
  files: list(
    some({
      file: text,
      ok: flag,
      name: maybe(text),
      facts: maybe(count),
      claims: maybe(said(count, 'of an image: members of its rows that were compared')),
      differences: maybe(
        list(
          some({
            where: text,
            want: text,
            got: text,
            known: maybe(said(text, 'of a known difference from Linux: what it does there')),
          }),
        ),
      ),
      notes: maybe(said(texts, 'what the file says that nothing was compared with')),
      warnings: maybe(said(texts, 'what hardware of the size that the tables were made for can not do')),
      reason: maybe(said(text, 'why the file can not be checked')),
    }),
  ),
});
