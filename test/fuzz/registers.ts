/** Random register values: mostly such as a system would have, sometimes noise. (DDI 0487 D19.2, G8.2; IHI 0070 5.2, 5.4.) */
import { type SecurityState, securityProblem, securityStates } from '../../src/arch/security.ts';
import type { PhysicalMemory } from '../../src/memory/index.ts';
import type { CdWords, SteWords } from '../../src/smmu/index.ts';
import type { Regime, WalkerRegisters } from '../../src/walker/index.ts';
import type { Random } from '../support/random.ts';

/** A field's value at its position. */
const at = (value: number, low: number) => BigInt(value) << BigInt(low);
/** A bit that is set with this probability. */
const bit = (random: Random, probability: number, position: number) =>
  at(random.chance(probability) ? 1 : 0, position);
/** Bits of which each is set one time in eight. */
const rare = (random: Random, bits: number) => random.bits(bits) & random.bits(bits) & random.bits(bits);

const TG0 = { 12: 0, 14: 2, 16: 1 } as const;
const TG1 = { 12: 2, 14: 1, 16: 3 } as const;

/** Granule and input size of one range. */
interface Shape {
  readonly granuleLog2: 12 | 14 | 16;
  readonly iaBits: number;
}

/** What PEs and SMMUs accept, nine times in ten: `minBits` to `maxBits` of input. */
function shape(random: Random, minBits: number, maxBits: number): Shape {
  const granuleLog2 = random.pick([12, 12, 14, 16] as const);
  const iaBits = random.chance(0.9) ? random.between(minBits, maxBits) : random.between(12, 56);
  return { granuleLog2, iaBits };
}

/** A table's address: in RAM, aligned like a small table or like a large one; rarely anywhere. */
export function tableAddress(random: Random, memory: PhysicalMemory): bigint {
  if (random.chance(0.03)) return random.bits(52);
  const region = random.pick(memory.regions);
  const align = random.pick([64n, 4096n, 4096n, 16384n, 0x1_0000n]);
  const offset = random.bits(30) % region.size;
  return region.base + (offset / align) * align;
}

/** TTBR or VTTBR: BADDR, with [51:48] in [5:2] as 52-bit addresses have it, and an ASID or VMID. */
function ttbr(random: Random, memory: PhysicalMemory): bigint {
  const address = tableAddress(random, memory);
  return BigInt.asUintN(48, address) | ((address >> 48n) << 2n) | (random.bits(16) << 48n);
}

/** TCR of two ranges: TnSZ, TGn, EPDn, IPS, and HA, HD, HPDn, TBIn, DS and the like by chance. */
function tcrTwo(random: Random): bigint {
  const [lower, upper] = [shape(random, 25, 48), shape(random, 25, 48)];
  return (
    at((64 - lower.iaBits) & 0x3f, 0) |
    at((64 - upper.iaBits) & 0x3f, 16) |
    at(TG0[lower.granuleLog2], 14) |
    at(TG1[upper.granuleLog2], 30) |
    at(random.pick([5, 5, 6, 6, random.word32() % 8]), 32) |
    bit(random, 0.03, 7) |
    bit(random, 0.03, 23) |
    (rare(random, 26) << 37n) |
    bit(random, 0.2, 39) |
    bit(random, 0.2, 40)
  );
}

/** TCR of one range. */
function tcrOne(random: Random): bigint {
  const { granuleLog2, iaBits } = shape(random, 25, 48);
  const ps = random.pick([5, 5, 6, 6, random.word32() % 8]);
  const fields = at((64 - iaBits) & 0x3f, 0) | at(TG0[granuleLog2], 14) | at(ps, 16);
  return fields | (random.bits(8) << 6n) | (rare(random, 13) << 20n) | bit(random, 0.2, 21);
}

/** VTCR: T0SZ and an SL0 that fits it, with concatenated tables by chance. */
function vtcr(random: Random, paBits: number): bigint {
  const { granuleLog2, iaBits } = shape(random, 32, paBits);
  const stride = granuleLog2 - 3;
  const natural = 3 - Math.floor((iaBits - 1 - granuleLog2) / stride);
  const spare = iaBits - ((3 - natural) * stride + granuleLog2);
  const level = spare <= 4 && natural < 2 && random.chance(0.5) ? natural + 1 : Math.max(0, natural);
  const sl0 = random.chance(0.95) ? (granuleLog2 === 12 ? 2 - level : 3 - level) & 3 : random.word32() % 4;
  return (
    at((64 - iaBits) & 0x3f, 0) |
    at(sl0, 6) |
    at(TG0[granuleLog2], 14) |
    at(random.pick([4, 5, 5, 6, random.word32() % 8]), 16) |
    bit(random, 0.2, 21) |
    bit(random, 0.2, 22) |
    bit(random, 0.1, 32) |
    bit(random, 0.05, 33) |
    bit(random, 0.2, 36) |
    bit(random, 0.1, 37) |
    // AssuredOnly, TL1, GCSH, TL0, HAFT.
    (rare(random, 11) << 34n)
  );
}

