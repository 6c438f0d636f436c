/** Intentions as JSON: what `lpae dump --json` prints, and the same members written by hand (`lpae.intent/1`), any of them left out. */
import * as v from 'valibot';
import { type MachineRegime, regimesNamed } from '../arch/regimes.ts';
import { type SecurityState, securityNamed } from '../arch/security.ts';
import { readJsonAs } from '../json/read.ts';
import { maybe, members, whole } from '../json/schemas.ts';
import { RANGE_FORMS, readAddress, readRange } from '../text/addresses.ts';
import { faultText } from '../text/fault.ts';
import type { FaultKind } from '../walker/index.ts';
import type { IntentLine, Want, WantedTerms } from './intent.ts';
import { IntentDraft } from './intent-draft.ts';
import { readRule } from './rule.ts';
import { type Complain, rightsNamed, TermCollector } from './words.ts';

const ADDRESS =
  'must be an address or size of at most 64 bits (0x8000_0000, 2M, 4G, a decimal number or a sum)';
const address = v.pipe(
  v.union([v.string(), v.number()], ADDRESS),
  v.transform((given) =>
    typeof given === 'string'
      ? readAddress(given)
      : Number.isSafeInteger(given) && given >= 0
        ? BigInt(given)
        : undefined,
  ),
  v.bigint(ADDRESS),
);

const FAULTS: readonly FaultKind[] = [
  'translation',
  'access_flag',
  'permission',
  'address_size',
  'external_walk',
  'domain',
];

const rights = v.pipe(
  v.string(),
  v.check((text) => rightsNamed(text.toLowerCase()) !== undefined, 'must be rights, as r-x or ---'),
  v.transform((text) => rightsNamed(text.toLowerCase())!),
);

const rangeSchema = members({
  range: maybe(v.pipe(v.string(), v.description(RANGE_FORMS))),
  first: maybe(address),
  last: maybe(v.pipe(address, v.description('the last address inside'))),
  size: maybe(address),
  state: maybe(v.picklist(['mapped', 'unmapped', 'any'])),
  pa: maybe(v.union([v.literal('identity'), address])),
  leaf_size: maybe(address),
  leaves: maybe(v.number()),
  level: maybe(whole(-1, 3)),
  permissions: maybe(members({ privileged: maybe(rights), unprivileged: maybe(rights) })),
  memory: maybe(v.string()),
  attr: maybe(address),
  attr_indx: maybe(whole(0, 15)),
  shareability: maybe(v.picklist(['non', 'inner', 'outer'])),
  global: maybe(v.boolean()),
  contiguous: maybe(v.boolean()),
  guarded: maybe(v.boolean()),
  pas: maybe(v.string()),
  fault: maybe(members({ kind: v.picklist(FAULTS), stage: maybe(whole(1, 2)), level: maybe(whole(-1, 3)) })),
  terms: maybe(v.pipe(v.string(), v.description('any words of the text form: "rw- WB global AF=1"'))),
  rounded: maybe(v.boolean()),
  label: maybe(v.string()),
  with_stage1_off: maybe(v.unknown()),
  effective: maybe(v.unknown()),
});

/** What an intention in JSON may hold. */
export const intentSchema = members({
  schema: maybe(v.picklist(['lpae.dump/1', 'lpae.intent/1'])),
  $schema: maybe(v.string()),
  name: maybe(v.string()),
  regime: maybe(v.pipe(v.string(), v.description('a regime, or any'))),
  security: maybe(v.string()),
  rest: maybe(v.picklist(['unmapped', 'any'])),
  never: maybe(
    v.pipe(v.array(v.string()), v.description('rules without their first word: "wx", "pa 0x0e00_0000+16M"')),
  ),
  rounded: maybe(v.boolean()),
  ranges: v.array(rangeSchema),
  derivation: maybe(v.unknown()),
  notes: maybe(v.array(v.string())),
  scanned: maybe(v.array(members({ first: address, last: address }))),
  in_part: maybe(v.pipe(v.boolean(), v.description('nothing is said of addresses that were not scanned'))),
  tables: maybe(v.unknown()),
});

type Range = v.InferOutput<typeof rangeSchema>;

/** Reads a parsed document. Problems count lines as indexes of `ranges`. @throws IntentError with all that can't be understood. */
export function readIntentJson(json: unknown): IntentDraft {
  const draft = new IntentDraft();
  const read = readJsonAs(intentSchema, Array.isArray(json) ? { ranges: json as unknown[] } : json);
  const whole: Complain = (message, hint) => draft.complain(0, message, hint);
  if (!read.ok) {
    whole(read.problem);
    return draft;
  }
  const { regime, security, rest, never, rounded, ranges, scanned, in_part: inPart } = read.value;
  const named = regime === undefined || regime === 'any' ? [] : regimesNamed(regime);
  const [meant] = named;
  if (regime !== undefined && regime !== 'any' && meant === undefined)
    whole(`there is no regime '${regime}'`);
  draft.addRegimes(named, whole, true);
  const state = securityOf(security, whole);
  if (state !== undefined) draft.setSecurity(state, whole);
  if (rest !== undefined) draft.setRest(rest, whole);
  if (inPart) draft.only.push(...(scanned ?? []));
  draft.rounded = rounded === true;
  for (const text of never ?? []) {
    const rule = readRule(
      text.replace(/^never\s+/i, ''),
      `never ${text.replace(/^never\s+/i, '')}`,
      0,
      whole,
    );
    if (rule !== undefined) draft.rules.push(rule);
  }
  for (const [index, range] of ranges.entries()) {
    const complain: Complain = (message, hint) => draft.complain(0, `ranges[${index}]: ${message}`, hint);
    const line = lineOf(range, meant, complain);
    if (line !== undefined) draft.lines.push({ ...line, line: index });
  }
  return draft;
}

