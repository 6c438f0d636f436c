/** What `smmu` judges: the transactions of a trace, commands, and what is owed. */
import * as v from 'valibot';
import { count, document, flag, hex, list, maybe, said, some, text, texts } from './output-parts.ts';

const steps = list(count);
const caches = said(
  list(v.picklist(['ste', 'cd', 'tlb', 'atc'])),
  'caches without which the answer is not possible',
);

const access = some({
  step: said(count, 'of the trace, from 0 on; at the end: the number of steps'),
  sid: count,
  ssid: maybe(count),
  iova: hex,
  rw: v.picklist(['read', 'write']),
  answers: said(
    list(
      some({
        outcome: text,
        by: maybe(caches),
        written: maybe(
          said(
            v.pipe(v.number(), v.integer(), v.minValue(-1)),
            'step that wrote what may be cached; -1: before the trace',
          ),
        ),
        replaced: maybe(said(count, 'step since which memory says something else')),
      }),
    ),
    'every permitted one; that of memory as it is first',
  ),
  needs: maybe(said(v.nullable(texts), 'steps after which one answer is left; null: no command helps')),
  since: maybe(said(count, 'the last step that wrote a word on which the answers depend')),
  misses: maybe(
    said(list(some({ step: count, command: text, differs: texts })), 'commands that are not the needed ones'),
  ),
  resumes: maybe(said(count, 'step of the access, or of the retry, that had stalled')),
  outside: maybe(said(flag, 'the producer saw none of the answers')),
});

const FINDINGS = [
  'ignored-write',
  'not-observable',
  'command-error',
  'torn',
  'no-effect',
  'no-command',
  'beyond-ram',
  'no-interrupt',
  'stall-command',
  'stalled',
] as const;

export const SMMU = document('smmu', {
  name: text,
  ok: said(flag, 'no transaction is open and nothing else was found'),
  open: said(count, 'how many transactions have several answers'),
  accesses: list(access),
  findings: list(
    some({
      step: count,
      kind: v.picklist(FINDINGS),
      text,
    }),
  ),
  commands: list(some({ step: count, command: text })),
  owed: said(list(access), 'transactions that would be open at the end'),
  notes: maybe(said(texts, 'what a log does not say, and what was taken instead')),
  minimal: maybe(
    said(
      list(some({ step: count, command: text, opens: steps })),
      'each command left out: which transactions would be open to more',
    ),
  ),
});
