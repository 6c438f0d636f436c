/** Granule and output size of a stage, read from the registers of a case: what deviations depend on. (DDI 0487 D24.2 TCR_ELx, VTCR_EL2.) */
import { cpuFeatures } from '../../../src/walker/cpu.ts';
import type { Case, RegisterValues } from './probe.ts';

const OUTPUT_BITS = [32, 36, 40, 42, 44, 48, 52, 52] as const;
const TG0 = [12, 16, 14, 12] as const;
const TG1 = [12, 14, 12, 16] as const;

export interface StageSize {
  readonly granuleLog2: number;
  /** IPS or PS. */
  readonly ps: number;
  readonly ds: boolean;
  readonly oaBits: number;
  readonly paBits: number;
  readonly firstBlockLevel: number;
}

const bits = (value: bigint, high: number, low: number): number =>
  Number((value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));

export function granuleOf(
  registers: Readonly<RegisterValues>,
  { regime }: Case,
  va: bigint,
  stage: 1 | 2,
): number {
  const { tcr, vtcr } = registers;
  if (stage === 2) return TG0[bits(vtcr, 15, 14)] ?? 12;
  const upper = regime !== 'el2' && ((va >> 55n) & 1n) === 1n;
  return (upper ? TG1[bits(tcr, 31, 30)] : TG0[bits(tcr, 15, 14)]) ?? 12;
}

/** AArch32 long descriptors: 4K, 40 bits. */
const LONG_AARCH32: StageSize = {
  granuleLog2: 12,
  ps: 2,
  ds: false,
  oaBits: 40,
  paBits: 40,
  firstBlockLevel: 1,
};

/** What a stage is, for the address that is probed. */
export function outputSizeOf(
  registers: Readonly<RegisterValues>,
  one: Case,
  va: bigint,
  stage: 1 | 2,
): StageSize {
  if (one.regime.startsWith('pl1')) return LONG_AARCH32;
  const { paBits, lpa2 } = cpuFeatures(one.cpu);
  const { tcr, vtcr } = registers;
  const granuleLog2 = granuleOf(registers, one, va, stage);
  const [low, dsBit, value] =
    stage === 2 ? [16, 32, vtcr] : one.regime === 'el2' ? [16, 32, tcr] : [32, 59, tcr];
  const ps = bits(value, low + 2, low);
  const ds = lpa2 && granuleLog2 !== 16 && bits(value, dsBit, dsBit) === 1;
  const wide = paBits >= 52 && (granuleLog2 === 16 || ds);
  return {
    granuleLog2,
    ps,
    ds,
    oaBits: Math.min(OUTPUT_BITS[ps] ?? 52, paBits, wide ? 52 : 48),
    paBits,
    firstBlockLevel: granuleLog2 === 12 ? (ds ? 0 : 1) : granuleLog2 === 14 ? (ds ? 1 : 2) : wide ? 1 : 2,
  };
}
