/**
 * Simulated physical memory and the frame allocator: what `lpae/memory` exports.
 *
 * @example
 * import { EXTERNAL_ABORT, FrameAllocator, PhysicalMemory } from 'lpae/memory';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n });
 * memory.write64(0x8000_0000n, 0x1_8000_1003n);
 * console.log(memory.read32(0x8000_0000n).toString(16)); // 80001003
 * console.log(memory.read64(0n) === EXTERNAL_ABORT); // true
 * const frames = new FrameAllocator(memory, { base: 0x8001_0000n, limit: 0x2000n });
 * console.log(frames.allocate(0x1000) === 0x8001_0000, frames.allocate(0x1000) === 0x8001_1000); // true true
 * console.log(frames.allocate(0x1000)); // undefined
 */
export { MemoryError } from './errors.ts';
export { type AllocatedFrame, FrameAllocator, type FrameAllocatorOptions } from './frame-allocator.ts';
export { EXTERNAL_ABORT, type ExternalAbort, PhysicalMemory } from './physical-memory.ts';
export type { LoadChunk, RamRegion, RegionOptions } from './ram-region.ts';
