/** What `bbm` judges: each step of a trace. */
import * as v from 'valibot';
import { count, document, flag, hex, level, list, maybe, said, some, text, texts } from './output-parts.ts';

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
});

export const BBM = document('bbm', {
  name: text,
  ok: said(flag, 'false: a step is illegal for the chosen machines and level'),
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
});
