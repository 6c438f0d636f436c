/** Registers of an SMMUv3 that translation depends on, by the names that a machine takes. (IHI 0070 G.b, 6.2.) */
import { type RegisterPlace, SMMU_REGISTERS } from './register-map.ts';

export const SMMU_OFFSETS = {
  idr0: SMMU_REGISTERS.IDR0,
  idr1: SMMU_REGISTERS.IDR1,
  idr3: SMMU_REGISTERS.IDR3,
  idr5: SMMU_REGISTERS.IDR5,
  cr0: SMMU_REGISTERS.CR0,
  cr2: SMMU_REGISTERS.CR2,
  s2pii: SMMU_REGISTERS.S2PII,
  gbpa: SMMU_REGISTERS.GBPA,
  strtab_base: SMMU_REGISTERS.STRTAB_BASE,
  strtab_base_cfg: SMMU_REGISTERS.STRTAB_BASE_CFG,
} as const satisfies Readonly<Record<string, RegisterPlace>>;
