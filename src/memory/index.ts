/** Simulated physical memory and the frame allocator: what `lpae/memory` exports. */
export { MemoryError } from './errors.ts';
export { type AllocatedFrame, FrameAllocator, type FrameAllocatorOptions } from './frame-allocator.ts';
export { EXTERNAL_ABORT, type ExternalAbort, PhysicalMemory } from './physical-memory.ts';
export type { LoadChunk, RamRegion, RegionOptions } from './ram-region.ts';
