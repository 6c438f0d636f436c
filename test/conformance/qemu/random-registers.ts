/** Random register values of the AArch64 regimes, within what is defined (and a little beyond), with the trees they describe. */
import { type CpuFeatures, type CpuModel, cpuFeatures } from '../../../src/walker/cpu.ts';
import type { Random } from '../../support/random.ts';
import type { Tree } from './plant.ts';
import type { TableSpace } from './table-space.ts';

/** Granules that a model has, by log2: QEMU takes another one in place of one that is not there. */
const GRANULES: Partial<Record<CpuModel, readonly number[]>> = {
  'cortex-a53': [12, 16],
  'cortex-a57': [12, 16],
  'cortex-a72': [12, 16],
};

export const OUTPUT_BITS = [32, 36, 40, 42, 44, 48, 52] as const;
/** TG0 and TG1 by granule. */
export const TG0 = new Map([
  [12, 0n],
  [14, 2n],
  [16, 1n],
]);
export const TG1 = new Map([
  [12, 2n],
  [14, 1n],
  [16, 3n],
]);

/** What the two ranges (or the one) of a TCR have in common. */
export interface OutputChoice {
  readonly cpu: CpuFeatures;
  readonly ps: number;
  readonly ds: boolean;
}

export function chooseOutput(random: Random, model: CpuModel): OutputChoice {
  const cpu = cpuFeatures(model);
  // RAM ends at 2 GiB: every size reaches it. Sizes beyond the PE's are reduced to it.
  const ps = random.between(0, random.chance(0.8) ? (cpu.paBits >= 52 ? 6 : 5) : 6);
  return { cpu, ps, ds: cpu.lpa2 && random.chance(0.5) };
}

export function chooseGranule(random: Random, model: CpuModel): number {
  return random.pick(GRANULES[model] ?? [12, 14, 16]);
}

/** Bits of output address that the choice comes to, and where a descriptor holds them. */
export function outputOf(
  { cpu, ps, ds }: OutputChoice,
  granuleLog2: number,
): Pick<Tree, 'oaBits' | 'high' | 'firstBlockLevel'> {
  const wide = cpu.paBits >= 52 && (granuleLog2 === 16 || ds);
  const oaBits = Math.min(OUTPUT_BITS[ps] ?? 52, cpu.paBits, wide ? 52 : 48);
  const high = granuleLog2 === 16 ? (cpu.paBits >= 52 ? 'bits15_12' : 'none') : ds ? 'ds' : 'none';
  const firstBlockLevel =
    granuleLog2 === 12 ? (ds ? 0 : 1) : granuleLog2 === 14 ? (ds ? 1 : 2) : wide ? 1 : 2;
  return { oaBits, high, firstBlockLevel };
}

/** One range of stage 1: the fields of TCR (at bit 0) that are its own, TTBR, and the tree. */
export interface RangeChoice {
  readonly tree: Tree;
  readonly upper: boolean;
  readonly txsz: number;
  readonly granuleLog2: number;
  readonly ttbr: bigint;
  readonly epd: boolean;
}

/** Chooses a range of stage 1. `frame` allocates its tables, the root among them. */
export function chooseRange(
  random: Random,
  model: CpuModel,
  output: OutputChoice,
  upper: boolean,
  frame: Tree['frame'],
  limits: { readonly oaBits?: number; readonly calm?: boolean } = {},
): RangeChoice {
  const granuleLog2 = chooseGranule(random, model);
  const { cpu } = output;
  const ds = output.ds && granuleLog2 !== 16;
  const lowest = cpu.lva && (granuleLog2 === 16 || ds) ? 12 : 16;
  const highest = cpu.ttst ? (granuleLog2 === 16 ? 47 : 48) : 39;
  const txsz = random.chance(0.96) ? random.between(lowest, highest) : random.between(0, 63);
  const iaBits = txsz < lowest || txsz > highest ? 48 : 64 - txsz;
  const { startLevel, rootLog2 } = rootOf(iaBits, granuleLog2);
  const wide = ds || (granuleLog2 === 16 && output.ps === 6 && cpu.lpa);
  const root = frame(Math.max(rootLog2, wide || output.ds ? 6 : 3));
  const size = outputOf({ ...output, ds }, granuleLog2);
  const tree: Tree = {
    stage: 1,
    granuleLog2,
    iaBits,
    startLevel,
    root: root.pa,
    ...size,
    oaBits: Math.min(size.oaBits, limits.oaBits ?? 52),
    calm: limits.calm ?? false,
    frame,
  };
  return {
    tree,
    upper,
    txsz,
    granuleLog2,
    ttbr: baseRegister(random, root.address, wide, rootLog2),
    epd: random.chance(0.03),
  };
}

/** As many levels as the bits above the page need, and log2 of the root's bytes. */
export function rootOf(iaBits: number, granuleLog2: number): { startLevel: number; rootLog2: number } {
  const stride = granuleLog2 - 3;
  const levels = Math.max(1, Math.ceil((iaBits - granuleLog2) / stride));
  const rootBits = iaBits - granuleLog2 - (levels - 1) * stride;
  return { startLevel: 4 - levels, rootLog2: rootBits + 3 };
}

/** TTBR or VTTBR: the address, an ASID or VMID, CnP; rarely an address beyond every output size. */
export function baseRegister(random: Random, address: number, wide: boolean, rootLog2: number): bigint {
  const low = BigInt(address) % (1n << 48n);
  const top = BigInt(Math.floor(address / 2 ** 48));
  const far = random.chance(0.02) ? 1n << BigInt(random.between(41, 47)) : 0n;
  const high = wide && rootLog2 >= 6 && random.chance(0.01) ? random.bits(4) : top;
  return (random.bits(16) << 48n) | low | far | (wide ? high << 2n : 0n) | random.bits(1);
}

