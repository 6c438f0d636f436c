/** How a driver changes an STE or CD that is in use, word by word: schema `pgtable-hitless/1`. (IHI 0070 G.b, 3.21.3.) */
import * as v from 'valibot';
import { readJsonAs } from '../json/read.ts';
import { isObject, isSaid, maybe, members, oneShapeOf, whole } from '../json/schemas.ts';
import { SmmuTraceError } from '../smmu/trace.ts';
import { information, word } from './members.ts';

/** What the lists say of themselves. */
export const HITLESS_SCHEMA = 'pgtable-hitless/1';

/** Both structures have eight 64-bit words. (5.2, 5.4.) */
const WORDS = 8;
const words = v.pipe(
  v.array(word),
  v.length(WORDS, `must have ${WORDS} words: an STE and a CD have 64 bytes (5.2, 5.4)`),
);

const write = members({ write: whole(0, WORDS - 1), value: word });
const sync = members({ sync: whole(1, 0xffff_ffff) });

const transitionSchema = members({
  schema: v.literal(HITLESS_SCHEMA),
  name: v.string(),
  producer: information,
  note: information,
  structure: v.picklist(['ste', 'cd']),
  from: words,
  to: words,
  used_from: maybe(words),
  used_to: maybe(words),
  steps: v.array(
    oneShapeOf(
      [write, sync],
      (json) => {
        if (!isObject(json)) return undefined;
        if (isSaid(json.write)) return write;
        return isSaid(json.sync) ? sync : undefined;
      },
      'must be a step: an object with write or sync',
    ),
  ),
  syncs: maybe(whole(0, 0xffff_ffff)),
  hitless: maybe(v.boolean()),
  v0_seen: maybe(v.boolean()),
});

/** The JSON of a list of transitions. @internal */
export const hitlessSchema = v.pipe(
  v.array(transitionSchema),
  v.minLength(1, 'must hold at least one transition'),
);

/** Writes to one word of the structure, or CMD_CFGI_STE or CMD_CFGI_CD with CMD_SYNC. */
export type HitlessStep =
  | { readonly kind: 'write'; readonly index: number; readonly value: bigint }
  | { readonly kind: 'sync' };

/** A change of an STE or CD. */
export interface Transition {
  readonly name: string;
  readonly structure: 'ste' | 'cd';
  /** The eight 64-bit words before and after, the lowest first. */
  readonly from: readonly bigint[];
  readonly to: readonly bigint[];
  /** The bits that the driver says hardware looks at. */
  readonly usedFrom: readonly bigint[] | undefined;
  readonly usedTo: readonly bigint[] | undefined;
  readonly steps: readonly HitlessStep[];
  /** What the driver says of it, if the file does: how many syncs; whether no transaction sees anything but the old or the new; whether V = 0 was synced. */
  readonly syncs: number | undefined;
  readonly hitless: boolean | undefined;
  readonly v0Seen: boolean | undefined;
}

/** Reads a list of transitions. @throws SmmuTraceError that names the wrong part. */
export function parseTransitions(json: unknown): readonly Transition[] {
  const read = readJsonAs(hitlessSchema, json);
  if (!read.ok) throw new SmmuTraceError(read.problem);
  return read.value.map((one) => ({
    name: one.name,
    structure: one.structure,
    from: one.from,
    to: one.to,
    usedFrom: one.used_from,
    usedTo: one.used_to,
    steps: one.steps.map(
      (step): HitlessStep =>
        'write' in step ? { kind: 'write', index: step.write, value: step.value } : { kind: 'sync' },
    ),
    syncs: one.syncs,
    hitless: one.hitless,
    v0Seen: one.v0_seen,
  }));
}
