/**
 * The hardware side: translation table walks as the Arm architecture defines them. What `lpae/walker` exports.
 *
 * @example
 * import { PhysicalMemory } from 'lpae/memory';
 * import { createWalker, parEl1 } from 'lpae/walker';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 0x1000n });
 * memory.write64(0x8000_0010n, 0xc000_0701n); // level 1, entry 2: a block of 1 GiB, writable, PA 0xc000_0000
 * const registers = { ttbr0: 0x8000_0000n, tcr: 0x2_8080_3519n, mair: 0xffn }; // 39 bits, 4K pages
 * const walker = createWalker(memory, { regime: 'el1&0', registers, cpu: 'cortex-a72' });
 * const walk = walker.walk(0x8123_4567n, { access: 'write' });
 * if (walk.ok) console.log(walk.pa.toString(16), walk.size, walk.permissions.unprivileged.write); // c1234567 1073741824n false
 * console.log(parEl1(walk).toString(16)); // ff000000c1234b80
 * const hole = walker.walk(0x1000n, { access: 'read' });
 * if (!hole.ok) console.log(hole.fault.kind, hole.fault.level); // translation 1
 */

export { type Regime, regimes } from '../arch/regimes.ts';
export { type PaSpace, type SecurityState, securityStates } from '../arch/security.ts';
export type {
  Cacheability,
  DeviceMemory,
  DeviceType,
  MemoryAttributes,
  MemoryRegion,
  NormalMemory,
  Shareability,
} from './attributes.ts';
export { type CpuFeatures, type CpuModel, type CpuOptions, cpuModels } from './cpu.ts';
export { createWalker, type WalkerOptions } from './create.ts';
export type { Denial, DenialCause, DirtyStateOff } from './denial-causes.ts';
export { WalkerError } from './errors.ts';
export { dfsr, esr, hpfarEl2, ifsr, parEl1, parShort } from './fault-codes.ts';
export type {
  ContiguousRegion,
  GpcFault,
  GptEntry,
  GptTable,
  GranuleProtection,
} from './granule-protection.ts';
export type { WalkerRegisters } from './register-values.ts';
export { ENTRY_KINDS, type TableEntry, type TableTree, type TreeRoot } from './table-tree.ts';
export type {
  Access,
  AccessPermissions,
  CacheControl,
  EffectiveRegion,
  Fault,
  FaultedWalk,
  FaultKind,
  GpcKind,
  Permissions,
  StageTranslation,
  Translation,
  WalkResult,
  WalkStep,
} from './types.ts';
export type { Walker } from './walker.ts';
