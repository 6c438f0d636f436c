/** System registers and instructions of A64 that the probing programs name. (DDI 0487 C5, D24.2.) */
import type { SystemName } from './a64.ts';

export const TTBR0_EL1: SystemName = [3, 0, 2, 0, 0];
export const TTBR1_EL1: SystemName = [3, 0, 2, 0, 1];
export const TCR_EL1: SystemName = [3, 0, 2, 0, 2];
export const MAIR_EL1: SystemName = [3, 0, 10, 2, 0];
export const SCTLR_EL1: SystemName = [3, 0, 1, 0, 0];
export const CPACR_EL1: SystemName = [3, 0, 1, 0, 2];
export const VBAR_EL1: SystemName = [3, 0, 12, 0, 0];
export const ESR_EL1: SystemName = [3, 0, 5, 2, 0];
export const PAR_EL1: SystemName = [3, 0, 7, 4, 0];

export const TTBR0_EL2: SystemName = [3, 4, 2, 0, 0];
export const TTBR1_EL2: SystemName = [3, 4, 2, 0, 1];
export const TCR_EL2: SystemName = [3, 4, 2, 0, 2];
export const MAIR_EL2: SystemName = [3, 4, 10, 2, 0];
export const SCTLR_EL2: SystemName = [3, 4, 1, 0, 0];
export const HCR_EL2: SystemName = [3, 4, 1, 1, 0];
export const VTTBR_EL2: SystemName = [3, 4, 2, 1, 0];
export const VTCR_EL2: SystemName = [3, 4, 2, 1, 2];

/** Those of FEAT_TCR2, S1PIE, S2PIE, AIE and HCX. */
export const TCR2_EL1: SystemName = [3, 0, 2, 0, 3];
export const PIR_EL1: SystemName = [3, 0, 10, 2, 3];
export const PIRE0_EL1: SystemName = [3, 0, 10, 2, 2];
export const MAIR2_EL1: SystemName = [3, 0, 10, 2, 1];
export const TCR2_EL2: SystemName = [3, 4, 2, 0, 3];
export const PIR_EL2: SystemName = [3, 4, 10, 2, 3];
export const PIRE0_EL2: SystemName = [3, 4, 10, 2, 2];
export const MAIR2_EL2: SystemName = [3, 4, 10, 1, 1];
export const S2PIR_EL2: SystemName = [3, 4, 10, 2, 5];
export const HCRX_EL2: SystemName = [3, 4, 1, 2, 2];

/** What a PE says of itself, by the names that the walker takes. */
export const IDENTIFICATION: Readonly<Record<string, SystemName>> = {
  ID_AA64PFR0_EL1: [3, 0, 0, 4, 0],
  ID_AA64PFR1_EL1: [3, 0, 0, 4, 1],
  ID_AA64MMFR0_EL1: [3, 0, 0, 7, 0],
  ID_AA64MMFR1_EL1: [3, 0, 0, 7, 1],
  ID_AA64MMFR2_EL1: [3, 0, 0, 7, 2],
  ID_AA64MMFR3_EL1: [3, 0, 0, 7, 3],
  ID_AA64MMFR4_EL1: [3, 0, 0, 7, 4],
};

/** Of FEAT_SEL2, and of FEAT_RME. */
export const VSTTBR_EL2: SystemName = [3, 4, 2, 6, 0];
export const VSTCR_EL2: SystemName = [3, 4, 2, 6, 2];
export const GPTBR_EL3: SystemName = [3, 6, 2, 1, 4];
export const GPCCR_EL3: SystemName = [3, 6, 2, 1, 6];

export const SCR_EL3: SystemName = [3, 6, 1, 1, 0];
export const CPTR_EL3: SystemName = [3, 6, 1, 1, 2];
export const VBAR_EL3: SystemName = [3, 6, 12, 0, 0];
export const ESR_EL3: SystemName = [3, 6, 5, 2, 0];
export const ELR_EL3: SystemName = [3, 6, 4, 0, 1];
export const SPSR_EL3: SystemName = [3, 6, 4, 0, 0];

export const TLBI_ALLE1: SystemName = [1, 4, 8, 7, 4];
export const TLBI_ALLE2: SystemName = [1, 4, 8, 7, 0];
export const TLBI_PAALL: SystemName = [1, 6, 8, 7, 4];
export const IC_IALLU: SystemName = [1, 0, 7, 5, 0];

export const AT_S1E1R: SystemName = [1, 0, 7, 8, 0];
export const AT_S1E1W: SystemName = [1, 0, 7, 8, 1];
export const AT_S1E0R: SystemName = [1, 0, 7, 8, 2];
export const AT_S1E0W: SystemName = [1, 0, 7, 8, 3];
export const AT_S1E1RP: SystemName = [1, 0, 7, 9, 0];
export const AT_S1E1WP: SystemName = [1, 0, 7, 9, 1];
export const AT_S1E2R: SystemName = [1, 4, 7, 8, 0];
export const AT_S1E2W: SystemName = [1, 4, 7, 8, 1];
export const AT_S12E1R: SystemName = [1, 4, 7, 8, 4];
export const AT_S12E1W: SystemName = [1, 4, 7, 8, 5];
export const AT_S12E0R: SystemName = [1, 4, 7, 8, 6];
export const AT_S12E0W: SystemName = [1, 4, 7, 8, 7];
