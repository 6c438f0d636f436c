/** What `fault` reads from a log. */
import * as v from 'valibot';
import {
  count,
  document,
  fields,
  flag,
  hex,
  level,
  list,
  maybe,
  notes,
  said,
  some,
  text,
  texts,
  whole,
} from './output-parts.ts';
import { walk } from './output-walk.ts';

const printed = some({
  stage: whole,
  format: v.picklist(['long', 'short', 'own', 'unknown']),
  address: maybe(hex),
  root: maybe(hex),
  granule: maybe(text),
  vaBits: maybe(count),
  entries: list(
    some({
      name: text,
      level: maybe(level),
      value: hex,
      at: maybe(said(hex, 'PA of the entry')),
      kind: text,
      target: maybe(said(hex, 'the next table, or the output address')),
      text,
    }),
  ),
});

const fault = some({
  count: said(count, 'how often it was reported'),
  source: text,
  kind: text,
  name: said(text, "the report's name for it"),
  stage: maybe(whole),
  level: maybe(said(level, '-2 to 3')),
  el: maybe(said(whole, 'the Exception level that took the exception')),
  address: maybe(hex),
  ipa: maybe(hex),
  access: maybe(v.picklist(['read', 'write', 'execute'])),
  privileged: maybe(flag),
  ptw: maybe(said(flag, 'stage 2 faulted on a descriptor of stage 1')),
  class: maybe(v.picklist(['cd', 'tt', 'in'])),
  streamId: maybe(count),
  substreamId: maybe(count),
  contextBank: maybe(count),
  fetchAddress: maybe(hex),
  stalled: maybe(flag),
  domain: maybe(count),
  short: maybe(said(flag, 'the tables have short descriptors')),
  pa: maybe(hex),
  descriptor: maybe(said(hex, 'the last descriptor of the walk in the log')),
  device: maybe(text),
  cause: maybe(text),
  printed: maybe(said(printed, 'the walk that the log prints with the fault')),
  otherwise: maybe(said(list(some({ source: text, kind: text, text })), 'other readings of the same number')),
  text,
  notes: texts,
  registers: list(some({ name: text, value: hex, reference: text, fields })),
  causes: texts,
  checks: texts,
  next: texts,
  walk: maybe(
    said(
      some({
        agrees: said(flag, 'the tables give the fault that was reported'),
        choice: maybe(said(text, 'the permitted behaviour with which they do')),
        ...walk,
      }),
      'with --tables: the walk of the access',
    ),
  ),
});

export const FAULT = document('fault', {
  faults: list(fault),
  notes: maybe(said(notes, 'with --tables: what was assumed, and what has no part in the answers')),
  repairs: maybe(said(texts, 'what was mended in the text before reading it')),
  walks: maybe(said(list(printed), 'of a text with walks but no fault')),
});
