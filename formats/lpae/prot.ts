/**
 * From a prot to the field values of a long descriptor. Linux's flags follow arm_lpae_prot_to_pte; what goes beyond them
 * follows the architecture (DDI 0487 D8.4, D8.6).
 */
import { FormatError, hex } from '../../src/pagetable/errors.ts';
import type { DeviceType, Execute, Prot, Stage1Regime } from '../../src/pagetable/format.ts';
import type { Extended } from './extended.ts';
import { type LevelRights, stage1Index, stage2Index } from './indirection.ts';
import { DEVICE_BYTE, mairBytes } from './mair.ts';
import { hasUnprivileged } from './regime.ts';

const SH = { non: 0, outer: 2, inner: 3 } as const;
/** Device types as MemAttr. */
const DEVICE_MEM_ATTR: Readonly<Record<DeviceType, number>> = { nGnRnE: 0, nGnRE: 1, nGRE: 2, GRE: 3 };
/** MemAttr of Normal memory, and with forced Write-Back (DDI 0487 tables D8-95 and D8-98): then 0b0110 is Write-Back whatever stage 1 says. */
const MEM_ATTR = { noncacheable: 0b0101, writeBack: 0b1111, forcedWriteBack: 0b0110 } as const;

/** Memory types of a MAIR register. */
const MAIR_BYTES = 8;
/** Who executes at stage 2: at EL1 (p) and at EL0 (u). */
const S2_EXECUTE: Readonly<Record<Execute, string>> = {
  all: 'pu',
  privileged: 'p',
  unprivileged: 'u',
  none: '',
};

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
  readonly extended: Extended;
}

/** Field values of a leaf. @throws FormatError for a prot that the format can't express. */
export function protFields(prot: Prot, context: ProtContext): Record<string, number> {
  return context.stage === 1 ? stage1Fields(prot, context) : stage2Fields(prot, context);
}

/**
 * Stage 1. Every mapping belongs to an ASID (nG), unless it is global. With one privilege level nG is RES0, and `priv` makes no
 * difference (DDI 0487 D8.3.1.2).
 */
function stage1Fields(prot: Prot, context: ProtContext): Record<string, number> {
  const oneLevel = !hasUnprivileged(context.regime);
  if (oneLevel && prot.global === false) {
    throw new FormatError(`${context.regime} has no ASID: every mapping is global (DDI 0487 D8.3.1.2)`);
  }
  const { indirection, overlays, mair2 } = context.extended;
  const index = attributeIndex(prot, context);
  return {
    nG: oneLevel || prot.global ? 0 : 1,
    AF: 1,
    ...shareability(prot, context),
    ...(indirection === undefined ? directFields(prot, context) : indirectFields(prot, context)),
    ...(overlays !== undefined && { POIndex: prot.poIndex ?? 0 }),
    AttrIndx: index % MAIR_BYTES,
    ...(mair2 !== undefined && { 'AttrIndx[3]': index < MAIR_BYTES ? 0 : 1 }),
    NS: (prot.nonSecure ?? context.ns) ? 1 : 0,
  };
}

/** Direct permissions: writable unless the prot asks for `read` alone. With one privilege level PXN is RES0, and AP[1] RES1. */
function directFields(prot: Prot, context: ProtContext): Record<string, number> {
  const readOnly = prot.read === true && !prot.write;
  const oneLevel = !hasUnprivileged(context.regime);
  return {
    'AP[2:1]': (readOnly ? 2 : 0) | (prot.priv && !oneLevel ? 0 : 1),
    DBM: context.dirtyState && !readOnly ? 1 : 0,
    ...(oneLevel ? oneLevelExecute(prot, context) : stage1Execute(prot, context, readOnly)),
  };
}

/**
 * Indirect permissions: the PIIndex that grants what the prot asks for. What may be written begins dirty; what may not is never dirty.
 * (DDI 0487 D8.4.1.3, D8.5.2.)
 */
function indirectFields(prot: Prot, context: ProtContext): Record<string, number> {
  const { indirection, overlays } = context.extended;
  const wanted = stage1Rights(prot, context);
  const limited = prot.poIndex !== undefined;
  const index = stage1Index(wanted, indirection!, {
    el1: limited && overlays?.por !== undefined,
    el0: limited && overlays?.por0 !== undefined,
  });
  return {
    'PIIndex[3]': (index >> 3) & 1,
    'PIIndex[2]': (index >> 2) & 1,
    'PIIndex[1]': (index >> 1) & 1,
    'PIIndex[0]': index & 1,
    nDirty: wanted.el1.includes('w') || wanted.el0.includes('w') ? 0 : 1,
  };
}

/**
 * The rights that a prot asks for: data for EL1, and for EL0 too unless it is `priv`; execution, where `execute` does not say whose, for the
 * level that the mapping is for. Nothing can be written that can't be read.
 */
