/**
 * What each command prints with `--json`. Every document names its kind in `schema`. Members may be added within a version, so
 * objects accept members that are not listed; a listed member that goes, or changes its meaning, makes a new version.
 */
import * as v from 'valibot';
import { CONCATENATIONS, LINUX_VERSIONS } from '../src/pagetable/linux.ts';
import { PARTIAL_UNMAP } from '../src/pagetable/partial-unmap.ts';
import type { Kind } from './files.ts';
import {
  attributes,
  count,
  derivation,
  dmaAnswer,
  document,
  error,
  fields,
  flag,
  hex,
  level,
  lists,
  maybe,
  needed,
  notes,
  output,
  range,
  said,
  side,
  some,
  step,
  table,
  text,
  whole,
} from './output-parts.ts';

export const OUTPUTS: readonly Kind[] = [
  output(
    'map',
    document('map', {
      verify: maybe(said(some({ ok: flag }), 'of an intention: as lpae verify prints it')),
      name: maybe(text),
      format: maybe(text),
      roots: maybe(
        said(
          v.array(some({ role: v.picklist(['lower', 'upper', 'stage 2']), format: text, ok: flag })),
          'of an intention that needs several: what is said of one otherwise (format, config, ops, tables …) stands here, for each',
        ),
      ),
      ok: said(flag, 'true: every operation was done in full, and returned what the request expects'),
      error: maybe(error),
      config: maybe(
        some({
          pgsize_bitmap: hex,
          ias: count,
          oas: count,
          quirks: v.array(text),
          features: v.array(text),
          partial_unmap: v.picklist(PARTIAL_UNMAP),
          concatenation: maybe(v.picklist(CONCATENATIONS)),
        }),
      ),
      ops: maybe(
        v.array(
          some({
            op: v.picklist(['map', 'map_sg', 'unmap', 'iova_to_phys', 'dirty']),
            iova: hex,
            ret: said(
              v.union([whole, hex]),
              'as Linux returns it: 0 or a negative errno, else bytes or an address',
            ),
            ok: flag,
            ranges: maybe(said(v.array(v.array(hex)), 'what was dirty, as [iova, size]')),
            error: maybe(error),
          }),
        ),
      ),
      dma: maybe(v.array(dmaAnswer)),
      tables: maybe(v.array(table)),
      cost: maybe(
        some({
          tables: count,
          table_bytes: count,
          leaves: count,
          by_level: v.array(some({ level, tables: count })),
        }),
      ),
      registers: maybe(said(some({}), "by the names of Linux's io_pgtable_cfg")),
      hardware: maybe(
        some({
          regime: text,
          registers: v.record(v.string(), hex),
          output_bits: said(count, 'the output size that the tables were made for'),
          pa_bits: said(count, 'the PA bits of the hardware that walks them'),
        }),
      ),
      warnings: maybe(
        said(
          v.array(some({ field: text, value: hex, rule: text, section: text, remedy: maybe(text), text })),
          'register fields with which hardware of that size walks nothing',
        ),
      ),
    }),
  ),
  output(
    'walk',
    document('walk', {
      name: text,
      regime: text,
      notes,
      derivation,
      walks: v.array(
        some({
          ia: hex,
          access: v.picklist(['read', 'write', 'execute']),
          privileged: flag,
          ok: flag,
          pa: maybe(hex),
          level: maybe(v.nullable(level)),
          size: maybe(hex),
          ...attributes,
          fault: maybe(some({ kind: text })),
          steps: v.array(step),
        }),
      ),
      golden: maybe(some({ row: text, want: text, agrees: flag })),
    }),
  ),
  output(
    'dump',
    document('dump', {
      name: text,
      regime: text,
      notes,
      derivation,
      in_part: maybe(said(flag, 'with --range: nothing is said of what was not scanned')),
      scanned: v.array(some({ first: hex, last: hex })),
      ranges: v.array(range),
      tables: maybe(said(v.array(table), 'with --tree')),
      granules: maybe(
        said(
          v.array(
            some({
              first: hex,
              last: hex,
              size: hex,
              level: whole,
              owner: text,
              gpi: maybe(whole),
              gpc: maybe(text),
            }),
          ),
          'with --gpt: who owns which physical addresses',
        ),
      ),
    }),
  ),
  output(
    'verify',
    document('verify', {
      intent: text,
      name: text,
      regime: text,
      ok: flag,
      complete: said(flag, 'false: there are more tables than can be listed'),
      notes: v.array(text),
      ranges: said(
        v.array(
          some({
            line: said(count, 'of the text, from 1; of JSON the index'),
            first: hex,
            last: hex,
            label: maybe(text),
            ok: flag,
            wanted: text,
            larger: maybe(some({ before: hex, after: hex })),
            differences: v.array(
              some({
                first: hex,
                last: hex,
                wanted: text,
                found: v.nullable(range),
                aspects: v.array(some({ aspect: text, wanted: text, found: text, field: maybe(text) })),
                descriptors: v.array(
                  some({
                    stage: whole,
                    level,
                    address: hex,
                    descriptor: v.nullable(hex),
                    fields: v.array(some({ name: text, bits: text, value: hex, meaning: maybe(text) })),
                  }),
                ),
                because: v.array(text),
              }),
            ),
          }),
        ),
        'what was named',
      ),
      unnamed: said(v.array(range), 'mapped, and not named'),
      unreachable: said(v.array(range), 'not named, and neither mapped nor unmapped'),
      rules: v.array(some({ line: count, rule: text, ok: flag, broken: v.array(range) })),
    }),
  ),
  output(
    'decode',
    document('decode', {
      descriptors: v.array(
        some({
          descriptor: hex,
          readings: said(
            v.array(some({ format: text, stage: whole, levels: v.array(level), kind: text, fields })),
            'the likeliest first',
          ),
        }),
      ),
    }),
  ),
  output(
    'explain',
    document('explain', {
      query: maybe(text),
      topics: maybe(v.array(some({ name: text, group: text, summary: text, see: v.array(text) }))),
      unknown: maybe(v.array(some({ name: text, close: v.array(text) }))),
      groups: maybe(
        said(v.array(some({ group: text, names: v.array(text) })), 'of lpae explain without a name'),
      ),
    }),
  ),
  output(
    'fault',
    document('fault', {
      faults: v.array(
        some({
          count,
          source: text,
          kind: text,
          text,
          notes: v.array(text),
          registers: v.array(some({ name: text, value: hex, fields })),
          causes: v.array(text),
          checks: v.array(text),
          next: v.array(text),
        }),
      ),
    }),
  ),
  output(
    'lint',
    document('lint', {
      name: text,
      regime: text,
      notes,
      tables: count,
      rules: said(v.array(text), 'the rules that were applied'),
      findings: v.array(
        some({
          rule: text,
          severity: v.picklist(['error', 'warning', 'info']),
          message: text,
          first: maybe(hex),
          last: maybe(hex),
          count: maybe(count),
        }),
      ),
      dropped: said(v.record(v.string(), count), 'findings beyond the first of a rule, by rule'),
    }),
  ),
  output(
    'lint --rules',
    document('lint-rules', { rules: v.array(some({ name: text, severity: text })) }),
    'lint-rules',
  ),
  output(
    'diff',
    document('diff', {
      a: text,
      b: text,
      same: flag,
      notes,
      derivation: maybe(some({ a: derivation, b: derivation })),
      meaning: maybe(v.array(some({ first: hex, last: hex, a: side, b: side }))),
      bits: maybe(
        some({
          entries: v.array(
            some({
              ia: hex,
              level,
              a: hex,
              b: hex,
              fields: v.array(some({ name: text, bits: text, a: hex, b: hex })),
            }),
          ),
          trees: v.array(text),
          more: count,
        }),
      ),
    }),
  ),
  output('compare', document('compare', { interrupted: flag, workload: text, question: text, lists })),
  output(
    'tlb',
    document('tlb', {
      title: text,
      interrupted: flag,
      combinations: v.array(
        some({
          tlb: some({ entries: count, ways: count }),
          maps: flag,
          accesses: maybe(count),
          hits: maybe(count),
          misses: maybe(count),
        }),
      ),
    }),
  ),
  output(
    'study',
    document('study', {
      interrupted: flag,
      conclusions: v.array(some({ about: text, text })),
      comparison: some({ workload: text, question: text, lists }),
      lists: v.array(some({ cpu_page_size: hex, tlb: v.array(some({})) })),
    }),
  ),
  output(
    'bbm',
    document('bbm', {
      name: text,
      ok: said(flag, 'false: a step is illegal for the chosen machines and level'),
      machines: v.array(v.picklist(['pe', 'smmu'])),
      bbm: v.picklist([0, 1, 2]),
      tables: some({ stage: whole, granule: text, root: hex, level }),
      steps: v.array(
        some({
          index: count,
          write: maybe(hex),
          before: maybe(hex),
          value: maybe(hex),
          changes: maybe(v.array(text)),
          legal: maybe(said(v.record(v.string(), v.array(flag)), 'by machine: at BBM levels 0, 1 and 2')),
          judgements: maybe(
            v.array(some({ machine: text, bbm: count, legal: flag, rule: text, section: text })),
          ),
          needs_before: maybe(needed),
          needs_after: maybe(needed),
        }),
      ),
    }),
  ),
  output(
    'check',
    document('check', {
      agree: count,
      differ: count,
      unsupported: count,
      facts: count,
      files: v.array(
        some({
          file: text,
          ok: flag,
          name: maybe(text),
          facts: maybe(count),
          claims: maybe(said(count, 'of an image: members of its rows that were compared')),
          differences: maybe(
            v.array(
              some({
                where: text,
                want: text,
                got: text,
                known: maybe(said(text, 'of a known difference from Linux: what it does there')),
              }),
            ),
          ),
          notes: maybe(said(v.array(text), 'what the file says that nothing was compared with')),
          warnings: maybe(
            said(v.array(text), 'what hardware of the size that the tables were made for can not do'),
          ),
          reason: maybe(said(text, 'why the file can not be checked')),
        }),
      ),
    }),
  ),
  output(
    'replay',
    document('replay', {
      ok: flag,
      files: v.array(
        some({
          name: text,
          requests: count,
          entries: count,
          bytes: hex,
          tables: count,
          problems: v.array(some({ request: count, text })),
        }),
      ),
    }),
  ),
  output(
    'formats',
    document('formats', {
      formats: v.array(
        some({
          name: text,
          title: text,
          stage: whole,
          granules: v.array(
            some({ granule: text, pages: text, ias: count, oas: count, levels: v.array(level) }),
          ),
        }),
      ),
      linux: v.array(
        some({
          version: v.picklist(LINUX_VERSIONS),
          partial_unmap: v.picklist(PARTIAL_UNMAP),
          concatenation: v.picklist(CONCATENATIONS),
          quirks: v.array(text),
        }),
      ),
    }),
  ),
];
