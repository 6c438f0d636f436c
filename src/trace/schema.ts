/** The JSON of SMMUv3 traces, schema `pgtable-trace/1`. */
import * as v from 'valibot';
import { isObject, isSaid, maybe, members, oneShapeOf, record, whole } from '../json/schemas.ts';
import { SMMU_PRESET_NAMES } from '../smmu/presets.ts';
import { INTERRUPT_SOURCES } from '../smmu/trace.ts';
import { information, observed, permitted, registerName, stepNumber, word, wordAddress } from './members.ts';

/** What a trace says of itself. */
export const TRACE_SCHEMA = 'pgtable-trace/1';

const note = information;

const write64 = members({ write64: wordAddress, value: word, note });
const mmio = members({ mmio: registerName, value: word, note });
const barrier = members({ barrier: v.literal(true), note });
const read = members({
  read: registerName,
  got: maybe(word),
  arm: maybe(v.array(word)),
  mask: maybe(word),
  note,
});

const read64 = members({ read64: wordAddress, got: maybe(word), note });
const interrupt = members({ interrupt: v.picklist(INTERRUPT_SOURCES), note });

const SID = whole(0, 0xffff_ffff);
const transaction = members({
  sid: SID,
  ssid: maybe(whole(0, 0xf_ffff)),
  iova: word,
  rw: v.picklist(['read', 'write']),
  size: maybe(whole(0, 0xffff_ffff)),
  data: maybe(word),
  privileged: maybe(v.boolean()),
  instruction: maybe(v.boolean()),
  ats: maybe(v.boolean()),
});
const access = members({
  access: transaction,
  got: maybe(observed),
  arm: maybe(v.pipe(v.array(permitted), v.minLength(1, 'must name at least one outcome'))),
  needs: v.optional(v.nullable(v.array(v.string()))),
  producer_cache: information,
  note,
});

const resumed = members({
  resumed: stepNumber,
  got: maybe(observed),
  arm: maybe(v.pipe(v.array(permitted), v.minLength(1, 'must name at least one outcome'))),
  note,
});

const KINDS = { write64, mmio, barrier, read, read64, interrupt, access, resumed } as const;
const KIND_NAMES = Object.keys(KINDS) as (keyof typeof KINDS)[];

/** Steps are distinguished by a member that each kind has. @internal */
export const stepSchema = oneShapeOf(
  [write64, mmio, barrier, read, read64, interrupt, access, resumed],
  (json) => {
    const kind = isObject(json) ? KIND_NAMES.find((name) => isSaid(json[name])) : undefined;
    return kind && KINDS[kind];
  },
  `must be a step: an object with one of ${KIND_NAMES.join(', ')}`,
);

const machine = members({
  base: maybe(word),
  /** Values of the registers that are not given. */
  preset: maybe(v.picklist(SMMU_PRESET_NAMES)),
  idr0: maybe(word),
  idr1: maybe(word),
  idr3: maybe(word),
  idr5: maybe(word),
  aidr: maybe(word),
  gbpa: maybe(word),
  sids: maybe(v.array(SID)),
  ram: members({ base: word, size: word }),
});

const byteOffset = v.pipe(v.string(), v.regex(/^(0|[1-9]\d{0,15})$/, 'is not a number of bytes from pa on'));
const memory = members({ pa: wordAddress, words64: record(byteOffset, word), note });

/** Everything but the steps: the first line of JSON lines. @internal */
export const headEntries = {
  schema: v.literal(TRACE_SCHEMA),
  kind: v.literal('smmuv3'),
  name: v.string(),
  producer: information,
  about: information,
  sections: information,
  note,
  machine,
  memory: maybe(v.array(memory)),
  producer_leaves_arm_at: maybe(v.array(stepNumber)),
};

/** A whole trace as one document. @internal */
export const traceSchema = members({ ...headEntries, steps: v.array(stepSchema) });

/** @internal */
export type TraceJson = v.InferOutput<typeof traceSchema>;
/** @internal */
export type StepJson = v.InferOutput<typeof stepSchema>;
/** @internal */
export type PermittedJson = v.InferOutput<typeof permitted>;
/** @internal */
export type ObservedJson = v.InferOutput<typeof observed>;
