/** Results other than times: memory that tables take beyond their own bytes, and how the cost of a descriptor grows with the number. */
import { Scatterlist } from '../src/index.ts';
import type { Figure } from './workload.ts';
import { GIB, IOVA, MIB, newDomain, RW, scattered } from './workloads/scatterlists.ts';

/** Host memory for tables as a multiple of the tables' own bytes, from the memory of the process before and after. */
function overhead(name: string, map: () => { readonly bytes: number; readonly keep: unknown }): Figure {
  return {
    name: `memory for tables, ${name}`,
    unit: '× their bytes',
    value: () => {
      const before = used();
      const { bytes, keep } = map();
      const after = used();
      return keep === undefined ? Number.NaN : (after - before) / bytes;
    },
  };
}

function used(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function mapAll(bytes: number, pgsizeBitmap: bigint) {
  const domain = newDomain(pgsizeBitmap);
  domain.mapSg(IOVA, Scatterlist.fromColumns([0x100_0000_0000], [bytes]), RW);
  return { bytes: domain.allocator.bytesAllocated, keep: domain };
}

/**
 * Nanoseconds per descriptor for scattered 4K pages, the fastest of a few runs. The memory of the tables is allocated before, because
 * getting the first 64 KiB from the system takes as long as mapping 2,000 pages.
 */
function costOf(count: number): number {
  const sg = scattered(count, 4096);
  const rounds = Math.max(3, Math.min(200, Math.floor(3_000_000 / count)));
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const domain = newDomain(0x4020_1000n);
    domain.mapSg(IOVA, sg, RW);
    domain.unmapSg(IOVA, sg);
    const start = performance.now();
    domain.mapSg(IOVA, sg, RW);
    best = Math.min(best, ((performance.now() - start) * 1e6) / count);
    domain.free();
  }
  return best;
}

export function figures(): Figure[] {
  // Warm up the code before the first measurement.
  costOf(10_000);
  const growth = [1e3, 1e4, 1e5, 1e6, 1e7].map(
    (count): Figure => ({
      name: `mapSg, ${count.toLocaleString('en-US')} scattered 4K entries`,
      unit: 'ns a descriptor, fastest',
      value: () => costOf(count),
    }),
  );
  return [
    overhead('1 TiB as 2M blocks', () => mapAll(1024 * GIB, BigInt(2 * MIB) | 0x1000n)),
    overhead('64 GiB as 4K pages', () => mapAll(64 * GIB, 0x1000n)),
    ...growth,
  ];
}
