/**
 * Register values for a long-descriptor table. Linux reports single fields, hardware takes whole words: TCR_EL1, VTCR_EL2 and
 * TTBRs of AArch64 (DDI 0487 D24.2), or for a 32-bit format TTBCR, VTCR and TTBRs of AArch32 (G8.2, DDI 0406C B4.1).
 */
import type { Registers, Stage1Regime } from '../../src/pagetable/format.ts';
import { type Extended, stage1Extended, stage2Extended } from './extended.ts';
import { hasUnprivileged } from './regime.ts';

/** Fields of TCR or VTCR by their names in Linux's io_pgtable_cfg. */
export interface ControlFields {
  /** Output size code: IPS or PS. */
  readonly outputCode: number;
  readonly tg: number;
  readonly sh: number;
  readonly orgn: number;
  readonly irgn: number;
  readonly tsz: number;
}

const BIT = (n: number) => 1n << BigInt(n);
const at = (value: number, low: number) => BigInt(value) << BigInt(low);
const EPD0 = BIT(7);
const EPD1 = BIT(23);
const EAE = BIT(31);
const RES1 = BIT(31);
/** Of TCR_EL2, TCR_EL3 and HTCR beside it. */
const RES1_23 = BIT(23);

/** What hardware updates in descriptors: nothing, the access flag (HA), or the dirty state too (HD). Bits of TCR and VTCR. */
export type HardwareUpdate = 'none' | 'access' | 'dirty';
const TCR_UPDATE = { none: 0n, access: BIT(39), dirty: BIT(39) | BIT(40) } as const;
const VTCR_UPDATE = { none: 0n, access: BIT(21), dirty: BIT(21) | BIT(22) } as const;
/** TCR.DS and VTCR.DS: LPA2. */
const TCR_DS = BIT(59);
const VTCR_DS = BIT(32);
const VTCR_SL2 = BIT(33);
/** HCR.VM and HCR.DC: stage 2 translates, stage 1 is off. */
const HCR_VM = BIT(0);
const HCR_STAGE_2 = HCR_VM | BIT(12);
const HCR_FWB = BIT(46);

/** TTBR_ELx and VTTBR_EL2 keep address bits [51:48] in [5:2] (DDI 0487 D24.2.191, FEAT_LPA). */
function baseRegister(root: bigint): bigint {
  return (root & 0xffff_ffff_ffffn) | ((root >> 48n) << 2n);
}

/** TCR has a half for TTBR0 and one for TTBR1, with the same fields 16 bits apart, except for the granule. */
function half(f: ControlFields, upper: boolean): bigint {
  const base = upper ? 16 : 0;
  return (
    at(f.tsz, base) |
    at(f.irgn, base + 8) |
    at(f.orgn, base + 10) |
    at(f.sh, base + 12) |
    at(f.tg, base + 14) |
    (upper ? EPD0 : EPD1)
  );
}

/** Stage 1. `ttbr1`: the table serves the upper half of the address space. AArch32 long descriptors have no output size field. */
export function stage1Registers(
  root: bigint,
  f: ControlFields,
  options: {
    regime: Stage1Regime;
    ttbr1: boolean;
    mair: bigint;
    lpa2: boolean;
    update: HardwareUpdate;
    aarch32: boolean;
    extended: Extended;
  },
): Registers {
  const { outputCode, ...rest } = f;
  const cfg = { ttbr: root, tcr: { ips: outputCode, ...rest }, mair: options.mair };
  const { ttbr1, mair } = options;
  if (options.aarch32) {
    const own = at(f.tsz & 7, 0) | at(f.irgn, 8) | at(f.orgn, 10) | at(f.sh, 12);
    const hardware =
      options.regime === 'pl2'
        ? ({ regime: 'pl2', registers: { ttbr0: root, tcr: own | RES1 | RES1_23, mair } } as const)
        : ({ regime: 'pl1&0', registers: { ttbr0: root, ttbr1: 0n, tcr: own | EAE | EPD1, mair } } as const);
    return { cfg, hardware };
  }
  const more = stage1Extended(options.extended, options.regime);
  if (!hasUnprivileged(options.regime)) {
    // TCR_EL2 and TCR_EL3 have one range, with the fields of VTCR_EL2 that they share in the same places.
    const own =
      at(f.tsz, 0) | at(f.irgn, 8) | at(f.orgn, 10) | at(f.sh, 12) | at(f.tg, 14) | at(outputCode, 16);
    const tcr = own | VTCR_UPDATE[options.update] | (options.lpa2 ? VTCR_DS : 0n) | RES1 | RES1_23 | more.tcr;
    const registers = { ttbr0: baseRegister(root), tcr, mair, ...more.registers };
    return { cfg, hardware: { regime: options.regime, registers } };
  }
  const ds = options.lpa2 ? TCR_DS : 0n;
  const tcr = half(f, ttbr1) | at(outputCode, 32) | TCR_UPDATE[options.update] | ds | more.tcr;
  const ttbr = baseRegister(root);
  return {
    cfg,
    hardware: {
      regime: options.regime,
      registers: { ttbr0: ttbr1 ? 0n : ttbr, ttbr1: ttbr1 ? ttbr : 0n, tcr, mair, ...more.registers },
    },
  };
}

