/**
 * The PE (or SMMU) that walks: which of the optional translation features it implements.
 * (DDI 0487 A2.2, ID_AA64MMFR0_EL1 to ID_AA64MMFR4_EL1; IHI 0070 SMMU_IDR0 to SMMU_IDR5.)
 */
import { WalkerError } from './errors.ts';

/** Optional features that change what a walk answers. Names follow FEAT_* of DDI 0487 A2.2. */
export interface CpuFeatures {
  /** ARMv7-A with the Large Physical Address Extension: descriptor and TTBR bits [47:40] are ignored (DDI 0406C B3.6). */
  readonly armv7: boolean;
  /** Implemented physical address bits, 32 to 52: the ID_AA64MMFR0_EL1.PARange that bounds every output size. */
  readonly paBits: number;
  /** IPA bits, if they differ from the PA bits: an SMMU with AArch32 tables has at least 40. */
  readonly ipaBits?: number;
  /** FEAT_LPA: 52-bit output addresses with the 64K granule. It needs `paBits` 52. */
  readonly lpa: boolean;
  /** FEAT_LPA2: TCR.DS, 52-bit addresses with the 4K and 16K granules, level -1. */
  readonly lpa2: boolean;
  /** FEAT_LVA: 52-bit input addresses (TxSZ down to 12). */
  readonly lva: boolean;
  /** FEAT_TTST: small translation tables (TxSZ up to 48, or 47 with 64K). */
  readonly ttst: boolean;
  /** FEAT_XNX: stage-2 execute-never in two bits, separate for EL1 and EL0. */
  readonly xnx: boolean;
  /** FEAT_HAFDBS: TCR.HA and TCR.HD, hardware update of access flag and dirty state. */
  readonly hafdbs: boolean;
  /** FEAT_S2FWB: HCR_EL2.FWB, stage-2 forced Write-Back. */
  readonly s2fwb: boolean;
  /** FEAT_E0PD: TCR.E0PDn. */
  readonly e0pd: boolean;
  /** FEAT_HPDS: TCR.HPDn, no hierarchical permissions. */
  readonly hpds: boolean;
  /** FEAT_PAN: privileged access never, for accesses made with `pan`. */
  readonly pan: boolean;
  /** FEAT_PAN3: SCTLR_ELx.EPAN. */
  readonly pan3: boolean;
  /** FEAT_PAuth: TCR.TBIDn, top-byte-ignore for data only. */
  readonly pauth: boolean;
  /** FEAT_MTE2: MAIR 0xf0 is Tagged Normal memory. */
  readonly mte: boolean;
  /** FEAT_XS: MAIR encodings and the stage-2 FnXS bit for the XS attribute. */
  readonly xs: boolean;
  /** FEAT_BTI: the guarded-page bit GP. */
  readonly bti: boolean;
  /** FEAT_NV: HCR_EL2.{NV, NV1} = {1, 1}, other permissions in the descriptors of a guest hypervisor. */
  readonly nv: boolean;
  /** FEAT_RME: EL3 is in Root state. Without `sel2` there is then no Secure state. */
  readonly rme: boolean;
  /** FEAT_SEL2: Secure EL2. */
  readonly sel2: boolean;
  /** FEAT_S1PIE, FEAT_S2PIE: permission indirection of stage 1 and of stage 2. */
  readonly s1pie: boolean;
  readonly s2pie: boolean;
  /** FEAT_S1POE, FEAT_S2POE: permission overlays. Those of stage 2 need FEAT_S2PIE. */
  readonly s1poe: boolean;
  readonly s2poe: boolean;
  /** FEAT_AIE: MAIR2_ELx and AttrIndx[3]. */
  readonly aie: boolean;
  /** FEAT_HAFT: hardware sets the access flag of table descriptors. It needs FEAT_HAFDBS. */
  readonly haft: boolean;
  /** FEAT_THE: AssuredOnly, TopLevel checks, the Protected bit. */
  readonly the: boolean;
  /** FEAT_GCS: Guarded Control Stack accesses. */
  readonly gcs: boolean;
  /** FEAT_MTE_PERM: stage-2 NoTagAccess. */
  readonly mtePerm: boolean;
  /** FEAT_ASID2: TCR2_ELx.{A2, FNG0, FNG1}. */
  readonly asid2: boolean;
  /** FEAT_RME_GPC2: GPCCR_EL3.{APPSAA, NSO, SPAD, NSPAD, RLPAD}. */
  readonly rmeGpc2: boolean;
  /** FEAT_RME_GPC3: bypass windows, and more sizes of the protected address space. */
  readonly rmeGpc3: boolean;
  /** FEAT_RME_GDI: GPI values for memory that no PE may access, and pairs of entries that are valid only together. */
  readonly rmeGdi: boolean;
  /** FEAT_BBM level 0 to 2. */
  readonly bbm: 0 | 1 | 2;
  /**
   * The granules that stage 1 and stage 2 have, by log2 of their bytes. Without: 4K, 16K and 64K. A TG that asks for another one counts as an
   * IMPLEMENTATION DEFINED one that there is: here the smallest. (D8.1.5; ID_AA64MMFR0_EL1.TGran4 to TGran16_2.)
   */
  readonly granules1?: readonly number[];
  readonly granules2?: readonly number[];
  /**
   * TxSZ out of range counts as the nearest value in range, if the architecture permits that instead of a level 0
   * translation fault: below the minimum without FEAT_LVA (stage 2: FEAT_LPA), above the maximum on any PE. (D8.1.9; J1.1
   * AArch64.S1TxSZFaults, S2TxSZFaults.) Default false.
   */
  readonly clampsTxsz?: boolean;
}