/** TCR_EL1, or TCR_EL2 with E2H. */
export function tcrTwoRanges(
  random: Random,
  { cpu, ps, ds }: OutputChoice,
  lower: RangeChoice,
  upper: RangeChoice,
): bigint {
  const half = (range: RangeChoice): bigint => {
    const own = BigInt(range.txsz) | (BigInt(range.epd) << 7n) | (random.bits(6) << 8n);
    return range.upper ? (own | (random.bits(1) << 6n)) << 16n : own;
  };
  const tg0 = random.chance(0.02) ? 3n : (TG0.get(lower.granuleLog2) ?? 0n);
  const tg1 = random.chance(0.02) ? 0n : (TG1.get(upper.granuleLog2) ?? 0n);
  return (
    half(lower) |
    half(upper) |
    (tg0 << 14n) |
    (tg1 << 30n) |
    (BigInt(ps) << 32n) |
    (random.bits(2) << 37n) |
    (hardwareUpdate(random) << 39n) |
    (random.bits(2) << 41n) |
    (cpu.pauth ? random.bits(2) << 51n : 0n) |
    (cpu.e0pd && random.chance(0.2) ? random.bits(2) << 55n : 0n) |
    (BigInt(ds) << 59n)
  );
}

/** TCR_EL2 with E2H = 0. Bits 31 and 23 are RES1. */
export function tcrOneRange(random: Random, { ps, ds }: OutputChoice, range: RangeChoice): bigint {
  return (
    (1n << 31n) |
    (1n << 23n) |
    BigInt(range.txsz) |
    (random.bits(6) << 8n) |
    ((TG0.get(range.granuleLog2) ?? 0n) << 14n) |
    (BigInt(ps) << 16n) |
    (random.bits(1) << 20n) |
    (hardwareUpdate(random) << 21n) |
    (random.bits(1) << 24n) |
    (BigInt(ds) << 32n)
  );
}

/** HA and HD: in one case of four. */
function hardwareUpdate(random: Random): bigint {
  return random.chance(0.25) ? random.bits(2) : 0n;
}

/** Stage 2: VTCR_EL2, and the tree. */
export function chooseStage2(
  random: Random,
  model: CpuModel,
  space: TableSpace,
  { fwb, leastBits }: { readonly fwb: boolean; readonly leastBits: number },
): { readonly vtcr: bigint; readonly vttbr: bigint; readonly tree: Tree } {
  const output = chooseOutput(random, model);
  const granuleLog2 = chooseGranule(random, model);
  const { cpu, ps } = output;
  const ds = output.ds && granuleLog2 !== 16;
  const widest = cpu.paBits >= 52 ? (granuleLog2 === 16 || ds ? 52 : 48) : cpu.paBits;
  // Mostly no larger than the output, as hypervisors have it.
  const usual = random.chance(0.85) ? Math.min(widest, Math.max(OUTPUT_BITS[ps] ?? 52, 33)) : widest;
  const iaBits = random.between(cpu.ttst && random.chance(0.15) ? leastBits : 32, usual);
  const natural = rootOf(iaBits, granuleLog2);
  const concatenated = natural.startLevel < 3 && natural.rootLog2 - 3 <= 4;
  const must = granuleLog2 === 14 && !ds && natural.startLevel === 0;
  const shift = concatenated && (must || random.chance(0.5)) ? 1 : 0;
  const startLevel = natural.startLevel + shift;
  const rootLog2 = natural.rootLog2 + shift * (granuleLog2 - 3);
  const wide = ds || (granuleLog2 === 16 && ps === 6 && cpu.lpa);
  const root = space.frame(Math.max(rootLog2, wide ? 6 : 3));
  const code = granuleLog2 === 12 ? 2 - startLevel : 3 - startLevel;
  // 4K: level 3 is SL0 = 0b11, level -1 is SL2 with SL0 = 0.
  const sl0 = random.chance(0.97) ? code & 3 : random.between(0, 3);
  const sl2 = granuleLog2 === 12 && startLevel === -1;
  const t0sz = random.chance(0.98) ? 64 - iaBits : random.between(0, 63);
  const vtcr =
    (1n << 31n) |
    BigInt(t0sz) |
    (BigInt(sl2 ? 0 : sl0) << 6n) |
    (random.bits(6) << 8n) |
    ((TG0.get(granuleLog2) ?? 0n) << 14n) |
    (BigInt(ps) << 16n) |
    (hardwareUpdate(random) << 21n) |
    (BigInt(ds) << 32n) |
    (BigInt(sl2) << 33n);
  const frame: Tree['frame'] = (log2) => {
    const pa = space.frame(log2);
    return { pa, address: pa };
  };
  const tree: Tree = {
    stage: 2,
    granuleLog2,
    iaBits,
    startLevel,
    root: root,
    ...outputOf({ ...output, ds }, granuleLog2),
    fwb,
    calm: random.chance(0.8),
    frame,
  };
  return { vtcr, vttbr: baseRegister(random, root, wide, rootLog2), tree };
}

/** MAIR: mostly encodings that are defined, or only such. */
export function chooseMair(random: Random, reserved = true): bigint {
  let mair = 0n;
  for (let i = 0n; i < 8n; i++) {
    const normal = (BigInt(random.between(1, 15)) << 4n) | BigInt(random.between(1, 15));
    const byte =
      reserved && random.chance(0.03) ? random.bits(8) : random.chance(0.2) ? random.bits(2) << 2n : normal;
    mair |= byte << (i * 8n);
  }
  return mair;
}
