/**
 * The context that a PE's registers give its TLB: the translation regime, ASID and VMID that entries are tagged with, and
 * the walker for misses. (DDI 0487 D8.16.3 ASIDs and VMIDs, D8.17 RNWYRD.)
 */
import { bitsIn, isSet, read } from '../arch/read.ts';
import { isAArch32, isAArch32Stage, type Regime, traitsOf } from '../arch/regimes.ts';
import { TTBR_LONG, VTTBR } from '../arch/registers/aarch32-base.ts';
import { TTBCR } from '../arch/registers/aarch32-control.ts';
import { VA } from '../arch/registers/address.ts';
import { TTBR0_EL1 } from '../arch/registers/base.ts';
import { TCR2_EL1 } from '../arch/registers/extended.ts';
import { pairOf } from '../arch/registers/parts.ts';
import { ONE_RANGE, type RangeControl, STAGE2_RANGE, TWO_RANGES } from '../arch/registers/range-control.ts';
import { HCR_EL2, VTCR_EL2, VTTBR_EL2 } from '../arch/registers/stage2.ts';
import { TCR_EL1, TCR_EL3 } from '../arch/registers/tcr.ts';
import { type PaSpace, type SecurityState, type StageSecurity, securityOfScr } from '../arch/security.ts';
import type { PhysicalMemory } from '../memory/index.ts';
import { POW2 } from '../walker/bits.ts';
import { type CpuFeatures, cpuFeatures } from '../walker/cpu.ts';
import type { Access, WalkerOptions } from '../walker/index.ts';
import { ttbcrSizes } from '../walker/params/aarch32.ts';
import { usesTwoAsids } from '../walker/params/extended.ts';
import { rangesOf, stage2Params } from '../walker/regime-params.ts';
import { regimeStages } from '../walker/regimes.ts';
import { registerValues, type WalkerRegisters } from '../walker/register-values.ts';
import { walkerSecurity } from '../walker/security.ts';
import { Walker } from '../walker/walker.ts';
import { WalkPort } from './walk-port.ts';

/** The translation regimes that TLB entries distinguish. EL1&0 includes PL1&0, with or without stage 2, and EL2 includes PL2. */
export type TranslationRegime = 'el1&0' | 'el2' | 'el2&0' | 'el3';

/** Which stages an entry holds: only stage 1, only stage 2 (its input is an IPA), or both combined. */
export type StagesHeld = 'stage1' | 'stage2' | 'both';

/** A context's registers, and identifiers that are not in them or that override them. */
export interface TlbContextOptions extends WalkerOptions {
  /** 0 to 0xffff. Default: TTBRn.ASID as TCR.A1 and AS select it; 0 for short descriptors (CONTEXTIDR is not given). */
  readonly asid?: number;
  /**
   * 0 to 0xffff. Default: VTTBR.VMID with the size in VTCR.VS, or 0 in regimes without stage 2. At EL2 and EL3 no entry is tagged with it:
   * it is the VMID of TLBI operations on EL1&0.
   */
  readonly vmid?: number;
  /** EL2&0: HCR_EL2.TGE. If 0, E1 TLBI operations apply to EL1&0. Default: what `registers.hcr` says, or true. */
  readonly tge?: boolean;
}

/** A context ready to translate. It is immutable: after a register write there is a new one. */
export interface TlbContext {
  readonly regime: TranslationRegime;
  readonly security: SecurityState;
  /**
   * The Security state of TLBI operations on EL1 and EL2: that of the regime, and at EL3 what SCR_EL3.{NSE, NS} says (Non-secure if it was not
   * given). `reserved`: {1, 0}, nothing has to go. (D8.17.6 IBDTLG.)
   */
  readonly operationSecurity: SecurityState | 'reserved';
  /** Whether that Security state has an EL2. Without it operations on stage 2 do nothing. */
  readonly el2: boolean;
  /** Undefined if every stage is off: then nothing is translated or cached. */
  readonly holds: StagesHeld | undefined;
  /** Undefined if the regime has no ASID: all entries are global. With TCR2_ELx.A2 = 1 it is the lower range's. */
  readonly asid: number | undefined;
  /** The ASID that tags entries for an address: `asid`, or with TCR2_ELx.A2 = 1 that of its range's TTBR. (FEAT_ASID2) */
  asidOf(ia: bigint): number | undefined;
  /** Undefined outside EL1&0. */
  readonly vmid: number | undefined;
  /** HCR_EL2.TGE, which matters only in EL2&0; and the VMID of TLBI operations on EL1&0, whatever regime is current. */
  readonly tge: boolean;
  readonly operationVmid: number;
  /** TCR.DS (VTCR.DS for only stage 2): range operands depend on it. */
  readonly ds: boolean;
  readonly aarch32: boolean;
  /** DACR, which a TLB may not cache: entries made under another value are not found. 0 if DACR does not apply. */
  readonly dacr: bigint;
  /** Permission overlays, which a TLB may not cache: entries made under other values are not found. (D8.4.1.4 I_SKPNZ, R_LJKKX) */
  readonly overlays: string;
  /** Stages with indirect permissions, in which bit 51 is no DBM. */
  readonly indirect: readonly (1 | 2)[];
  readonly cpu: CpuFeatures;
  readonly walker: Walker;
  /** @internal The walker of this context. */
  readonly port: WalkPort;
  /** Whether an address is in the upper range, that of TTBR1. In AArch32 a block of one range may reach into the other. */
  upper(ia: bigint): boolean;
  /** Whether E0PD makes an access fault before any lookup, whatever the TLB holds. */
  denied(ia: bigint, access: Access): boolean;
}

