/**
 * From a prot to the field values of a long descriptor. Linux's flags follow arm_lpae_prot_to_pte; what goes beyond them
 * follows the architecture (DDI 0487 D8.4, D8.6).
 */
import { FormatError, hex } from '../../src/pagetable/errors.ts';
import type { DeviceType, Prot, Stage1Regime } from '../../src/pagetable/format.ts';
import { DEVICE_BYTE, mairBytes } from './mair.ts';

const SH = { non: 0, outer: 2, inner: 3 } as const;
/** Device types as MemAttr. */
const DEVICE_MEM_ATTR: Readonly<Record<DeviceType, number>> = { nGnRnE: 0, nGnRE: 1, nGRE: 2, GRE: 3 };
/** MemAttr of Normal memory, and with forced Write-Back (DDI 0487 tables D8-95 and D8-98): then 0b0110 is Write-Back whatever stage 1 says. */
const MEM_ATTR = { noncacheable: 0b0101, writeBack: 0b1111, forcedWriteBack: 0b0110 } as const;

/** The parts of the configuration that decide how a prot is encoded. */
export interface ProtContext {
  readonly stage: 1 | 2;
  readonly width: 32 | 64;
  readonly mair: bigint;
  /** Of stage 1. */
  readonly regime: Stage1Regime;
  /** NS = 1 in every leaf. */
  readonly ns: boolean;
  /** Writable leaves get DBM. */
  readonly dirtyState: boolean;
  readonly fwb: boolean;
  readonly xnx: boolean;
  /** The shareability of every leaf, if it comes from TCR and not from the descriptor. */
  readonly fixedShareability: keyof typeof SH | undefined;
}

/** Field values of a leaf. @throws FormatError for a prot that the format can't express. */
export function protFields(prot: Prot, context: ProtContext): Record<string, number> {
  return context.stage === 1 ? stage1Fields(prot, context) : stage2Fields(prot, context);
}

/** Whether a regime has EL0 beside its own level, and with it ASIDs and two ranges of addresses. (DDI 0487 D8.1.2.) */
export function hasUnprivileged(regime: Stage1Regime): boolean {
  return regime === 'el1&0' || regime === 'el2&0';
}

/**
 * Stage 1: writable unless the prot asks for `read` alone. Every mapping belongs to an ASID (nG), unless it is global. With one privilege
 * level nG and PXN are RES0, AP[1] is RES1, and `priv` makes no difference (DDI 0487 D8.3.1.2).
 */
function stage1Fields(prot: Prot, context: ProtContext): Record<string, number> {
  const readOnly = prot.read === true && !prot.write;
  const oneLevel = !hasUnprivileged(context.regime);
  if (oneLevel && prot.global === false) {
    throw new FormatError(`${context.regime} has no ASID: every mapping is global (DDI 0487 D8.3.1.2)`);
  }
  return {
    nG: oneLevel || prot.global ? 0 : 1,
    AF: 1,
    ...shareability(prot, context),
    'AP[2:1]': (readOnly ? 2 : 0) | (prot.priv && !oneLevel ? 0 : 1),
    AttrIndx: attributeIndex(prot, context.mair),
    NS: (prot.nonSecure ?? context.ns) ? 1 : 0,
    DBM: context.dirtyState && !readOnly ? 1 : 0,
    ...(oneLevel ? oneLevelExecute(prot, context) : stage1Execute(prot, context, readOnly)),
  };
}

/**
 * Stage 2: read and write have a bit each. `priv` has no bit and is ignored, as in Linux. `noexec` sets both XN bits, as Linux
 * does. Without FEAT_XNX only XN[1] counts, so nobody can execute; with FEAT_XNX, 0b11 still lets EL1 execute (DDI 0487 table D8-78).
 */
function stage2Fields(prot: Prot, context: ProtContext): Record<string, number> {
  return {
    AF: 1,
    ...shareability(prot, context),
    S2AP: (prot.read ? 1 : 0) | (prot.write ? 2 : 0),
    MemAttr: memAttr(prot, context.fwb),
    DBM: context.dirtyState && prot.write ? 1 : 0,
    'XN[1:0]': stage2Execute(prot, context.xnx),
  };
}

function deviceOf({ device, mmio }: Prot): DeviceType | undefined {
  return device ?? (mmio ? 'nGnRE' : undefined);
}

