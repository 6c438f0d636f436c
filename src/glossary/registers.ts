/** Every register, structure and syndrome that the glossary knows, and how they are found by name. */

import { CD, SMMU_FSR, SMMU_FSYNR0, SMMU_GFSR, STE } from '../arch/smmu/index.ts';
import { type RegisterLayout, registerOf } from './register.ts';
import { DACR, MAIR_EL1, TTBR0_EL1, VTTBR_EL2 } from './registers-base.ts';
import { HCR_EL2, SCTLR_EL1, TCR_EL1, TCR_EL2, TTBCR, VTCR_EL2 } from './registers-control.ts';
import {
  DFSR_LONG,
  DFSR_SHORT,
  ESR_DATA,
  ESR_INSTRUCTION,
  HPFAR_EL2,
  IFSR_LONG,
  IFSR_SHORT,
  PAR_ADDRESS,
  PAR_FAULT,
  PAR_SHORT,
} from './registers-fault.ts';
import { AS_FAULTSTATUS } from './registers-mali.ts';

/** In the order in which they are listed. Several may have one name: forms of the same register. */
export const REGISTERS: readonly RegisterLayout[] = [
  TCR_EL1,
  TCR_EL2,
  VTCR_EL2,
  TTBR0_EL1,
  VTTBR_EL2,
  MAIR_EL1,
  HCR_EL2,
  SCTLR_EL1,
  TTBCR,
  DACR,
  ESR_DATA,
  ESR_INSTRUCTION,
  HPFAR_EL2,
  PAR_FAULT,
  PAR_ADDRESS,
  PAR_SHORT,
  DFSR_SHORT,
  DFSR_LONG,
  IFSR_SHORT,
  IFSR_LONG,
  ...[STE, CD, SMMU_FSR, SMMU_FSYNR0, SMMU_GFSR].map(registerOf),
  AS_FAULTSTATUS,
];