const ARMV8_0: CpuFeatures = {
  armv7: false,
  paBits: 44,
  lpa: false,
  lpa2: false,
  lva: false,
  ttst: false,
  xnx: false,
  hafdbs: false,
  s2fwb: false,
  e0pd: false,
  hpds: false,
  pan: false,
  pan3: false,
  pauth: false,
  mte: false,
  xs: false,
  bti: false,
  nv: false,
  rme: false,
  sel2: false,
  s1pie: false,
  s2pie: false,
  s1poe: false,
  s2poe: false,
  aie: false,
  haft: false,
  the: false,
  gcs: false,
  mtePerm: false,
  asid2: false,
  rmeGpc2: false,
  rmeGpc3: false,
  rmeGdi: false,
  bbm: 0,
};

const ARMV7_LPAE: CpuFeatures = { ...ARMV8_0, armv7: true, paBits: 40 };
const ARMV8_2: CpuFeatures = { ...ARMV8_0, xnx: true, hafdbs: true, hpds: true, pan: true };

const MODELS = {
  'cortex-a7': ARMV7_LPAE,
  'cortex-a15': ARMV7_LPAE,
  'cortex-a35': { ...ARMV8_0, paBits: 40 },
  'cortex-a53': { ...ARMV8_0, paBits: 40 },
  'cortex-a55': { ...ARMV8_2, paBits: 40 },
  'cortex-a57': ARMV8_0,
  'cortex-a72': ARMV8_0,
  'cortex-a76': { ...ARMV8_2, paBits: 40 },
  'neoverse-n1': { ...ARMV8_2, paBits: 48 },
  smmuv3: { ...ARMV8_2, xnx: true },
  max: {
    ...ARMV8_2,
    paBits: 52,
    lpa: true,
    lpa2: true,
    lva: true,
    ttst: true,
    s2fwb: true,
    e0pd: true,
    pan3: true,
    pauth: true,
    mte: true,
    bti: true,
    nv: true,
    s1pie: true,
    s2pie: true,
    aie: true,
    asid2: true,
    bbm: 2,
  },
} as const satisfies Record<string, CpuFeatures>;

/** The option for each feature, by the feature's name in the manual. */
const FEATURES: Readonly<Record<string, Partial<CpuFeatures>>> = {
  FEAT_LPA: { lpa: true },
  FEAT_LPA2: { lpa2: true },
  FEAT_LVA: { lva: true },
  FEAT_TTST: { ttst: true },
  FEAT_XNX: { xnx: true },
  FEAT_HAFDBS: { hafdbs: true },
  FEAT_S2FWB: { s2fwb: true },
  FEAT_E0PD: { e0pd: true },
  FEAT_HPDS: { hpds: true },
  FEAT_PAN: { pan: true },
  FEAT_PAN3: { pan3: true },
  FEAT_PAuth: { pauth: true },
  FEAT_MTE2: { mte: true },
  FEAT_XS: { xs: true },
  FEAT_BTI: { bti: true },
  FEAT_NV: { nv: true },
  FEAT_NV2: { nv: true },
  FEAT_RME: { rme: true },
  FEAT_SEL2: { sel2: true },
  FEAT_S1PIE: { s1pie: true },
  FEAT_S2PIE: { s2pie: true },
  FEAT_S1POE: { s1poe: true },
  FEAT_S2POE: { s2poe: true },
  FEAT_AIE: { aie: true },
  FEAT_HAFT: { haft: true },
  FEAT_THE: { the: true },
  FEAT_GCS: { gcs: true },
  FEAT_MTE_PERM: { mtePerm: true },
  FEAT_ASID2: { asid2: true },
  // TCR2_ELx and HCRX_EL2 exist as soon as a feature has a bit in them. HWU bits do not affect the answer of a walk.
  FEAT_TCR2: {},
  FEAT_HCX: {},
  FEAT_HPDS2: {},
  FEAT_nTLBPA: {},
  FEAT_RME_GPC2: { rme: true, rmeGpc2: true },
  FEAT_RME_GPC3: { rme: true, rmeGpc2: true, rmeGpc3: true },
  FEAT_RME_GDI: { rme: true, rmeGpc2: true, rmeGpc3: true, rmeGdi: true },
  FEAT_BBML1: { bbm: 1 },
  FEAT_BBML2: { bbm: 2 },
};

