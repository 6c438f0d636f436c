/** Where a buddy allocator would put chunks of CPU pages: each on a multiple of its rounded-up size, in memory that is half in use by others. */
import type { SeededRandom } from './random.ts';

/** RAM begins here in every generated workload: 2 GiB, a multiple of every block up to 1 GiB. */
const RAM_BASE = 2 ** 31;

/** Of the frames that chunks are drawn from, so many are as one that is taken. */
const FRAMES_A_CHUNK = 2;

/**
 * Places a chunk for each size, larger ones lower. No two overlap.
 * @param sizes - bytes of each chunk, whole multiples of `page`.
 * @returns PA of each.
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
    // A chunk of more than the base's own alignment would be misplaced.
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