/** The regime that a TLB tags entries with. It follows from the controlling Exception level and from whether EL0 is part of it. */
function taggedRegime(regime: Regime): TranslationRegime {
  const { el, unprivileged } = traitsOf(regime);
  if (el === 3) return 'el3';
  if (el === 2) return unprivileged ? 'el2&0' : 'el2';
  return 'el1&0';
}

const E0PD = pairOf(TCR_EL1, 'E0PDx');
const dsOf = (register: bigint, { ds }: RangeControl) => isSet(register, ds);

/**
 * Makes a context from register values.
 * @throws WalkerError, as {@link createWalker} does.
 */
export function tlbContext(memory: PhysicalMemory, options: TlbContextOptions): TlbContext {
  const { regime, registers } = options;
  const cpu = cpuFeatures(options.cpu);
  const port = new WalkPort(memory);
  const security = walkerSecurity({ ...options, cpu });
  const stages = regimeStages(port, regime, registers, cpu, security);
  const unchecked = stages.gpc && regimeStages(port, regime, { ...registers, gpccr: 0n }, cpu, security);
  const { tcr = 0n, vtcr = 0n } = registers;
  const { architecture, stage1, ranges, unprivileged } = traitsOf(regime);
  const aarch32 = architecture === 'AArch32';
  const twoRanges = architecture === 'AArch64' && stage1 && ranges === 2;
  const e0pd = twoRanges && cpu.e0pd ? E0PD.map((field) => isSet(tcr, field)) : [false, false];
  const translationRegime = taggedRegime(regime);
  const upper: TlbContext['upper'] = twoRanges
    ? (ia) => isSet(ia, VA.fields.range)
    : stages.stage1 && aarch32
      ? aarch32Upper(regime, tcr)
      : () => false;
  const tagged = unprivileged && stages.stage1;
  const [asid, upperAsid] = tagged ? asidsOf(options, security, cpu) : [undefined, undefined];
  return {
    regime: translationRegime,
    security: security.state,
    operationSecurity: operationSecurity(regime, security),
    el2: security.el2,
    holds: held(stages.stage1, stages.stage2 !== undefined),
    asid,
    asidOf: upperAsid === asid ? () => asid : (ia) => (upper(ia) ? upperAsid : asid),
    vmid: translationRegime === 'el1&0' ? (options.vmid ?? currentVmid(options)) : undefined,
    tge: options.tge ?? (registers.hcr === undefined || isSet(registers.hcr, HCR_EL2.fields.TGE)),
    operationVmid: options.vmid ?? currentVmid(options),
    ds:
      !aarch32 &&
      cpu.lpa2 &&
      dsOf(stages.stage1 ? tcr : vtcr, !stages.stage1 ? STAGE2_RANGE : twoRanges ? TWO_RANGES[0] : ONE_RANGE),
    aarch32,
    dacr: isShort(regime, tcr) && stages.stage1 ? (registers.dacr ?? 0n) : 0n,
    overlays: architecture === 'AArch64' ? overlaysOf(registers) : '',
    indirect: architecture === 'AArch64' ? indirectStages(regime, registers, cpu, security) : [],
    cpu,
    walker: new Walker(regime, cpu, stages, undefined, unchecked),
    port,
    upper,
    denied: (ia, access) => access.privileged === false && stages.stage1 && e0pd[read(ia, VA.fields.range)]!,
  };
}

function operationSecurity(
  regime: Regime,
  { state, scr }: Pick<StageSecurity, 'state' | 'scr'>,
): TlbContext['operationSecurity'] {
  if (traitsOf(regime).el !== 3) return state;
  return scr === undefined ? 'non-secure' : (securityOfScr(scr, 'el1&0') ?? 'reserved');
}

