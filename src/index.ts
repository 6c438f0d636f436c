/**
 * The driver side's public API: domains, scatterlists, memory and errors. Formats are in `lpae/formats`, the hardware in `lpae/walker`.
 *
 * @example
 * import { IommuDomain, PhysicalMemory, Scatterlist } from 'lpae';
 * import { arm64LpaeS1 } from 'lpae/formats';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n });
 * const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
 * const sg = Scatterlist.from([{ phys: 0x9_0000_0000n, length: 0x8000 }, { phys: 0x9_0000_8000n, length: 0x8000 }]);
 * console.log(domain.mapSg(0x1000_0000n, sg, { read: true, write: true })); // 65536n
 * console.log(domain.iovaToPhys(0x1000_1234n)?.toString(16)); // 900001234
 * console.log(domain.unmapSg(0x1000_0000n, sg)); // 65536n
 */

export { IommuDomain } from './iommu/domain.ts';
export type { ClearOption, DomainOptions, UnmapReport } from './iommu/domain-options.ts';
export type { DomainRegisters, HardwareSizes } from './iommu/domain-registers.ts';
export type { ReservedRange } from './iommu/reserved.ts';
export {
  Scatterlist,
  type ScatterlistOptions,
  type SgEntry,
  type SgPages,
  type SgRange,
  type SgRun,
} from './iommu/scatterlist.ts';
export {
  mapSgAs,
  planSg,
  type SgPiece,
  type SgPlan,
  type SgRefusal,
  type SgSemantics,
  type SgValue,
} from './iommu/sg-semantics.ts';
export type { TrackedRange, TrackedReport } from './iommu/tracking.ts';
export type { Address } from './iommu/word.ts';
export { EXTERNAL_ABORT, FrameAllocator, MemoryError, PhysicalMemory } from './memory/index.ts';
export { FormatError, IommuError, type IommuErrorCode, type IommuOperands } from './pagetable/errors.ts';
export type {
  DeviceType,
  Execute,
  Feature,
  Prot,
  Quirk,
  Registers,
  ShareabilityDomain,
} from './pagetable/format.ts';
export {
  type Concatenation,
  LINUX,
  type LinuxChoices,
  type LinuxVersion,
} from './pagetable/linux.ts';
export type { PartialUnmap } from './pagetable/partial-unmap.ts';
export { countTree, type TreeCounts, type TreeEntry, type TreeTable } from './pagetable/tree.ts';