/**
 * The models with a preset. `max` is QEMU 11's: it lacks FEAT_XS, FEAT_S1POE, FEAT_S2POE, FEAT_HAFT, FEAT_THE, FEAT_GCS, FEAT_MTE_PERM,
 * FEAT_RME and FEAT_SEL2, which `withFeatures` adds, and has 52 PA bits.
 */
export type CpuModel = keyof typeof MODELS;

/** A model, or a model with some features changed: `{ model: 'cortex-a57', paBits: 48 }`. Without `model`: `max`. */
export type CpuOptions = CpuModel | (Partial<CpuFeatures> & { readonly model?: CpuModel });

/** The names that `cpu` accepts. */
export const cpuModels: readonly CpuModel[] = Object.keys(MODELS) as CpuModel[];

/** The manual's names of the features that {@link withFeatures} accepts. */
export const featureNames: readonly string[] = Object.keys(FEATURES);

/**
 * Options with features added, by their names in the manual: `withFeatures('max', ['FEAT_XS'])`.
 * @throws WalkerError for a feature that the walker does not know, or that the options can't have: FEAT_LPA without 52 PA bits.
 */
export function withFeatures(options: CpuOptions, names: readonly string[]): CpuOptions {
  const more = typeof options === 'string' ? { model: options } : { ...options };
  for (const name of names) {
    const changes = Object.hasOwn(FEATURES, name) ? FEATURES[name] : undefined;
    if (changes === undefined) {
      throw new WalkerError(`unknown feature '${name}'; known are ${featureNames.join(', ')}`);
    }
    if (!hasAll(cpuFeatures(more), changes)) Object.assign(more, changes);
    const made = cpuFeatures(more);
    if (!hasAll(made, changes)) {
      throw new WalkerError(`${name} needs 52 physical address bits; paBits is ${made.paBits}`);
    }
  }
  return more;
}

/** The manual's names of what a PE has beyond a model, as golden files list them. */
export function featuresBeyond(model: CpuModel, cpu: CpuFeatures): string[] {
  const own = cpuFeatures({ model, paBits: cpu.paBits });
  const beyond = Object.entries(FEATURES).filter(
    ([, changes]) => hasAll(cpu, changes) && !hasAll(own, changes),
  );
  // Of two names for the same the first.
  const told = new Set<string>();
  return beyond.flatMap(([name, changes]) => {
    const key = JSON.stringify(changes);
    if (told.has(key)) return [];
    told.add(key);
    return [name];
  });
}

/** FEAT_BBM is a level: a higher one includes the lower ones. */
function hasAll(cpu: CpuFeatures, wanted: Partial<CpuFeatures>): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => Number(cpu[name as keyof CpuFeatures]) >= Number(value),
  );
}

/**
 * The features of a model.
 * @throws WalkerError for an unknown model or `paBits` outside 32 to 52.
 */
export function cpuFeatures(options: CpuOptions = 'max'): CpuFeatures {
  const { model = 'max', ...changes } = typeof options === 'string' ? { model: options } : options;
  if (!Object.hasOwn(MODELS, model)) {
    throw new WalkerError(`unknown CPU model '${model}'; known are ${cpuModels.join(', ')}`);
  }
  const features: CpuFeatures = { ...MODELS[model], ...changes };
  if (!Number.isInteger(features.paBits) || features.paBits < 32 || features.paBits > 52) {
    throw new WalkerError(`paBits ${features.paBits} is not a physical address size; it must be 32 to 52`);
  }
  return { ...features, lpa: features.lpa && features.paBits === 52 };
}