function shareability(prot: Prot, { fixedShareability }: ProtContext): Record<string, number> {
  const asked = prot.shareability;
  if (fixedShareability === undefined) return { 'SH[1:0]': SH[asked ?? (prot.cache ? 'inner' : 'outer')] };
  if (asked !== undefined && asked !== fixedShareability) {
    throw new FormatError(
      `with lpa2, descriptors hold no shareability: all mappings are ${fixedShareability} shareable, as TCR.SH0 says, and none can be ${asked} (DDI 0487 D8.3.1)`,
    );
  }
  return {};
}

/** The index of the first MAIR attribute with the requested value. */
function attributeIndex(prot: Prot, mair: bigint): number {
  const { mairIndex } = prot;
  if (mairIndex !== undefined) {
    if (prot.device === undefined && !prot.mmio && !prot.cache) return mairIndex;
    throw new FormatError(
      "mairIndex names the whole memory type; it can't be combined with device, mmio or cache",
    );
  }
  const device = deviceOf(prot);
  const byte = device !== undefined ? DEVICE_BYTE[device] : prot.cache ? 0xff : 0x44;
  const index = mairBytes(mair).indexOf(byte);
  if (index >= 0) return index;
  const what = device !== undefined ? `Device-${device}` : prot.cache ? 'Write-Back' : 'Non-cacheable';
  throw new FormatError(
    `MAIR ${hex(mair)} has no attribute ${hex(byte)} (Normal or Device memory: ${what}); give a mair that has it, or name an attribute by mairIndex (DDI 0487 D24.2.110)`,
  );
}

function memAttr(prot: Prot, fwb: boolean): number {
  const device = deviceOf(prot);
  if (device !== undefined) return DEVICE_MEM_ATTR[device];
  if (!prot.cache) return MEM_ATTR.noncacheable;
  return fwb ? MEM_ATTR.forcedWriteBack : MEM_ATTR.writeBack;
}

/** UXN (XN) and PXN. AArch32's XN applies to both privilege levels, so it can't forbid execution at PL0 alone. */
function stage1Execute(prot: Prot, { width }: ProtContext, readOnly: boolean): Record<string, number> {
  const { execute } = prot;
  if (execute === undefined) return { XN: prot.noexec ? 1 : 0, PXN: prot.noexec ? 1 : 0 };
  noContradiction(prot);
  if (execute === 'privileged' && width === 32) {
    throw new FormatError(
      "AArch32's XN forbids execution at both levels: execute can't be 'privileged' (DDI 0487 G5.6.3)",
    );
  }
  const byPrivileged = execute === 'all' || execute === 'privileged';
  if (byPrivileged && width === 64 && !readOnly && !prot.priv) {
    throw new FormatError(
      `EL1 never executes memory that EL0 may write: execute ${execute} needs a mapping that is read-only or priv (DDI 0487 D8.4.1)`,
    );
  }
  if (execute === 'privileged') return { XN: 1, PXN: 0 };
  return { XN: execute === 'none' ? 1 : 0, PXN: execute === 'all' ? 0 : 1 };
}

/** XN alone. */
function oneLevelExecute(prot: Prot, { regime }: ProtContext): Record<string, number> {
  const { execute } = prot;
  if (execute === 'unprivileged') {
    throw new FormatError(`${regime} has no unprivileged accesses: execute is all or none (DDI 0487 D8.1.2)`);
  }
  if (execute !== undefined) noContradiction(prot);
  return { XN: prot.noexec || execute === 'none' ? 1 : 0, PXN: 0 };
}

/** XN[1:0] (DDI 0487 table D8-78): 0b01 not at EL1, 0b10 nowhere, 0b11 not at EL0. The odd values need FEAT_XNX. */
function stage2Execute(prot: Prot, xnx: boolean): number {
  const { execute } = prot;
  if (execute === undefined) return prot.noexec ? (xnx ? 2 : 3) : 0;
  noContradiction(prot);
  if (execute === 'all') return 0;
  if (execute === 'none') return 2;
  if (!xnx) {
    throw new FormatError(
      `stage 2 can only distinguish execution at EL1 from EL0 with FEAT_XNX: for execute ${execute}, configure features: ['xnx']`,
    );
  }
  return execute === 'privileged' ? 3 : 1;
}

function noContradiction({ execute, noexec }: Prot): void {
  if (noexec && execute !== 'none') {
    throw new FormatError(`noexec and execute ${execute} contradict each other; give one of them`);
  }
}