/** TTBCR: EAE, T0SZ and T1SZ of 3 bits, or N. */
function ttbcr(random: Random): bigint {
  return (random.bits(32) & 0x8007_0007n) | bit(random, 0.03, 7) | bit(random, 0.03, 4);
}

/** VTCR of AArch32: a signed T0SZ and an SL0. */
function vtcr32(random: Random): bigint {
  return random.chance(0.5) ? at(8, 0) | at(1, 6) : random.bits(8);
}

function tcrOf(regime: Regime, random: Random): bigint {
  if (regime.startsWith('pl')) return ttbcr(random);
  return regime === 'el2' || regime === 'el3' ? tcrOne(random) : tcrTwo(random);
}

/** Every register of a regime. One machine in ten has noise throughout, but for the tables' addresses. */
export function randomRegisters(random: Random, regime: Regime, memory: PhysicalMemory): WalkerRegisters {
  const tables = {
    ttbr0: ttbr(random, memory),
    ttbr1: ttbr(random, memory),
    vttbr: ttbr(random, memory),
    vsttbr: ttbr(random, memory),
    ...(random.chance(0.15) && granuleProtection(random, memory)),
  };
  const mair = random.word64();
  const extended = random.chance(0.5) ? extendedRegisters(random) : {};
  if (random.chance(0.1)) {
    const noise = {
      tcr: random.word64(),
      vtcr: random.word64(),
      sctlr: random.word64(),
      hcr: random.word64(),
      vstcr: random.word64(),
    };
    return { ...tables, ...noise, ...extended, mair, dacr: random.word64() };
  }
  // M, and now and then AFE, TRE, EE, WXN, UWXN, EPAN. VM, and now and then PTW, DC, TGE, FWB.
  const sctlr = 1n | (rare(random, 64) & 0x0200_0000_321a_0000n);
  const hcr = 1n | (rare(random, 64) & 0x4000_0800_1004n);
  return {
    ...tables,
    tcr: tcrOf(regime, random),
    vtcr: regime.startsWith('pl') && !regime.endsWith('64') ? vtcr32(random) : vtcr(random, 40),
    ...extended,
    ...(random.chance(0.3) && { vstcr: vtcr(random, 40) | (random.bits(2) << 29n) }),
    mair,
    dacr: random.bits(32) & random.pick([0xffff_ffffn, 0x5555_5555n]),
    ...(!regime.endsWith('-s2') && { sctlr, hcr }),
  };
}

/** A permission register: values that allow much, the same in every field, or noise. */
function permissions(random: Random): bigint {
  const value = random.pick(['7', '5', '6', 'c', 'e', 'a', 'f', '9']);
  return random.pick([random.word64(), BigInt(`0x${value.repeat(16)}`)]);
}

/** TCR2 and what its bits turn on: indirection, overlays, more memory types, access flags of tables, translation hardening. HCRX now and then. */
function extendedRegisters(random: Random): WalkerRegisters {
  return {
    // Not D128 (bit 5), which is not modelled.
    tcr2: (rare(random, 22) & ~0x20n) | bit(random, 0.6, 1) | bit(random, 0.3, 2) | bit(random, 0.3, 3),
    pir: permissions(random),
    pire0: permissions(random),
    por: permissions(random),
    por0: permissions(random),
    s2pir: permissions(random),
    s2por: permissions(random),
    ...(random.chance(0.8) && { mair2: random.word64() }),
    ...(random.chance(0.3) && { hcrx: random.bits(20) | bit(random, 0.7, 14) }),
  };
}

/** Granule protection: a table in RAM, mostly of 4K granules and 40 bits, or noise. */
function granuleProtection(random: Random, memory: PhysicalMemory): WalkerRegisters {
  const gptbr = tableAddress(random, memory) >> 12n;
  if (random.chance(0.1)) return { gpccr: random.word64() | (1n << 16n), gptbr, gpcbw: random.word64() };
  const shape =
    at(random.pick([2, 2, 5, 6, 0]), 0) |
    at(random.pick([0, 0, 1, 2]), 14) |
    at(random.pick([0, 0, 4, 6, 9]), 20);
  const more = (rare(random, 30) & 0x3f0a_00e8n) | random.pick([0x1_3500n, 0x1_2000n]);
  return { gpccr: shape | more, gptbr, gpcbw: (random.bits(3) << 37n) | random.bits(8) };
}

