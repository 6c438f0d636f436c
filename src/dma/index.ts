/**
 * DMA through an IOMMU, as Linux's DMA API does it: what `lpae/dma` exports.
 *
 * @example
 * import { IommuDomain, PhysicalMemory, Scatterlist } from 'lpae';
 * import { DmaMapper } from 'lpae/dma';
 * import { arm64LpaeS1 } from 'lpae/formats';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n });
 * const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
 * const device = new DmaMapper(domain, { dmaMask: 0xffff_ffffn });
 * const sg = Scatterlist.from([{ phys: 0x9000_0000n, length: 0x1000 }, { phys: 0xa000_0000n, length: 0x800 }]);
 * const mapping = device.mapSg(sg, { direction: 'to-device' });
 * for (const { dmaAddress, length } of mapping.segments) console.log(dmaAddress.toString(16), length); // ffffe000 6144n
 * console.log(mapping.overMappedBytes, device.unmapSg(mapping)); // 2048n 8192n
 */
export {
  type Chunk,
  ChunkMapper,
  type ChunkMapperOptions,
  type ChunkMapping,
  chunksOf,
} from './chunk-mapper.ts';
export {
  DEVICE_PRESETS,
  type DeviceLimits,
  type DevicePreset,
  ODD_LISTS,
  type OddLists,
} from './device-limits.ts';
export { DmaIova, type DmaIovaPlace } from './dma-iova.ts';
export { DmaMapper, type DmaMapperOptions, type DmaMapping } from './dma-mapper.ts';
export { IovaAllocator, type IovaAllocatorOptions } from './iova-allocator.ts';
export {
  IOVA_POLICIES,
  type IovaPolicy,
  type IovaRange,
  type IovaRequest,
  type IovaSource,
} from './iova-source.ts';
export { LinuxIovaAllocator, type LinuxIovaAllocatorOptions } from './linux-iova-allocator.ts';
export type { DmaDirection, DmaRequest } from './prot.ts';
export type { DmaSegment } from './segments.ts';
