/** Parameters of granule protection checks, from GPCCR_EL3, GPTBR_EL3 and GPCBW_EL3: the shape of the table, and the checks that need no table. (DDI 0487 D9.) */
import { GPI } from '../../arch/descriptors/gpt.ts';
import { addressOf, isSet, read } from '../../arch/read.ts';
import {
  GPCBW_EL3,
  GPCCR_EL3,
  GPTBR_EL3,
  L0GPTSZ_BITS,
  PGS_BITS,
} from '../../arch/registers/granule-protection.ts';
import type { PaSpace } from '../../arch/security.ts';
import { alignDown, POW2 } from '../bits.ts';
import type { CpuFeatures } from '../cpu.ts';
import {
  GPC_FAULTS,
  GPTBR_BEYOND,
  type GpcSubject,
  gptAlignLog2,
  hasWindows,
  ppsBits,
} from '../rules/granule-protection.ts';
import { faultOf } from '../rules/rule.ts';

/** Windows of addresses that bypass the table: those whose bits `[strideLog2 - 1:sizeLog2]` equal those of `base`. */
export interface BypassWindow {
  readonly sizeLog2: number;
  readonly strideLog2: number;
  readonly base: number;
}

/** Granule protection checks of a PE that has them on. */
export interface GptParams {
  /** The registers are invalid or inconsistent: every access is a GPT walk fault at level 0. */
  readonly invalid: boolean;
  /** The table is beyond the protected address space. */
  readonly baseOutOfRange: boolean;
  readonly ppsLog2: number;
  /** log2 of the bytes that a level 0 entry covers, and of the granule. */
  readonly l0Log2: number;
  readonly granuleLog2: number;
  readonly tableBase: number;
  /** Physical address spaces that no access may reach. */
  readonly denied: readonly PaSpace[];
  /** Beyond the protected address space every access passes. Otherwise only Non-secure ones do. */
  readonly allBeyond: boolean;
  readonly window: BypassWindow | undefined;
  /** GPI values that are not reserved. */
  readonly gpis: ReadonlySet<number>;
  /** FEAT_RME_GDI: two neighbouring entries of level 1 are valid together, or not at all. */
  readonly pairs: boolean;
}

const { GPC, L0GPTSZ, PGS, SPAD, NSPAD, RLPAD, APPSAA } = GPCCR_EL3.fields;

/** Undefined if the checks are off. */
export function gptParams(subject: GpcSubject): GptParams | undefined {
  const { gpccr, gptbr, cpu } = subject;
  if (!isSet(gpccr, GPC)) return undefined;
  const l0Log2 = L0GPTSZ_BITS[read(gpccr, L0GPTSZ)] ?? 30;
  const ppsLog2 = ppsBits(subject) ?? 0;
  const disabled = { secure: SPAD, 'non-secure': NSPAD, realm: RLPAD } as const;
  const spaces = Object.keys(disabled) as (keyof typeof disabled)[];
  return {
    invalid: faultOf(GPC_FAULTS, subject) !== undefined,
    baseOutOfRange: GPTBR_BEYOND.holds(subject),
    ppsLog2,
    l0Log2,
    granuleLog2: PGS_BITS[read(gpccr, PGS)] ?? 12,
    tableBase: alignDown(Number(addressOf(gptbr, GPTBR_EL3.fields.BADDR)), gptAlignLog2(ppsLog2, l0Log2)),
    denied: cpu.rmeGpc2 ? spaces.filter((space) => isSet(gpccr, disabled[space])) : [],
    allBeyond: cpu.rmeGpc2 && isSet(gpccr, APPSAA),
    window: hasWindows(subject) ? windowOf(subject) : undefined,
    gpis: validGpis(gpccr, cpu),
    pairs: cpu.rmeGdi,
  };
}

function windowOf({ gpcbw }: GpcSubject): BypassWindow {
  const { BWSIZE, BWSTRIDE, BWADDR } = GPCBW_EL3.fields;
  return {
    sizeLog2: 30 + read(gpcbw, BWSIZE),
    strideLog2: 40 + read(gpcbw, BWSTRIDE),
    base: Number(addressOf(gpcbw, BWADDR)),
  };
}

/** GPIValid. */
function validGpis(gpccr: bigint, cpu: CpuFeatures): ReadonlySet<number> {
  const { NSO, NSP, SA, NA6, NA7 } = GPCCR_EL3.fields;
  // A PE with FEAT_RME and without FEAT_SEL2 has no Secure state.
  const secureState = !cpu.rme || cpu.sel2;
  const chosen: readonly (readonly [gpi: number, valid: boolean])[] = [
    [GPI.secure, secureState],
    [GPI.nonSecureOnly, cpu.rmeGpc2 && isSet(gpccr, NSO)],
    [GPI.nonSecureProtected, cpu.rmeGdi && isSet(gpccr, NSP)],
    [GPI.systemAgent, cpu.rmeGdi && isSet(gpccr, SA)],
    [GPI.na6, cpu.rmeGdi && isSet(gpccr, NA6)],
    [GPI.na7, cpu.rmeGdi && isSet(gpccr, NA7)],
  ];
  const always = [GPI.noAccess, GPI.nonSecure, GPI.root, GPI.realm, GPI.any];
  return new Set([...always, ...chosen.flatMap(([gpi, valid]) => (valid ? [gpi] : []))]);
}

/** PAWithinGPCBypassWindow. */
export function isInWindow({ window }: GptParams, pa: number): boolean {
  if (window === undefined) return false;
  const { sizeLog2, strideLog2, base } = window;
  return alignDown(pa % POW2[strideLog2]!, sizeLog2) === base % POW2[strideLog2]!;
}
