/** The words of an SMMU: structures in memory, registers and event records of SMMUv3 (IHI 0070 G.b), registers of SMMUv2 (IHI 0062). */
export { CD_BYSTANDERS, STE_BYSTANDERS } from './bystanders.ts';
export {
  CD,
  CD_LOWER,
  CD_PERMISSION_FIELDS,
  CD_UPPER,
  type CdRangeControl,
  PIIP_WORD,
  PIIU_WORD,
} from './cd.ts';
export type { CommandNeed, CommandTraits } from './command-fields.ts';
export {
  ALL_STREAMS,
  COMMAND_NAMES,
  COMMANDS,
  type CommandName,
  commandLayout,
  commandWithOpcode,
  OPCODE,
} from './commands.ts';
export { L1CD, L1STD, LARGEST_SPAN } from './descriptors.ts';
export {
  EVENT,
  EVENT_CLASSES,
  EVENTS,
  type EventName,
  type EventPart,
  type EventTraits,
  eventLayout,
  IMPLEMENTATION_DEFINED_EVENTS,
  UNKNOWN_EVENT,
} from './events.ts';
export { SMMU_CMDQ_CONS, SMMU_GERROR } from './global-errors.ts';
export { SMMU_IRQ_CFG0, SMMU_IRQ_CFG2, SMMU_IRQ_CTRL, SYNC_SIGNAL } from './interrupts.ts';
export { CD_PERMISSIONS, SMMU_S2PII } from './permissions.ts';
export {
  COMMAND_ERRORS,
  COMMAND_LOG2,
  EVENT_LOG2,
  PAGE_REQUEST,
  PAGE_REQUEST_ADDRESS,
  PRI_LOG2,
  QUEUE_LOG2_LIMIT,
  SMMU_EVENTQ_CONS,
  SMMU_EVENTQ_PROD,
  SMMU_QUEUE_BASE,
} from './queues.ts';
export {
  type RegisterPlace,
  SMMU_PAGES_SIZE,
  SMMU_REGISTERS,
  type SmmuRegisterName,
} from './register-map.ts';
export {
  HTTU,
  SMMU_AIDR,
  SMMU_CR0,
  SMMU_CR2,
  SMMU_GBPA,
  SMMU_IDR0,
  SMMU_IDR1,
  SMMU_IDR3,
  SMMU_IDR5,
  SMMU_STRTAB_BASE,
  SMMU_STRTAB_BASE_CFG,
  ST_LEVEL_LINEAR,
  STALL_MODEL,
  TTENDIAN,
  TTF,
  TWO_LEVELS,
} from './registers.ts';
export { SMMU_S_CR0, SMMU_S_GBPA, SMMU_S_IDR0, SMMU_S_IDR1 } from './secure-registers.ts';
export {
  CBAR_TYPE,
  FSR_FORMAT,
  SMMU_CB_SCTLR,
  SMMU_CB_TCR,
  SMMU_CB_TCR2,
  SMMU_CBA2R,
  SMMU_CBAR,
  SMMU_CBFRSYNRA,
  SMMU_FSR,
  SMMU_FSYNR0,
  SMMU_GFSR,
  SMMU_GFSYNR0,
  SMMU_GFSYNR1,
} from './smmuv2.ts';
export {
  CD_LEAF_LOG2,
  EATS,
  INSTCFG,
  NSCFG,
  PRIVCFG,
  S1DSS,
  S2POI_WORD,
  STE,
  STE_CONFIG,
  STRW,
} from './ste.ts';
