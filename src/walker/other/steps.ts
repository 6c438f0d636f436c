/** Steps and faults of walks outside VMSA: one stage of 64-bit descriptors. (The shape of DDI 0487 J1.3 FaultRecord.) */

import type { Denial } from '../denial-causes.ts';
import type { StageFault } from '../lookup.ts';
import type { Fault, FaultKind, WalkStep } from '../types.ts';

/** The current place of a walk: an entry of a table. */
export interface Place {
  readonly level: number;
  readonly tableBase: number;
  readonly index: number;
  readonly pa: number;
  readonly sizeLog2: number;
}

/** The step for the fetch of that entry. */
export function step(at: Place, kind: WalkStep['kind'], word?: bigint, output?: number): WalkStep {
  return {
    stage: 1,
    level: at.level,
    tableBase: BigInt(at.tableBase),
    index: at.index,
    address: BigInt(at.pa),
    size: 1n << BigInt(at.sizeLog2),
    kind,
    ...(word !== undefined && { descriptor: word }),
    ...(output !== undefined && { output: BigInt(output) }),
  };
}

/** A fault at that entry; `fetchAddress`: the fetch itself was aborted. */
export function fault(
  kind: FaultKind,
  at: Place,
  word: bigint | undefined,
  fetchAddress?: number,
): StageFault {
  const found: Fault = {
    kind,
    level: at.level,
    stage: 1,
    descriptorAddress: BigInt(at.pa),
    ...(word !== undefined && { descriptor: word }),
    ...(fetchAddress !== undefined && { fetchAddress: BigInt(fetchAddress) }),
  };
  return { ok: false, fault: found };
}

/** A permission fault at that leaf, with all that denied the access. */
export function permissionFault(
  at: Place,
  word: bigint,
  denied: readonly Omit<Denial, 'stage'>[],
): StageFault {
  const found = fault('permission', at, word);
  return { ...found, fault: { ...found.fault, denied: denied.map((one) => ({ ...one, stage: 1 })) } };
}
