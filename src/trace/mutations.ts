/** Lists of traces with one command wrong, and which accesses are open then: schema `pgtable-trace-mutations/1`. */
import * as v from 'valibot';
import { readJsonAs } from '../json/read.ts';
import { maybe, members } from '../json/schemas.ts';
import { type Outcome, type SmmuTrace, SmmuTraceError, type SmmuTraceStep } from '../smmu/trace.ts';
import { information, permitted, stepNumber, word } from './members.ts';
import { outcomeOf } from './outcomes.ts';
import { checkStepExists } from './parse.ts';

/** What the lists say of themselves. */
export const MUTATIONS_SCHEMA = 'pgtable-trace-mutations/1';

const mutationSchema = members({
  base: v.pipe(v.string(), v.description('the file of the trace, beside this one')),
  what: v.string(),
  patch: v.array(members({ step: stepNumber, value: word })),
  open: v.array(stepNumber),
  first: maybe(
    members({
      step: stepNumber,
      arm: v.array(permitted),
      needs: v.optional(v.nullable(v.array(v.string()))),
    }),
  ),
  note: information,
});

/** The JSON of a list of mutations. @internal */
export const mutationsSchema = members({
  schema: v.literal(MUTATIONS_SCHEMA),
  producer: information,
  about: information,
  note: information,
  mutations: v.pipe(v.array(mutationSchema), v.minLength(1, 'must hold at least one mutation')),
});

/** Values of a trace's steps that replace its own, and what the architecture permits then. */
export interface TraceMutation {
  /** The trace's file, beside the list. */
  readonly base: string;
  /** What is wrong, in words. */
  readonly what: string;
  readonly patch: readonly { readonly step: number; readonly value: bigint }[];
  /** The steps of all accesses that have more than one permitted outcome then. */
  readonly open: readonly number[];
  /** The first of them. */
  readonly first?: {
    readonly step: number;
    readonly arm: readonly Outcome[];
    readonly needs?: readonly string[] | null;
  };
}

/** Reads a list of mutations. @throws SmmuTraceError that names the wrong part. */
export function parseMutations(json: unknown): readonly TraceMutation[] {
  const read = readJsonAs(mutationsSchema, json);
  if (!read.ok) throw new SmmuTraceError(read.problem);
  return read.value.mutations.map(({ base, what, patch, open, first }) => ({
    base,
    what,
    patch,
    open,
    ...(first && {
      first: {
        step: first.step,
        arm: first.arm.map(outcomeOf),
        ...(first.needs !== undefined && { needs: first.needs }),
      },
    }),
  }));
}

/** The trace with the mutation's values. @throws SmmuTraceError for a step that it does not have, or that writes nothing. */
export function mutatedTrace(trace: SmmuTrace, { patch, open, first, what }: TraceMutation): SmmuTrace {
  const steps: SmmuTraceStep[] = [...trace.steps];
  for (const { step, value } of patch) {
    checkStepExists(step, steps, `${what}: patch`);
    const old = steps[step]!;
    if (old.kind !== 'write64' && old.kind !== 'mmio') {
      throw new SmmuTraceError(
        `${what}: patch: step ${step} is a step of kind ${old.kind} and has no value; patch a write64 or an mmio`,
        step,
      );
    }
    steps[step] = { ...old, value };
  }
  for (const step of [...open, ...(first ? [first.step] : [])]) {
    checkStepExists(step, steps, `${what}: open`);
    if (steps[step]!.kind !== 'access') {
      throw new SmmuTraceError(`${what}: open: step ${step} is not an access`, step);
    }
  }
  return { ...trace, steps };
}
