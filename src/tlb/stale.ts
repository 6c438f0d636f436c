/** Stale entries: a TLB still gives answers that a walk no longer would. (DDI 0487 D8.17 RFFWJK, RGPPYH.) */
import type { Access, Fault, Translation, WalkResult } from '../walker/index.ts';
import { answerOf, type TlbEntry } from './entry.ts';

/** What changed. `fault` means that the walk ends without a translation. */
export type StaleField =
  | 'fault'
  | 'pa'
  | 'size'
  | 'attributes'
  | 'shareability'
  | 'permissions'
  | 'global'
  | 'contiguous'
  | 'guarded';

/** An entry that no longer agrees with memory. */
export interface StaleEntry {
  readonly entry: TlbEntry;
  /** The first input address with a difference, the entry's answer there, and the walk's. */
  readonly ia: bigint;
  readonly cached: WalkResult;
  readonly walked: WalkResult;
  readonly fields: readonly StaleField[];
}

const FIELDS = [
  'pa',
  'size',
  'attributes',
  'shareability',
  'permissions',
  'global',
  'contiguous',
  'guarded',
] as const satisfies readonly (keyof Translation)[];

/** How two answers to the same access differ. Two faults are compared by kind, level and stage. */
export function answerDifferences(cached: WalkResult, walked: WalkResult): StaleField[] {
  if (cached.ok && walked.ok) return FIELDS.filter((field) => !same(cached[field], walked[field]));
  if (cached.ok || walked.ok) return ['fault'];
  const [a, b] = [cached.fault, walked.fault];
  return a.kind === b.kind && a.level === b.level && a.stage === b.stage ? [] : ['fault'];
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

/**
 * Adds reasons to a fault of an entry, from a walk that ends at the same descriptor: an entry holds what is allowed, not
 * why. Memory is only read.
 */
export function withReasons(fault: Fault, { context }: TlbEntry, ia: bigint, access: Access): Fault {
  context.port.begin();
  const walked = context.walker.walk(ia, { ...access, update: false, trace: false });
  if (walked.ok || walked.fault.denied === undefined) return fault;
  const { kind, stage, descriptor, descriptorAddress, denied } = walked.fault;
  const same =
    kind === fault.kind &&
    stage === fault.stage &&
    descriptor === fault.descriptor &&
    descriptorAddress === fault.descriptorAddress;
  return same ? { ...fault, denied } : fault;
}

/**
 * Compares an entry with a walk under the registers that filled it, leaf by leaf, because a contiguous run in one entry may be
 * right for one of its members and wrong for another. Undefined if the entry still holds. Memory is only read.
 */
export function staleness(entry: TlbEntry): StaleEntry | undefined {
  const { context, translation, base, size } = entry;
  const access = { ...entry.access, update: false };
  // Use the offset that was walked: in AArch32, a leaf's first address may belong to the other range.
  const offset = translation.ia % translation.size;
  for (let ia = base + offset; ia < base + size; ia += translation.size) {
    context.port.begin();
    const walked = context.walker.walk(ia, access);
    const cached = answerOf(entry, ia, access);
    const fields = answerDifferences(cached, walked);
    if (fields.length > 0) return { entry, ia, cached, walked, fields };
  }
  return undefined;
}