/** The IPA space of entries of stage 2 alone: a regime of Secure stage 2 alone translates Secure IPAs. */
export function ipasOf({ holds, security }: Pick<TlbContext, 'holds' | 'security'>): PaSpace | undefined {
  return holds === 'stage2' && security === 'secure' ? security : undefined;
}

/** Everything that overlays depend on: the registers, and what turns them on. */
function overlaysOf({
  tcr = 0n,
  tcr2 = 0n,
  vtcr = 0n,
  por = 0n,
  por0 = 0n,
  s2por = 0n,
}: WalkerRegisters): string {
  const { POE, E0POE } = TCR2_EL1.fields;
  const on = [
    bitsIn(tcr2, POE),
    bitsIn(tcr2, E0POE),
    bitsIn(tcr, TCR_EL3.fields.POE),
    bitsIn(vtcr, VTCR_EL2.fields.S2POE),
  ];
  return on.every((bit) => bit === 0n) ? '' : [...on, por, por0, s2por].join('.');
}

function indirectStages(
  regime: Regime,
  registers: WalkerRegisters,
  cpu: CpuFeatures,
  security: StageSecurity,
): (1 | 2)[] {
  const values = registerValues(regime, registers);
  const { stage1, stage2 } = traitsOf(regime);
  const first = stage1 && rangesOf(regime, values, cpu, security).spans[0]?.params.indirection !== undefined;
  const second = stage2 && stage2Params(regime, values, cpu).indirection !== undefined;
  return [...(first ? [1 as const] : []), ...(second ? [2 as const] : [])];
}

/** The first address of TTBR1, by TTBCR: T0SZ and T1SZ of long descriptors, N of short ones. (G5.5.2, G5.4.2.) */
function aarch32Upper(regime: Regime, ttbcr: bigint): (ia: bigint) => boolean {
  const { t0sz, t1sz } = ttbcrSizes(ttbcr);
  // N of short descriptors has the place of T0SZ. With 0, TTBR1 has no addresses.
  const lowerEnd = t0sz === 0 ? Infinity : POW2[32 - t0sz]!;
  const upperStart = POW2[32]! - POW2[32 - t1sz]!;
  const start = isShort(regime, ttbcr) || t1sz === 0 ? lowerEnd : upperStart;
  return (ia) => ia >= start;
}

function held(stage1: boolean, stage2: boolean): StagesHeld | undefined {
  if (stage1) return stage2 ? 'both' : 'stage1';
  return stage2 ? 'stage2' : undefined;
}

/** The ASIDs of both ranges: one, unless TCR2_ELx.A2 = 1. (FEAT_ASID2; D24.2.190 TCR2_EL1.A2) */
function asidsOf(options: TlbContextOptions, security: StageSecurity, cpu: CpuFeatures): [number, number] {
  const { regime, registers, asid } = options;
  const own = (range: 'ttbr0' | 'ttbr1') => asidIn(options, range);
  if (asid !== undefined) return [asid, asid];
  const traits = traitsOf(regime);
  if (
    traits.architecture === 'AArch64' &&
    usesTwoAsids(traits, registerValues(regime, registers), security, cpu)
  )
    return [own('ttbr0'), own('ttbr1')];
  const one = currentAsid(options);
  return [one, one];
}

/** ASID of TTBR0 or TTBR1, by TCR.A1 (at the same bit in TTBCR): 8 bits if TCR.AS is 0, and in AArch32. */
function currentAsid({ regime, registers }: WalkerOptions): number {
  const { tcr = 0n } = registers;
  if (isShort(regime, tcr)) return 0;
  return asidIn({ regime, registers }, isSet(tcr, TCR_EL1.fields.A1) ? 'ttbr1' : 'ttbr0');
}

function asidIn({ regime, registers }: WalkerOptions, range: 'ttbr0' | 'ttbr1'): number {
  const wide = !isAArch32(regime) && isSet(registers.tcr ?? 0n, TCR_EL1.fields.AS);
  const { ASID } = (wide ? TTBR0_EL1 : TTBR_LONG).fields;
  return read(registers[range] ?? 0n, ASID);
}

function isShort(regime: Regime, ttbcr: bigint): boolean {
  const { descriptors } = traitsOf(regime);
  return descriptors === 'short' || (descriptors === 'long or short' && !isSet(ttbcr, TTBCR.fields.EAE));
}

/** VMID of VTTBR: 8 bits if VTCR.VS is 0, and in AArch32. */
function currentVmid({ regime, registers }: WalkerOptions): number {
  if (!traitsOf(regime).stage2) return 0;
  const { vtcr = 0n, vttbr = 0n } = registers;
  const { VMID } = (!isAArch32Stage(regime, 2) && isSet(vtcr, VTCR_EL2.fields.VS) ? VTTBR_EL2 : VTTBR).fields;
  return read(vttbr, VMID);
}
