/** Memory images: files that hold physical memory, and their readers. What `lpae/image` exports. */
export { type ByteSource, bufferSource } from './bytes.ts';
export { ImageError } from './errors.ts';
export { gunzipSource, isGzip } from './gunzip.ts';
export { type ImageFormat, type ImageSegment, imageMemory, type MemoryImage } from './image.ts';
export { type OpenOptions, openImage } from './open.ts';
