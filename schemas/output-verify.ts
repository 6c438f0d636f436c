/** What `verify` finds: intentions held against tables. */
import * as v from 'valibot';
import { count, flag, hex, level, list, maybe, said, some, text, texts, whole } from './output-parts.ts';
import { range } from './output-walk.ts';

const difference = some({
  first: hex,
  last: hex,
  wanted: text,
  found: v.nullable(range),
  aspects: list(some({ aspect: text, wanted: text, found: text, field: maybe(text) })),
  descriptors: list(
    some({
      stage: whole,
      level,
      address: hex,
      descriptor: v.nullable(hex),
      fields: list(some({ name: text, bits: text, value: hex, meaning: maybe(text) })),
    }),
  ),
  because: texts,
});

const line = some({
  line: said(count, 'of the text, from 1; of JSON the index'),
  first: hex,
  last: hex,
  label: maybe(text),
  ok: flag,
  wanted: text,
  larger: maybe(some({ before: hex, after: hex })),
  differences: list(difference),
});

/** The members of a verification. */
export const verification = {
  ok: flag,
  complete: said(flag, 'false: there are more tables than can be listed'),
  notes: texts,
  ranges: said(list(line), 'what was named'),
  unnamed: said(list(range), 'mapped, and not named'),
  unreachable: said(list(range), 'not named, and neither mapped nor unmapped'),
  rules: list(some({ line: count, rule: text, ok: flag, broken: list(range) })),
};
