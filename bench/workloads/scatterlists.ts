/** Scatterlists and domains for measurements, the same on every run. */
import { arm64LpaeS1, type FormatModule } from '../../formats/index.ts';
import { FrameAllocator, IommuDomain, PhysicalMemory, Scatterlist } from '../../src/index.ts';

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
export const RW = { read: true, write: true } as const;
export const IOVA = 0x100_0000_0000n;

/** A granule with its page and block sizes. */
export interface Granule {
  readonly name: string;
  readonly page: number;
  readonly block: number;
  readonly pgsizeBitmap: bigint;
}

export const GRANULES: readonly Granule[] = [
  { name: '4K', page: 4 * KIB, block: 2 * MIB, pgsizeBitmap: 0x4020_1000n },
  { name: '16K', page: 16 * KIB, block: 32 * MIB, pgsizeBitmap: 0x200_4000n },
  { name: '64K', page: 64 * KIB, block: 512 * MIB, pgsizeBitmap: 0x2001_0000n },
];

/** Makes a domain with tables above 2 GiB, in memory that grows as it is written. */
export function newDomain(pgsizeBitmap: bigint, format: FormatModule = arm64LpaeS1): IommuDomain {
  const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 32n });
  const allocator = new FrameAllocator(memory);
  return new IommuDomain(memory, format, { pgsizeBitmap, ias: 48, oas: 48, allocator });
}

/**
 * A domain that stays alive. V8 drops compiled code when a garbage collection finds no object left of a shape that the code was
 * compiled for. If no domain were alive between samples that each make their own, some samples would measure the compiler.
 */
export const keptDomain = newDomain(0x4020_1000n);
keptDomain.map(IOVA, 0n, 0x1000n, RW);

/** A permutation of 0 to count - 1 by a fixed linear congruential generator. */
export function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let state = 12345;
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** `count` entries of `bytes` each, in 47 bits of physical address. No two neighbours are physically adjacent. */
export function scattered(count: number, bytes: number): Scatterlist {
  const addresses = Float64Array.from(shuffled(count), (n) => 0x1_0000_0000 + n * 2 * bytes);
  return Scatterlist.fromColumns(addresses, new Float64Array(count).fill(bytes));
}

/** One entry. */
export function contiguous(bytes: number): Scatterlist {
  return Scatterlist.fromColumns([0x10_0000_0000], [bytes]);
}
