/** The hardware side: translation table walks as the Arm architecture defines them. What `lpae/walker` exports. */

export { type Regime, regimes } from '../arch/regimes.ts';
export type {
  Cacheability,
  DeviceMemory,
  DeviceType,
  MemoryAttributes,
  NormalMemory,
  Shareability,
} from './attributes.ts';
export { type CpuFeatures, type CpuModel, type CpuOptions, cpuModels } from './cpu.ts';
export { WalkerError } from './errors.ts';
export { dfsr, esr, hpfarEl2, ifsr, parEl1, parShort } from './fault-codes.ts';
export type { WalkerRegisters } from './regimes.ts';
export { ENTRY_KINDS, type TableEntry, type TableTree, type TreeRoot } from './table-tree.ts';
export type {
  Access,
  AccessPermissions,
  Fault,
  FaultedWalk,
  FaultKind,
  Permissions,
  StageTranslation,
  Translation,
  WalkResult,
  WalkStep,
} from './types.ts';
export { createWalker, stage1, stage2, type Walker, type WalkerOptions } from './walker.ts';