function securityOf(word: string | undefined, complain: Complain): SecurityState | undefined {
  if (word === undefined) return undefined;
  const state = securityNamed(word);
  if (state === undefined) complain(`there is no security state '${word}'`);
  return state;
}

function lineOf(
  range: Range,
  regime: MachineRegime | undefined,
  complain: Complain,
): Omit<IntentLine, 'line'> | undefined {
  const at = inputOf(range, complain);
  if (at === undefined) return undefined;
  const { label, rounded } = range;
  return {
    ...at,
    want: wantOf(range, at.first, regime, complain),
    ...(label !== undefined && { label }),
    ...(rounded && { rounded }),
  };
}

function inputOf({ range, first, last, size }: Range, complain: Complain) {
  if (range !== undefined) {
    const read = readRange(range);
    if (read.ok) return { first: read.first, last: read.last };
    complain(read.problem, RANGE_FORMS);
    return undefined;
  }
  const end = last ?? (first !== undefined && size !== undefined ? first + size - 1n : undefined);
  if (first === undefined || end === undefined) complain('needs range, or first and last, or first and size');
  else if (end < first || end >> 64n) complain('is empty, or leaves 64 bits');
  else if (size !== undefined && end - first + 1n !== size) complain('size is not that of first to last');
  else return { first, last: end };
  return undefined;
}

function wantOf(range: Range, first: bigint, regime: MachineRegime | undefined, complain: Complain): Want {
  const { pa, leaf_size: leafSize, fault, state } = range;
  const known = {
    ...(pa !== undefined && { outputOffset: pa === 'identity' ? 0n : pa - first }),
    ...(leafSize !== undefined && { leafSize }),
  };
  if (fault !== undefined) return { state: 'fault', fault: faultOf(fault, regime), ...known };
  const terms = termsOf(range, complain);
  if (state === undefined || state === 'mapped') return { state: 'mapped', ...known, ...terms };
  if (Object.keys({ ...known, ...terms }).length > 0) complain(`'${state}' goes with nothing else`);
  return { state };
}

function faultOf(
  { kind, stage, level }: NonNullable<Range['fault']>,
  regime: MachineRegime | undefined,
): string {
  const text = faultText({ kind, stage: stage === 2 ? 2 : 1, level: level ?? 0 }, regime).toLowerCase();
  if (level !== undefined && stage !== undefined) return text;
  return text.replace(/, level.*$/, '').replace(stage === undefined ? /, stage.*$/ : /$^/, '');
}

function termsOf(range: Range, complain: Complain): WantedTerms {
  const { permissions, memory, attr, attr_indx: attrIndx, shareability, pas, level, terms } = range;
  const collector = new TermCollector(complain);
  for (const word of terms?.split(/\s+/).filter(Boolean) ?? []) collector.add(word);
  if (attr !== undefined && attr > 0xffn) complain('attr is a byte of MAIR');
  const space = securityOf(pas, complain);
  for (const word of memory === undefined || attrIndx !== undefined ? [] : memoryWords(memory))
    collector.add(word);
  collector.merge({
    ...(permissions?.privileged !== undefined && { privileged: permissions.privileged }),
    ...(permissions?.unprivileged !== undefined && { unprivileged: permissions.unprivileged }),
    ...(shareability !== undefined && { shareability }),
    ...(level !== undefined && { level }),
    ...(space !== undefined && { pas: space }),
    ...(range.global !== undefined && { global: range.global }),
    ...(range.contiguous !== undefined && { contiguous: range.contiguous }),
    ...(range.guarded !== undefined && { guarded: range.guarded }),
    ...(attr !== undefined && { memory: { attr: Number(attr) } }),
    ...(attrIndx !== undefined && { memory: { attrIndx } }),
  });
  return collector.terms;
}

const POLICY = '(non-cacheable|write-through|write-back|as implemented)[a-z -]*';
const NORMAL = new RegExp(
  `^normal( tagged)?, (?:inner and outer ${POLICY}|inner ${POLICY}, outer ${POLICY})$`,
);

/** `Normal, inner and outer Write-Back RW-allocate` as words: hints are said by `attr`. */
function memoryWords(text: string): string[] {
  const found = NORMAL.exec(text.toLowerCase());
  if (found === null) return text.split(/[\s,]+/).filter(Boolean);
  const [, tagged, both, inner = both, outer = both] = found;
  const [a, b] = [inner, outer].map((one) => (one === 'as implemented' ? 'imp' : one));
  return [`${a}/${b}`, ...(tagged === undefined ? [] : ['tagged'])];
}
