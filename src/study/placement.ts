/** Places chunks of CPU pages as a buddy allocator would: each at a multiple of its rounded-up size, with half of the memory already in use. */
import type { SeededRandom } from './random.ts';

/** Start of RAM in every generated workload: 2 GiB, a multiple of every block size up to 1 GiB. */
const RAM_BASE = 2 ** 31;

/** How many frames there are to choose from, for each one that is used. */
const FRAMES_A_CHUNK = 2;

/**
 * Places a chunk for each size, larger ones at lower addresses. Chunks never overlap.
 * @param sizes - bytes of each chunk, whole multiples of `page`.
 * @returns the PA of each chunk.
 */
export function placeChunks(sizes: ArrayLike<number>, page: number, random: SeededRandom): Float64Array {
  const count = sizes.length;
  const orders = new Uint8Array(count);
  const perOrder: number[] = [];
  for (let i = 0; i < count; i++) {
    const order = Math.ceil(Math.log2(sizes[i]! / page));
    orders[i] = order;
    perOrder[order] = (perOrder[order] ?? 0) + 1;
  }
  const free: Float64Array[] = [];
  let next = RAM_BASE;
  for (let order = perOrder.length - 1; order >= 0; order--) {
    const frame = page * 2 ** order;
    // RAM_BASE is not aligned for the largest chunks.
    next = Math.ceil(next / frame) * frame;
    const length = (perOrder[order] ?? 0) * FRAMES_A_CHUNK;
    const frames = Float64Array.from({ length }, (_, i) => next + i * frame);
    next += frames.length * frame;
    random.shuffle(frames);
    free[order] = frames;
  }
  const places = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const order = orders[i]!;
    places[i] = free[order]![--perOrder[order]!]!;
  }
  return places;
}