function stage1Rights(prot: Prot, context: ProtContext): LevelRights {
  const { read, write, priv, noexec, execute = noexec ? 'none' : undefined } = prot;
  noContradiction(prot);
  const data = write ? 'rw' : read ? 'r' : '';
  if (!hasUnprivileged(context.regime)) {
    refuseUnprivileged(prot, context);
    return { el1: data + (execute === 'none' ? '' : 'x'), el0: '' };
  }
  const whose = execute ?? (priv ? 'privileged' : 'unprivileged');
  const by = (level: 'privileged' | 'unprivileged') => (whose === 'all' || whose === level ? 'x' : '');
  return { el1: data + by('privileged'), el0: (priv ? '' : data) + by('unprivileged') };
}

/**
 * Stage 2: read and write have a bit each. `priv` has no bit and is ignored, as in Linux. `noexec` sets both XN bits, as Linux
 * does. Without FEAT_XNX only XN[1] counts, so nobody can execute; with FEAT_XNX, 0b11 still lets EL1 execute (DDI 0487 table D8-78).
 */
function stage2Fields(prot: Prot, context: ProtContext): Record<string, number> {
  const { s2pir } = context.extended;
  return {
    AF: 1,
    ...shareability(prot, context),
    MemAttr: memAttr(prot, context.fwb),
    ...(s2pir === undefined
      ? {
          S2AP: (prot.read ? 1 : 0) | (prot.write ? 2 : 0),
          DBM: context.dirtyState && prot.write ? 1 : 0,
          'XN[1:0]': stage2Execute(prot, context.xnx),
        }
      : stage2IndirectFields(prot, s2pir)),
  };
}

/** Only what can be read can be executed: where the prot does not ask for execution by name, it is given there alone. (DDI 0487 D8.4.2.2.) */
function stage2IndirectFields(prot: Prot, s2pir: bigint): Record<string, number> {
  const { read, write, noexec } = prot;
  noContradiction(prot);
  const execute = prot.execute ?? (noexec || !read ? 'none' : 'all');
  const rights = `${read ? 'r' : ''}${write ? 'w' : ''}${S2_EXECUTE[execute]}`;
  const index = stage2Index(rights, s2pir);
  return {
    'PIIndex[3:2]': index >> 2,
    'PIIndex[1]': (index >> 1) & 1,
    'PIIndex[0]': index & 1,
    Dirty: write ? 1 : 0,
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

/** The index of the first attribute with the requested value, of MAIR and then of MAIR2. */
function attributeIndex(prot: Prot, { mair, extended: { mair2 } }: ProtContext): number {
  const { mairIndex } = prot;
  if (mairIndex !== undefined) {
    if (mairIndex >= MAIR_BYTES && mair2 === undefined) {
      throw new FormatError(
        `mairIndex ${mairIndex} is an attribute of MAIR2: it needs features: ['aie'] and a mair2 (DDI 0487 D8.6.1)`,
      );
    }
    if (prot.device === undefined && !prot.mmio && !prot.cache) return mairIndex;
    throw new FormatError(
      "mairIndex names the whole memory type; it can't be combined with device, mmio or cache",
    );
  }
  const device = deviceOf(prot);
  const byte = device !== undefined ? DEVICE_BYTE[device] : prot.cache ? 0xff : 0x44;
  const bytes = [...mairBytes(mair), ...(mair2 === undefined ? [] : mairBytes(mair2))];
  const index = bytes.indexOf(byte);
  if (index >= 0) return index;
  const what = device !== undefined ? `Device-${device}` : prot.cache ? 'Write-Back' : 'Non-cacheable';
  const [names, other] =
    mair2 === undefined
      ? [`MAIR ${hex(mair)} has`, 'a mair']
      : [`MAIR ${hex(mair)} and MAIR2 ${hex(mair2)} have`, 'a mair or mair2'];
  throw new FormatError(
    `${names} no attribute ${hex(byte)} (Normal or Device memory: ${what}); give ${other} that has it, or name an attribute by mairIndex (DDI 0487 D24.2.110)`,
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

function refuseUnprivileged({ execute }: Prot, { regime }: ProtContext): void {
  if (execute !== 'unprivileged') return;
  throw new FormatError(`${regime} has no unprivileged accesses: execute is all or none (DDI 0487 D8.1.2)`);
}

/** XN alone. */
function oneLevelExecute(prot: Prot, context: ProtContext): Record<string, number> {
  const { execute } = prot;
  refuseUnprivileged(prot, context);
  noContradiction(prot);
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
  if (noexec && execute !== undefined && execute !== 'none') {
    throw new FormatError(`noexec and execute ${execute} contradict each other; give one of them`);
  }
}