/** Stage 2. `sl` is the code of VTCR.SL0, with SL2 above it. */
export function stage2Registers(
  root: bigint,
  f: ControlFields & { readonly sl: number },
  options: { lpa2: boolean; update: HardwareUpdate; fwb: boolean; aarch32: boolean; extended: Extended },
): Registers {
  const { outputCode, sl, ...rest } = f;
  const sl2 = sl > 3;
  const cfg = { vttbr: root, vtcr: { ps: outputCode, ...rest, sl: sl & 3, ...(sl2 && { sl2: 1 }) } };
  const walk = at(sl & 3, 6) | at(f.irgn, 8) | at(f.orgn, 10) | at(f.sh, 12) | RES1;
  if (options.aarch32) {
    // T0SZ is a signed 4-bit number with its sign repeated in S, bit 4 (DDI 0487 G8.2.171).
    const vtcr = walk | at(f.tsz & 0x1f, 0);
    return { cfg, hardware: { regime: 'pl1&0-s2', registers: { vttbr: root, vtcr } } };
  }
  const ds = options.lpa2 ? VTCR_DS : 0n;
  const more = stage2Extended(options.extended);
  const vtcr =
    walk |
    at(f.tsz, 0) |
    at(f.tg, 14) |
    at(outputCode, 16) |
    VTCR_UPDATE[options.update] |
    ds |
    (sl2 ? VTCR_SL2 : 0n) |
    more.tcr;
  const hcr = options.fwb ? { hcr: HCR_STAGE_2 | HCR_FWB } : {};
  const registers = { vttbr: baseRegister(root), vtcr, ...hcr, ...more.registers };
  return { cfg, hardware: { regime: 'el1&0-s2', registers } };
}

type Values = Registers['hardware']['registers'];

/** Both ranges of a regime, each as it was made for a table of its own with the other one off. They have one granule, output size and MAIR. */
export function bothRanges(lower: Values, upper: Values): Values {
  const tcr = ((lower.tcr ?? 0n) & ~EPD1) | ((upper.tcr ?? 0n) & ~EPD0);
  return { ...lower, ttbr1: upper.ttbr1 ?? 0n, tcr };
}

/** The fields that VSTCR_EL2 has in the places of VTCR_EL2: T0SZ, SL0, TG0 and SL2. (DDI 0487 D24.2.222.) */
const VSTCR_FIELDS = 0xc0ffn | VTCR_SL2;

/** Stage 2 of Secure IPAs. What VSTCR_EL2 does not have, VTCR_EL2 says for both. SA and SW are 0: outputs and tables are Secure. */
export function inSecureState(stage2: Values): Values {
  const { vttbr = 0n, vtcr = 0n } = stage2;
  return { ...stage2, vttbr: 0n, vsttbr: vttbr, vstcr: (vtcr & VSTCR_FIELDS) | RES1 };
}

/** Stage 1 under stage 2: HCR.VM is on beside the registers of both. */
export function underStage2(stage1: Values, stage2: Values): Values {
  return { ...stage1, ...stage2, hcr: HCR_VM };
}
