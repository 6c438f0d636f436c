/** Hostile memory: RAM full of words that look like descriptors, with a guard on every access. (DDI 0487 D8.3, G5.4 for what looks like one.) */
import { PhysicalMemory, type RamRegion, type RegionOptions } from '../../src/memory/index.ts';
import type { Random } from '../support/random.ts';

/** RAM is a few 64K frames, so that tables of every granule fit and pointers meet often. */
const FRAME = 0x1_0000;
/** No walk needs more reads: 5 stage-1 levels, each under 5 of stage 2, the final stage 2, a CD and an STE with two levels. */
const READ_LIMIT = 128;

/** RAM, and what was done to it since `begin`. */
export interface GuardedMemory {
  readonly memory: PhysicalMemory;
  reads: number;
  writes: number;
  /** Off while something reads memory that is not one walk. */
  limit: boolean;
}

/** Starts the count of one walk's accesses. */
export function begin(guarded: GuardedMemory): void {
  guarded.reads = 0;
  guarded.writes = 0;
}

/** One random kind of RAM: below 4G (where short descriptors reach), or anywhere up to 2^52; whole, with a hole, or sparse. */
export function randomMemory(random: Random, below4G: boolean): GuardedMemory {
  const frames = random.pick([1, 2, 2, 4]);
  const high = random.pick([0, 0x8000_0000, 2 ** 39, 2 ** 47, 2 ** 51, 2 ** 52 - frames * FRAME * 3]);
  const base = below4G ? random.between(0, 0x7fff) * FRAME : high;
  const regions: RegionOptions[] = [ram(base, frames, random)];
  if (random.chance(0.25)) regions.push(ram(base + (frames + 1) * FRAME, frames, random));
  const guarded: GuardedMemory = { memory: new PhysicalMemory(regions), reads: 0, writes: 0, limit: true };
  for (const region of guarded.memory.regions) {
    fill(region, random, below4G && random.chance(0.5));
    guard(region, guarded);
  }
  return guarded;
}

function ram(base: number, frames: number, random: Random): RegionOptions {
  const size = frames * FRAME;
  if (random.chance(0.2)) return { base: BigInt(base), size: BigInt(size) };
  return { base: BigInt(base), buffer: new ArrayBuffer(size) };
}

/** Words from a palette of the machine's own, mostly; now and then a pointer of a table to itself. */
function fill(region: RamRegion, random: Random, short: boolean): void {
  const benign = random.chance(0.5);
  const palette = Array.from({ length: 96 }, () =>
    short ? [shortWord(region, random), shortWord(region, random)] : longWord(region, random, benign),
  );
  for (let pa = region.start; pa < region.end; pa += 8) {
    const choice = random.word32();
    const [lo, hi] =
      choice >>> 27 === 0 ? pointer(Math.floor(pa / 4096) * 4096) : palette[choice % palette.length]!;
    const words = region.words(pa);
    const at = region.wordIndex(pa);
    words[at] = lo!;
    words[at + 1] = hi!;
  }
}

function pointer(pa: number): [lo: number, hi: number] {
  return [((pa % 2 ** 32) | 3) >>> 0, Math.floor(pa / 2 ** 32) & 0xffff];
}

/** A table descriptor into RAM, one out of it, a leaf, an invalid one, or noise; `benign`: seldom the ones that fault. */
function longWord(region: RamRegion, random: Random, benign: boolean): [lo: number, hi: number] {
  const kind = benign && random.chance(0.9) ? random.pick([0, 10, 10, 12]) : random.word32() % 16;
  if (kind < 6) {
    const step = random.pick([4096, 4096, 16384, FRAME]);
    const frame = random.between(0, Math.max(0, Math.floor((region.end - region.start) / step) - 1));
    const [lo, hi] = pointer(region.start + frame * step);
    // With 52-bit addresses OA[51:48] is in [15:12] or in [9:8] and [49:48].
    const top = Math.floor(region.start / 2 ** 48);
    return random.chance(0.5)
      ? [lo, hi]
      : [(lo | (top << 12) | ((top >> 2) << 8)) >>> 0, hi | ((top & 3) << 16)];
  }
  if (kind < 7) return pointer(random.between(0, 0xff_ffff) * 4096 * 2 ** random.between(0, 15));
  if (kind < 11) {
    // A leaf that maps RAM, with full access at either stage: what stage 2 needs to let a stage-1 walk go on.
    const [lo, hi] = pointer(region.start);
    return [(lo & ~0xfff) | 0x7c1 | (random.word32() & 0x3e), hi];
  }
  if (kind < 13) {
    const type = random.pick([1, 3]);
    const accessFlag = random.chance(0.8) ? 0x400 : 0;
    const lo = (random.word32() & ~3 & ~0x400) | type | accessFlag;
    // Output addresses of at most 40 bits, more often than not; contiguous, DBM, permissions and software bits in [63:51].
    const hi = random.word32() & random.pick([0, 0xf, 0xff, 0xffff_ffff]);
    return [lo >>> 0, (hi | (random.chance(0.3) ? random.word32() & 0xfff8_0000 : 0)) >>> 0];
  }
  if (kind < 14) return [(random.word32() & ~1) >>> 0, random.word32()];
  return [random.word32(), random.word32()];
}

/** A short descriptor: a pointer to a level 2 table in RAM, a section, a supersection or a page, or noise. */
function shortWord(region: RamRegion, random: Random): number {
  const kind = random.word32() % 8;
  const noise = random.word32();
  if (kind < 4) {
    const table = region.start + random.between(0, (region.end - region.start) / 1024 - 1) * 1024;
    return ((table % 2 ** 32) | (noise & 0x3fc) | 1) >>> 0;
  }
  return kind < 7 ? (noise | 2) >>> 0 : noise;
}

/** Every access goes through `peek` or `words`: it must lie in the region and be aligned, and there must be an end to them. */
function guard(region: RamRegion, guarded: GuardedMemory): void {
  const peek = region.peek.bind(region);
  const words = region.words.bind(region);
  const check = (pa: number) => {
    if (!region.contains(pa, 4) || pa % 4 !== 0) throw new Error(`access outside RAM: 0x${pa.toString(16)}`);
    if (guarded.limit && guarded.reads + guarded.writes > READ_LIMIT)
      throw new Error(`more than ${READ_LIMIT} accesses in one walk`);
  };
  // Not by `watch`, which would keep the fast path away: that is to be tried on this memory too.
  region.peek = (pa) => {
    guarded.reads++;
    check(pa);
    return peek(pa);
  };
  region.words = (pa) => {
    guarded.writes++;
    check(pa);
    return words(pa);
  };
}
