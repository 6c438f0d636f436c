/**
 * What each command prints with `--json`. Every document names its kind in `schema`. Members may be added within a version, so
 * objects accept members that are not listed, though a command prints none (a test holds this); a listed member that goes, or
 * changes its meaning, makes a new version.
 */
import * as v from 'valibot';
import { CONCATENATIONS, LINUX_VERSIONS } from '../src/pagetable/linux.ts';
import { PARTIAL_UNMAP } from '../src/pagetable/partial-unmap.ts';
import type { Kind } from './files.ts';
import { BBM } from './output-bbm.ts';
import { derivation } from './output-derivation.ts';
import { FAULT } from './output-faults.ts';
import { CHECK, MAP } from './output-map.ts';
import {
  count,
  document,
  flag,
  fraction,
  hex,
  level,
  list,
  maybe,
  notes,
  output,
  said,
  security,
  some,
  table,
  text,
  texts,
  whole,
} from './output-parts.ts';
import { SMMU } from './output-smmu.ts';
import { COMPARE, REPLAY, STUDY, TLB } from './output-studies.ts';
import { verification } from './output-verify.ts';
import { range, walk } from './output-walk.ts';

const WALK = document('walk', {
  name: text,
  regime: text,
  notes,
  derivation,
  walks: list(some(walk)),
  golden: maybe(said(some({ row: text, want: text, agrees: flag }), 'with --row: what the file says')),
});

const DUMP = document('dump', {
  name: text,
  regime: text,
  notes,
  security: maybe(security),
  derivation,
  in_part: maybe(said(flag, 'with --range: nothing is said of what was not scanned')),
  scanned: list(some({ first: hex, last: hex })),
  ranges: list(range),
  tables: maybe(said(list(table), 'with --tree')),
  granules: maybe(
    said(
      list(
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
});

const DECODE = document('decode', {
  descriptors: list(
    some({
      descriptor: hex,
      readings: said(
        list(
          some({
            format: text,
            stage: whole,
            granule: text,
            granules: texts,
            levels: list(level),
            kind: text,
            address: v.nullable(hex),
            sizes: maybe(said(texts, 'that a leaf maps')),
            score: said(fraction, 'how likely it is, beside other readings'),
            against: said(texts, 'what speaks against it'),
            fields: list(
              some({
                name: text,
                bits: text,
                kind: text,
                value: hex,
                meaning: text,
                text: maybe(said(text, 'what the value means')),
                reference: text,
                problem: maybe(text),
              }),
            ),
          }),
        ),
        'the likeliest first',
      ),
    }),
  ),
});

const named = v.record(v.string(), text);
const topic = some({
  name: text,
  group: text,
  aliases: texts,
  summary: text,
  reference: maybe(text),
  places: maybe(
    list(some({ bits: text, where: text, meaning: text, values: maybe(named), reference: text })),
  ),
  fields: maybe(
    list(
      some({
        bits: text,
        name: text,
        meaning: text,
        values: maybe(named),
        value: maybe(hex),
        text: maybe(text),
      }),
    ),
  ),
  codes: maybe(list(some({ where: text, code: text }))),
  causes: maybe(texts),
  checks: maybe(texts),
  see: maybe(texts),
});
const EXPLAIN = document('explain', {
  query: maybe(text),
  topics: maybe(list(topic)),
  unknown: maybe(list(some({ name: text, close: texts }))),
  groups: maybe(said(list(some({ group: text, names: texts })), 'of lpae explain without a name')),
});

const found = {
  findings: list(
    some({
      rule: text,
      severity: v.picklist(['error', 'warning', 'info']),
      message: text,
      first: v.nullable(hex),
      last: v.nullable(hex),
      stage: maybe(whole),
      level: maybe(level),
      at: maybe(said(hex, 'PA of the descriptor')),
      descriptor: maybe(hex),
      count: said(count, 'of entries like this one'),
    }),
  ),
  dropped: said(v.record(v.string(), count), 'findings beyond the first of a rule, by rule'),
};
const space = {
  name: text,
  regime: text,
  notes,
  tables: count,
  rules: said(texts, 'the rules that were applied'),
  skipped: said(texts, 'rules that need what was not given'),
  ...found,
};

const side = v.nullable(some({ pa: v.nullable(hex), leaf_size: hex, says: text }));
const granuleSide = said(
  v.nullable(some({ owner: text, gpi: maybe(whole), gpc: maybe(text) })),
  'null beyond the protected addresses',
);
const DIFF = document('diff', {
  a: text,
  b: text,
  same: flag,
  notes,
  derivation: some({ a: derivation, b: derivation }),
  meaning: maybe(list(some({ first: hex, last: hex, a: side, b: side }))),
  bits: maybe(
    some({
      entries: list(
        some({
          stage: whole,
          register: text,
          level,
          index: count,
          ia: hex,
          a: hex,
          b: hex,
          fields: list(some({ name: text, bits: text, a: hex, b: hex })),
          kinds: maybe(said(texts, 'of both entries, if they differ')),
          count: said(count, 'of entries that differ in this way'),
        }),
      ),
      trees: texts,
      more: count,
    }),
  ),
  granules: maybe(
    said(
      some({
        ranges: list(some({ first: hex, last: hex, size: hex, a: granuleSide, b: granuleSide })),
        checks: said(texts, 'that need no table and differ'),
      }),
      'with --gpt',
    ),
  ),
});

const FORMATS = document('formats', {
  formats: list(
    some({
      name: text,
      title: text,
      stage: whole,
      features: said(texts, 'what a request may ask for'),
      granules: list(some({ granule: text, pages: text, ias: count, oas: count, levels: list(level) })),
    }),
  ),
  linux: list(
    some({
      version: v.picklist(LINUX_VERSIONS),
      partial_unmap: v.picklist(PARTIAL_UNMAP),
      concatenation: v.picklist(CONCATENATIONS),
      quirks: texts,
    }),
  ),
});

export const OUTPUTS: readonly Kind[] = [
  output('map', MAP),
  output('walk', WALK),
  output('dump', DUMP),
  output('verify', document('verify', { intent: text, name: text, regime: text, ...verification })),
  output('decode', DECODE),
  output('explain', EXPLAIN),
  output('fault', FAULT),
  output('lint', document('lint', space)),
  output(
    'lint --rules',
    document('lint-rules', {
      rules: list(some({ name: text, severity: text, summary: text, why: text, reference: text })),
    }),
    'lint-rules',
  ),
  output(
    'lint A B',
    document('lint-spaces', {
      spaces: list(some(space)),
      across: said(some(found), 'what is wrong with the spaces together'),
    }),
    'lint-spaces',
  ),
  output('diff', DIFF),
  output('compare', COMPARE),
  output('tlb', TLB),
  output('study', STUDY),
  output('bbm', BBM),
  output('smmu', SMMU),
  output('check', CHECK),
  output('replay', REPLAY),
  output(
    'explore',
    document('explore', { address: said(text, 'of the page, with its secret and the request') }),
  ),
  output('formats', FORMATS),
];
