/** Every register, structure and syndrome that the glossary knows, and the lookup by name. */

import { OTHER_REGISTERS, PE_REGISTERS } from '../arch/registers/index.ts';
import {
  CD,
  SMMU_CMDQ_CONS,
  SMMU_FSR,
  SMMU_FSYNR0,
  SMMU_GERROR,
  SMMU_GFSR,
  STE,
} from '../arch/smmu/index.ts';
import { type RegisterLayout, registerOf } from './register.ts';

/** All layouts, in the order of lists. Forms of the same register share a name. */
export const REGISTERS: readonly RegisterLayout[] = [
  ...PE_REGISTERS,
  ...[STE, CD, SMMU_FSR, SMMU_FSYNR0, SMMU_GFSR, SMMU_GERROR, SMMU_CMDQ_CONS],
  ...OTHER_REGISTERS,
].map(registerOf);