/** Whose accesses they are: a state that the regime can be in, and for a third of them SCR_EL3 too. */
export function randomState(
  random: Random,
  regime: Regime,
): { readonly security?: SecurityState; readonly scr?: bigint } {
  const states = securityStates.filter((state) => securityProblem(regime, state) === undefined);
  const security = random.pick(states);
  if (security !== 'secure' || random.chance(0.7)) return { security };
  // EEL2 stays set: without it there is no Secure EL2 to walk for. SIF by chance.
  return { security, scr: (1n << 18n) | bit(random, 0.5, 9) };
}

/** An address: near the bottom (where every range reaches, half the time), near the top, or noise. */
export function randomAddress(random: Random): bigint {
  const bits = random.chance(0.5)
    ? random.between(12, 25)
    : random.pick([28, 30, 32, 34, 36, 39, 40, 48, 52, 64]);
  const address = random.bits(bits);
  return random.chance(0.2) ? BigInt.asUintN(64, ~address) : address;
}

/** A stream table entry: valid, with stages by chance, S2 fields as VTCR has them. */
export function randomSte(random: Random, memory: PhysicalMemory): SteWords {
  const noise: SteWords = [random.word64(), random.word64(), random.word64(), random.word64()];
  if (random.chance(0.05)) return noise;
  const config = random.chance(0.95) ? random.pick([4, 5, 5, 5, 6, 6, 6, 7, 7, 7]) : random.word32() % 8;
  const w0 = bit(random, 0.98, 0) | at(config, 1) | (tableAddress(random, memory) & 0xff_ffff_ffff_ffc0n);
  const formats = random.chance(0.1) ? (random.bits(2) << 4n) | (random.bits(5) << 59n) : 0n;
  const overrides = (random.bits(4) << 48n) | bit(random, 0.1, 25);
  const w1 = random.chance(0.9) ? overrides & random.pick([0n, overrides]) : noise[1];
  const flags = rare(random, 4) << 52n;
  const walk = vtcr(random, 40) & 0x7_ffffn;
  const w2 = random.bits(8) | (walk << 32n) | bit(random, 0.95, 51) | flags | at(1, 58);
  // S1PIE; S2PIE, S2POE and S2HAFT; S2POI, of which no value is reserved, and AssuredOnly, TL0, TL1.
  const indirect = (random.bits(2) << 60n) | bit(random, 0.1, 59);
  const overlays = random.pick([0xffff_ffff_ffff_ffffn, 0xc8de_f9ab_2467_0c8fn, random.word64()]);
  return [
    w0 | formats,
    w1 | bit(random, 0.5, 24),
    w2 | (random.chance(0.4) ? indirect : 0n),
    tableAddress(random, memory) | rare(random, 4),
    0n,
    random.chance(0.2) ? random.bits(3) << 9n : 0n,
    0n,
    overlays,
  ];
}

/** A context descriptor: valid and AArch64, more often than not. */
export function randomCd(random: Random, memory: PhysicalMemory): CdWords {
  const noise: CdWords = [random.word64(), random.word64(), random.word64(), random.word64()];
  if (random.chance(0.05)) return noise;
  const [lower, upper] = [shape(random, 25, 48), shape(random, 25, 48)];
  const w0 =
    at((64 - lower.iaBits) & 0x3f, 0) |
    at(TG0[lower.granuleLog2], 6) |
    at((64 - upper.iaBits) & 0x3f, 16) |
    at(TG1[upper.granuleLog2], 22) |
    bit(random, 0.05, 14) |
    bit(random, 0.6, 30) |
    bit(random, 0.98, 31) |
    at(random.pick([4, 5, 5, random.word32() % 8]), 32) |
    (rare(random, 6) << 35n) |
    bit(random, 0.95, 41) |
    (rare(random, 2) << 42n) |
    at(3, 45) |
    (random.bits(8) << 48n);
  // HAFT and PnCH; DS, PIE and AIE; PIIU and PIIP, in which seldom more than a field is illegal.
  const hardening = bit(random, 0.1, 3) | bit(random, 0.2, 58);
  const more = bit(random, 0.1, 58) | bit(random, 0.4, 59) | bit(random, 0.2, 3);
  const [piiu, piip] = random.pick([
    [0x2492_4924_9249n, 0xb6db_6db6_db6dn],
    [0xb6db_6db6_db6dn, 0x2492_4924_9249n],
    [0n, 0xffff_ffff_ffffn],
    [random.bits(48), random.bits(48)],
  ] as const);
  return [
    w0,
    tableAddress(random, memory) | hardening,
    tableAddress(random, memory) | more,
    noise[3],
    0n,
    0n,
    piiu,
    piip,
  ];
}
