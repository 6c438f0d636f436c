/** The driver side's public API: domains, scatterlists, memory and errors. Formats are in `lpae/formats`, the hardware in `lpae/walker`. */
export { type DomainOptions, IommuDomain, type TrackedRange, type UnmapReport } from './iommu/domain.ts';
export {
  Scatterlist,
  type ScatterlistOptions,
  type SgEntry,
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
export type { PartialUnmap } from './pagetable/partial-unmap.ts';
export { countTree, type TreeCounts, type TreeEntry, type TreeTable } from './pagetable/tree.ts';
