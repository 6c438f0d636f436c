/**
 * Instruction fetches from Device memory that is not execute-never: an implementation may treat them as Normal Non-cacheable, or take
 * a permission fault. (DDI 0487 B2.10.2; J1.1 AArch64.S1TreatAsNormalNC, S2TreatAsNormalNC, S1CheckPermissions, S2CheckPermissions.)
 */
import { type MemoryRegion, NON_CACHEABLE_FETCH } from './attributes.ts';
import type { S1Output, S1Request } from './first-stage.ts';
import type { Stage2 } from './stage2.ts';
import type { S2Output } from './stage2-output.ts';
import type { Fault } from './types.ts';

/** The possible results of such a fetch. */
export interface DeviceFetch {
  /** The memory type of the fetch, if no fault is taken. */
  readonly fetchedAs: MemoryRegion;
  /** The permission faults that may be taken instead: one of each stage whose memory is Device. */
  readonly permitted: readonly Fault[];
}

function asFetched(region: MemoryRegion): MemoryRegion {
  return region.attributes.type === 'device' ? NON_CACHEABLE_FETCH[region.attributes.xs ? 1 : 0] : region;
}

/** The permission fault that a fetch may get at stage 1, whatever happens later. */
export function stage1DeviceFault(s1: S1Output, request: S1Request): readonly Fault[] {
  if (request.access !== 'execute' || s1.region.attributes.type !== 'device') return [];
  const { level = 0, domain } = s1;
  return [{ kind: 'permission', level, stage: 1, ...(domain !== undefined && { domain }) }];
}

/** The results of a fetch that is allowed. Undefined if no stage says Device. */
export function deviceFetch(
  s1: S1Output,
  s2: S2Output | undefined,
  stage2: Stage2 | undefined,
  request: S1Request,
): DeviceFetch | undefined {
  if (request.access !== 'execute') return undefined;
  const first = stage1DeviceFault(s1, request);
  const region = asFetched(s1.region);
  if (s2 === undefined || stage2 === undefined) {
    return first.length === 0 ? undefined : { fetchedAs: region, permitted: first };
  }
  const both = stage2.combine(region, s2.attributeKey);
  const second: readonly Fault[] =
    both.attributes.type === 'device'
      ? [{ kind: 'permission', level: s2.level, stage: 2, ipa: BigInt(s1.oa) }]
      : [];
  if (first.length + second.length === 0) return undefined;
  return { fetchedAs: asFetched(both), permitted: [...first, ...second] };
}
