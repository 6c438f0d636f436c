/** DMA through an IOMMU, as Linux's DMA API does it: what `lpae/dma` exports. */
export { DmaMapper, type DmaMapperOptions, type DmaMapping } from './dma-mapper.ts';
export {
  IovaAllocator,
  type IovaAllocatorOptions,
  type IovaRange,
  type IovaRequest,
} from './iova-allocator.ts';
export type { DmaDirection, DmaRequest } from './prot.ts';
export type { DmaSegment } from './segments.ts';
