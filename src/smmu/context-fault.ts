/** Context faults of an SMMUv2 as its registers show them: SMMU_CBn_FSR, FSYNR0, FAR, IPAFAR. (IHI 0062, stage 1 and 2 context banks.) */
import { isAArch32, type Regime, traitsOf } from '../arch/regimes.ts';
import type { Fault, FaultKind } from '../walker/types.ts';

/** The registers of the bank that records a fault. */
export interface ContextFaultRecord {
  /** A stage-2 fault is recorded by the stage-2 bank. */
  readonly stage: 1 | 2;
  readonly fsr: number;
  readonly fsynr0: number;
  /** The input address. */
  readonly far: bigint;
  /** Stage 2: the IPA. */
  readonly ipafar?: bigint;
}

/** FSR: TF, AFF, PF, EF, ASF. There are no domain faults. */
const FSR_BITS: Readonly<Record<FaultKind, number>> = {
  translation: 1 << 1,
  access_flag: 1 << 2,
  permission: 1 << 3,
  external_walk: 1 << 4,
  address_size: 1 << 7,
  domain: 1 << 3,
};

const FORMAT_SHIFT = 9;
/** FSR.FORMAT. */
const FORMATS = { short: 0, long: 1, aarch64: 2 } as const;

const WNR = 1 << 4;
const PNU = 1 << 5;
const IND = 1 << 6;
const PTWF = 1 << 10;
const S1CBNDX_SHIFT = 16;

/** The transaction that faulted, and the bank that it came to. */
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
  const fsynr0 =
    (fault.level & 3) |
    (access === 'write' ? WNR : 0) |
    (privileged ? PNU : 0) |
    (access === 'execute' ? IND : 0) |
    (walk ? PTWF : 0) |
    (fault.stage === 2 ? (index & 0xff) << S1CBNDX_SHIFT : 0);
  return {
    stage: fault.stage,
    fsr: FSR_BITS[fault.kind] | (FORMATS[formatOf(regime)] << FORMAT_SHIFT),
    fsynr0,
    far,
    ...(fault.stage === 2 && fault.ipa !== undefined && { ipafar: fault.ipa }),
  };
}

/** Stage 2 of AArch32 has long descriptors alone, which is where a nested bank's stage 1 is taken to be as well. */
function formatOf(regime: Regime): keyof typeof FORMATS {
  if (!isAArch32(regime)) return 'aarch64';
  return traitsOf(regime).descriptors === 'short' ? 'short' : 'long';
}
