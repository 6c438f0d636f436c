/**
 * Memory images: files that hold physical memory, and their readers. What `lpae/image` exports.
 *
 * @example
 * import { bufferSource, imageMemory, openImage } from 'lpae/image';
 *
 * const words = Uint32Array.of(0xc000_0701, 0, 0x8000_1003, 0);
 * const file = bufferSource('ram.bin', new Uint8Array(words.buffer));
 * const image = openImage(file, { base: 0x8000_0000n }); // ELF, LiME, kdump and hex say their addresses themselves
 * console.log(image.format, image.segments[0]?.size); // raw 16n
 * const memory = imageMemory([image]);
 * console.log(memory.read64(0x8000_0008n).toString(16)); // 80001003
 */
export { type ByteSource, bufferSource } from './bytes.ts';
export { ImageError } from './errors.ts';
export { gunzipSource, isGzip } from './gunzip.ts';
export { type ImageFormat, type ImageSegment, imageMemory, type MemoryImage } from './image.ts';
export { type OpenOptions, openImage } from './open.ts';
