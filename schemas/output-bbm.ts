/** What `bbm` judges: each step of a trace. */
import * as v from 'valibot';
import {
  count,
  document,
  flag,
  hex,
  level,
  list,
  maybe,
  said,
  some,
  text,
  texts,
  whole,
} from './output-parts.ts';

const needed = list(
  some({
    from: hex,
    size: hex,
    leaf: said(flag, 'only blocks and pages have to go'),
    global: said(flag, 'for every ASID'),
    tlbi: said(list(some({ operation: text, operand: maybe(hex) })), 'for a PE, in order'),
    operations: said(count, 'without FEAT_TLBIRANGE: one a leaf'),
    commands: said(
      list(some({ command: text, fields: v.record(v.string(), v.union([count, hex])) })),
      'for an SMMU, in order',
    ),
  }),
);
const barriers = list(
  some({ barrier: text, step: said(count, 'that it is about'), why: text, section: text }),
);
const byLevel = said(list(count), 'at BBM levels 0, 1 and 2');

const step = some({
  index: count,
  op: maybe(said(text, 'of a map request: the operation')),
  write: maybe(said(hex, 'the PA of the descriptor')),
  before: maybe(hex),
  value: maybe(hex),
  places: maybe(
    list(some({ level, ia: hex, size: hex, live: said(flag, 'a walk from the root gets here') })),
  ),
  changes: maybe(texts),
  legal: maybe(said(v.record(v.string(), list(flag)), 'by machine: at BBM levels 0, 1 and 2')),
  judgements: maybe(
    list(
      some({
        machine: text,
        bbm: count,
        legal: flag,
        conflict: said(flag, 'the machine may report a TLB conflict'),
        rule: text,
        section: text,
      }),
    ),
  ),
  break_first: maybe(flag),
  register: maybe(said(text, 'a permission register that is written')),
  indexes: maybe(said(list(count), 'fields of it that change')),
  cached: maybe(said(flag, 'a TLB may hold its fields')),
  rule: maybe(text),
  section: maybe(text),
  needs_before: maybe(needed),
  needs_after: maybe(needed),
  tlbi: maybe(text),
  operand: maybe(hex),
  invalidate: maybe(v.union([v.literal('all'), hex])),
  size: maybe(hex),
  leaf: maybe(flag),
  asid: maybe(count),
  vmid: maybe(count),
  barrier: maybe(text),
  command: maybe(said(text, 'of an SMMU, with its fields')),
  access: maybe(said(hex, 'an input address')),
  fetch: maybe(said(flag, 'of an instruction')),
  outcomes: maybe(
    said(
      list(
        some({
          from: v.picklist(['memory', 'stale']),
          oa: maybe(said(hex, 'absent: a fault')),
          step: said(whole, 'that wrote the descriptor; -1: none did'),
        }),
      ),
      'what the access may meet',
    ),
  ),
  miss: maybe(
    said(
      some({
        ia: hex,
        level,
        kind: text,
        why: list(some({ property: text, operation: text, entry: text })),
      }),
      'the stale entry that an invalidation which removes nothing comes closest to',
    ),
  ),
  nothing: maybe(said(text, 'why an invalidation need not remove anything')),
  missing: maybe(said(barriers, 'barriers that are missing before the step')),
});

export const BBM = document('bbm', {
  name: text,
  ok: said(
    flag,
    'false: a step is illegal for the chosen machines and level, or a barrier is missing before one',
  ),
  machines: list(v.picklist(['pe', 'smmu'])),
  bbm: v.picklist([0, 1, 2]),
  tables: some({
    stage: count,
    regime: text,
    granule: text,
    ias: count,
    root: hex,
    level,
    asid: maybe(count),
    vmid: maybe(count),
  }),
  steps: list(step),
  illegal: said(some({ pe: byLevel, smmu: byLevel }), 'how many steps are illegal'),
  owed: said(needed, 'invalidations that are missing at the end'),
  missing: maybe(said(count, 'barriers that are missing before steps')),
  owed_barriers: maybe(said(barriers, 'barriers that are missing at the end')),
});
