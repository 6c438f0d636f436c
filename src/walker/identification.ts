/** The features of a PE by what its identification registers say. (DDI 0487 A2.2, D24.2 ID_AA64MMFR0_EL1 to ID_AA64MMFR4_EL1, ID_AA64PFR0_EL1 to ID_AA64PFR2_EL1.) */
import { read } from '../arch/read.ts';
import {
  ID_AA64MMFR0_EL1,
  ID_AA64MMFR1_EL1,
  ID_AA64MMFR2_EL1,
  ID_AA64MMFR3_EL1,
  ID_AA64MMFR4_EL1,
  ID_AA64PFR0_EL1,
  ID_AA64PFR1_EL1,
  ID_AA64PFR2_EL1,
  IDENTIFICATION,
} from '../arch/registers/identification.ts';
import type { CpuFeatures } from './cpu.ts';

/** Values by the manual's names, `ID_AA64MMFR0_EL1`; 64 bits each. */
export type IdentificationValues = Readonly<Record<string, bigint>>;

/** PA bits by PARange. A 56-bit PE has 52 without 128-bit descriptors. */
const PA_BITS = [32, 36, 40, 42, 44, 48, 52, 52];

/** The manual's name of an identification register, as it may be written: `id_aa64mmfr0`. Undefined: none that matters. */
export function identificationName(written: string): string | undefined {
  const name = written.toUpperCase().replace(/(_EL1)?$/, '_EL1');
  return IDENTIFICATION.find((one) => one.name === name)?.name;
}

/** A field of 4 bits of which a negative value says that there is nothing. */
const NEGATIVE = 8;
/** TGran4_2 and its like: as at stage 1, not there, there, with 52-bit addresses. */
const STAGE2 = { asStage1: 0, none: 1, wide: 3 } as const;

/** ID_AA64MMFR0_EL1: the granules of both stages, and whether one of them has 52-bit addresses (FEAT_LPA2). */
function granulesOf(value: bigint): Pick<CpuFeatures, 'granules1' | 'granules2' | 'lpa2'> {
  const { TGran4, TGran16, TGran64, TGran4_2, TGran16_2, TGran64_2 } = ID_AA64MMFR0_EL1.fields;
  const [k4, k16, k64] = [read(value, TGran4), read(value, TGran16), read(value, TGran64)];
  const granules = [
    { log2: 12, first: k4 < NEGATIVE, second: read(value, TGran4_2) },
    { log2: 14, first: k16 > 0 && k16 < NEGATIVE, second: read(value, TGran16_2) },
    { log2: 16, first: k64 < NEGATIVE, second: read(value, TGran64_2) },
  ];
  const atStage2 = ({ first, second }: (typeof granules)[number]) =>
    second === STAGE2.asStage1 ? first : second !== STAGE2.none;
  return {
    granules1: granules.flatMap((one) => (one.first ? [one.log2] : [])),
    granules2: granules.flatMap((one) => (atStage2(one) ? [one.log2] : [])),
    lpa2: k4 === 1 || k16 === 2 || granules.some(({ second }) => second === STAGE2.wide),
  };
}

/** What each register that is given says, and nothing of the others. */
const SAYS: Readonly<Record<string, (value: bigint) => Partial<CpuFeatures>>> = {
  [ID_AA64MMFR0_EL1.name]: (value) => {
    const paBits = PA_BITS[read(value, ID_AA64MMFR0_EL1.fields.PARange)] ?? PA_BITS.at(-1)!;
    return { paBits, lpa: paBits === 52, ...granulesOf(value) };
  },
  [ID_AA64MMFR1_EL1.name]: (value) => {
    const { XNX, PAN, HPDS, HAFDBS } = ID_AA64MMFR1_EL1.fields;
    const updates = read(value, HAFDBS);
    return {
      xnx: read(value, XNX) > 0,
      pan: read(value, PAN) > 0,
      pan3: read(value, PAN) >= 3,
      hpds: read(value, HPDS) > 0,
      hafdbs: updates >= 2,
      haft: updates >= 3,
    };
  },
  [ID_AA64MMFR2_EL1.name]: (value) => {
    const { E0PD, BBM, FWB, ST, NV, VARange } = ID_AA64MMFR2_EL1.fields;
    return {
      e0pd: read(value, E0PD) > 0,
      bbm: Math.min(read(value, BBM), 2) as CpuFeatures['bbm'],
      s2fwb: read(value, FWB) > 0,
      ttst: read(value, ST) > 0,
      nv: read(value, NV) > 0,
      lva: read(value, VARange) > 0,
    };
  },
  [ID_AA64MMFR3_EL1.name]: (value) => {
    const { AIE, S2POE, S1POE, S2PIE, S1PIE } = ID_AA64MMFR3_EL1.fields;
    return {
      aie: read(value, AIE) > 0,
      s2poe: read(value, S2POE) > 0,
      s1poe: read(value, S1POE) > 0,
      s2pie: read(value, S2PIE) > 0,
      s1pie: read(value, S1PIE) > 0,
    };
  },
  [ID_AA64MMFR4_EL1.name]: (value) => ({
    rmeGdi: read(value, ID_AA64MMFR4_EL1.fields.RMEGDI) > 0,
    asid2: read(value, ID_AA64MMFR4_EL1.fields.ASID2) > 0,
  }),
  [ID_AA64PFR0_EL1.name]: (value) => {
    const { RME, SEL2 } = ID_AA64PFR0_EL1.fields;
    const rme = read(value, RME);
    return { rme: rme > 0, rmeGpc2: rme >= 2, rmeGpc3: rme >= 3, sel2: read(value, SEL2) > 0 };
  },
  [ID_AA64PFR1_EL1.name]: (value) => {
    const { THE, GCS, MTE, BT } = ID_AA64PFR1_EL1.fields;
    return {
      the: read(value, THE) > 0,
      gcs: read(value, GCS) > 0,
      mte: read(value, MTE) >= 2,
      bti: read(value, BT) > 0,
    };
  },
  [ID_AA64PFR2_EL1.name]: (value) => ({ mtePerm: read(value, ID_AA64PFR2_EL1.fields.MTEPERM) > 0 }),
};

/**
 * The features that the given registers speak of, implemented or not; of what no register that is given says there is nothing.
 *
 * @example
 * identifiedFeatures({ ID_AA64MMFR4_EL1: 0x100n }); // { asid2: true }
 */
export function identifiedFeatures(values: IdentificationValues): Partial<CpuFeatures> {
  return Object.assign(
    {},
    ...Object.entries(values).map(([name, value]) => SAYS[identificationName(name) ?? '']?.(value) ?? {}),
  ) as Partial<CpuFeatures>;
}
