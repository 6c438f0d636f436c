/** Context faults of an SMMUv2 as its registers show them: SMMU_CBn_FSR, FSYNR0, FAR, IPAFAR. (IHI 0062, stage 1 and 2 context banks.) */

import type { BitField } from '../arch/field.ts';
import { place, wordOf } from '../arch/read.ts';
import { isAArch32, type Regime, traitsOf } from '../arch/regimes.ts';
import { FSR_FORMAT, SMMU_FSR, SMMU_FSYNR0 } from '../arch/smmu/index.ts';
import type { Fault, FaultKind } from '../walker/types.ts';

/** The registers of the bank that records a fault. */
export interface ContextFaultRecord {
  /** The stage-2 bank records a stage-2 fault. */
  readonly stage: 1 | 2;
  readonly fsr: number;
  readonly fsynr0: number;
  /** The input address. */
  readonly far: bigint;
  /** Stage 2: the IPA. */
  readonly ipafar?: bigint;
}

const { TF, AFF, PF, EF, ASF } = SMMU_FSR.fields;

/** The bit of FSR that reports a fault. There are no domain faults, and no granule protection checks. */
const FAULT_BITS: Readonly<Record<FaultKind, BitField>> = {
  translation: TF,
  access_flag: AFF,
  permission: PF,
  external_walk: EF,
  address_size: ASF,
  domain: PF,
  granule_protection: EF,
};

/** The transaction that faulted, and its context bank. */
export interface ContextFaultContext {
  readonly far: bigint;
  readonly access: 'read' | 'write' | 'execute';
  readonly privileged: boolean;
  readonly regime: Regime;
  readonly index: number;
}

export function contextFaultRecord(fault: Fault, context: ContextFaultContext): ContextFaultRecord {
  const { far, access, privileged, regime, index } = context;
  const walk = fault.ptw || fault.kind === 'external_walk';
  const fsynr0 = wordOf(SMMU_FSYNR0, {
    PLVL: fault.level,
    WNR: access === 'write',
    PNU: privileged,
    IND: access === 'execute',
    PTWF: walk,
    S1CBNDX: fault.stage === 2 ? index : 0,
  });
  const format = place(SMMU_FSR.fields.FORMAT, FSR_FORMAT[formatOf(regime)]);
  return {
    stage: fault.stage,
    fsr: Number(place(FAULT_BITS[fault.kind], true) | format),
    fsynr0: Number(fsynr0),
    far,
    ...(fault.stage === 2 && fault.ipa !== undefined && { ipafar: fault.ipa }),
  };
}

/** Stage 2 of AArch32 has only long descriptors. The stage 1 of a nested bank is assumed to have them as well. */
function formatOf(regime: Regime): keyof typeof FSR_FORMAT {
  if (!isAArch32(regime)) return 'aarch64';
  return traitsOf(regime).descriptors === 'short' ? 'short' : 'long';
}
