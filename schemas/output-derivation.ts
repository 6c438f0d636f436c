/** What registers mean, as `derivation` of `walk`, `dump` and `diff` has it: of a regime, or of a stream of an SMMU. */

import * as v from 'valibot';
import {
  count,
  flag,
  fraction,
  hex,
  level,
  list,
  maybe,
  said,
  security,
  some,
  text,
  whole,
} from './output-parts.ts';

/** A field, its value, and a rule: why something is off, or Non-cacheable. */
const reason = some({ field: text, value: hex, rule: text, section: text });
const problem = some({ field: text, value: hex, effect: text, rule: text, section: text });
const problems = said(list(problem), 'what is wrong with the registers');
const idle = said(
  list(some({ field: text, value: hex, why: text, section: text })),
  'fields of the STE and the CD that are not 0 and have no part',
);
const off = maybe(said(reason, 'why it is off'));
const memoryType = some({ index: count, attr: maybe(hex), memory: text, code: text });
const tag = some({ value: count, bits: count, field: text });

const tables = {
  granule: maybe(hex),
  input_bits: maybe(count),
  first_ia: maybe(hex),
  last_ia: maybe(hex),
  start_level: maybe(level),
  entries: maybe(said(count, 'of the first table; concatenated tables count together')),
  concatenated: maybe(count),
  table_base: maybe(hex),
  table_align: maybe(hex),
  levels: maybe(
    list(
      some({
        level,
        bits: said(text, 'of the input address, that index the table'),
        leaf: v.picklist(['none', 'block', 'page']),
        entry_size: hex,
        run_entries: maybe(said(count, 'of a run that may be marked as one')),
        run_size: maybe(hex),
      }),
    ),
  ),
  output: maybe(
    some({
      bits: said(count, 'output addresses must be below 2^bits'),
      field: maybe(text),
      encoding: maybe(count),
      configured_bits: maybe(count),
      format_bits: count,
      implemented_bits: count,
      limited_by: v.picklist(['field', 'format', 'implemented']),
    }),
  ),
  wide_address: maybe(v.picklist(['none', 'lpa', 'lpa2'])),
  ha: maybe(flag),
  hd: maybe(flag),
  big_endian: maybe(flag),
};

const range = some({
  register: text,
  value: said(v.nullable(hex), 'null: not given'),
  on: flag,
  off,
  size_field: maybe(text),
  size_value: maybe(said(whole, 'T0SZ of AArch32 is signed')),
  ...tables,
  walks: maybe(
    said(some({ inner: text, outer: text, shareability: text }), "attributes of the walk's own accesses"),
  ),
  hpd: said(flag, 'hierarchical permissions are disabled'),
  e0pd: said(flag, 'unprivileged accesses fault'),
  spaces: maybe(some({ ipas: security, tables: security, outputs: security, chooses_ns: flag })),
  top_byte_ignored: v.picklist(['no', 'data', 'all']),
  cnp: flag,
  problems,
});

const stage = some({
  stage: whole,
  format: text,
  on: flag,
  off,
  control: maybe(some({ register: text, value: hex })),
  ranges: list(range),
  asid: maybe(tag),
  vmid: maybe(tag),
  memory: maybe(some({ register: text, value: hex, types: list(memoryType) })),
  nv1: maybe(said(flag, 'HCR_EL2.{NV, NV1} = {1, 1}: descriptors of a guest hypervisor')),
  wxn: flag,
  uwxn: flag,
  extended: maybe(
    said(
      list(some({ feature: text, control: text, registers: v.record(v.string(), hex) })),
      'what FEAT_TCR2 and its like turn on',
    ),
  ),
  sl0: maybe(count),
  sl2: maybe(count),
  smallest_t0sz: maybe(count),
  fwb: maybe(flag),
  ptw: maybe(flag),
  tre: maybe(flag),
  afe: maybe(flag),
  domains: maybe(said(list(v.picklist(['none', 'client', 'reserved', 'manager'])), 'DACR, by domain')),
  uncached: maybe(
    said(list(reason), 'register bits that make Normal memory Non-cacheable, whatever descriptors say'),
  ),
  problems,
});

const granuleProtection = some({
  gpccr: hex,
  gptbr: hex,
  invalid: flag,
  granule: hex,
  protected_bits: fraction,
  all_beyond: flag,
  entry_size: hex,
  entries: fraction,
  table_base: hex,
  denied: said(list(security), 'PA spaces that no access may have'),
  window: maybe(some({ base: hex, size: hex, stride: hex })),
  problems,
});

const descriptor = said(v.nullable(hex), 'null: it could not be read');
const ste = some({
  address: maybe(hex),
  words: list(hex),
  valid: flag,
  config: text,
  world: text,
  s1_context_ptr: maybe(hex),
  s1_cd_max: maybe(count),
  format: maybe(text),
  without_substream: maybe(text),
});
const cd = some({
  index: count,
  address: maybe(hex),
  pa: maybe(hex),
  level1: maybe(some({ address: hex, pa: maybe(hex), descriptor })),
  words: v.nullable(list(hex)),
  asid: maybe(count),
  aarch64: maybe(flag),
  record: maybe(flag),
  abort: maybe(flag),
  stall: maybe(flag),
  pan: maybe(flag),
});

export const derivation = said(
  some({
    regime: maybe(said(text, 'of a PE; an SMMU has stream_id')),
    security: maybe(security),
    pa_bits: count,
    stages: list(stage),
    granule_protection: maybe(granuleProtection),
    stream_id: maybe(count),
    substream_id: maybe(count),
    enabled: maybe(flag),
    stream_table: maybe(
      some({
        base: hex,
        log2_size: count,
        split: maybe(count),
        level1: maybe(
          some({ index: count, address: hex, descriptor, span: maybe(count), pointer: maybe(hex) }),
        ),
      }),
    ),
    ste: maybe(ste),
    cd: maybe(cd),
    problems: maybe(problems),
    idle: maybe(idle),
    ok: maybe(flag),
    translation: maybe(v.picklist(['bypass', 'stage 1', 'stage 2', 'nested'])),
    fault: maybe(some({ kind: text, text, rule: text, section: text })),
  }),
  'what the registers mean: granule, sizes, start level, what is wrong',
);
