/**
 * Where tables lie, and the machine that walks them: the domain's own memory for one stage, a guest's RAM behind stage 2 for two.
 * (DDI 0487 D8.1.2: translation regimes with two stages.)
 */
import { IommuDomain } from '../iommu/domain.ts';
import { FrameAllocator, PhysicalMemory } from '../memory/index.ts';
import type { Prot } from '../pagetable/format.ts';
import { createWalker, type Walker } from '../walker/index.ts';
import { ADDRESS_BITS, type Combination, formatOf, formatRequest } from './combinations.ts';
import type { WorkloadRequest } from './workload.ts';

const GIB = 2 ** 30;

/** RAM for tables, far above the buffers: 1 GiB is enough to map 512 GiB in 4K pages. In a guest these are IPAs. */
export const TABLE_RAM = { base: 1n << 46n, size: 1n << 30n } as const;
/** RAM for the tables of stage 2, which no guest sees. */
const HOST_RAM = { base: 3n << 46n, size: 1n << 36n } as const;
/** How far a guest's RAM lies above its IPAs: a multiple of every block and run size. */
const RAM_OFFSET = 1n << 40n;

/** The rights and memory type for DMA of a coherent device. */
export const PROT: Prot = { read: true, write: true, cache: true };

/** With only pages, a guest's RAM is mapped in whole GiB up to this many. */
const MANY_GIB = 64;

/** A machine with both stages: stage 1 is `guest`, and stage 2 maps the RAM that holds its tables and the buffers of the requests. */
export interface NestedMachine {
  readonly stage2: IommuDomain;
  readonly walker: Walker;
}

/**
 * Puts stage 2 below a guest's domain: its RAM at an offset, in the largest leaves that the combination offers.
 * @param requests - all requests of the workload: the guest's RAM is where their buffers are.
 * @throws IommuError when the RAM can't be mapped.
 */
export function nestedMachine(
  guest: IommuDomain,
  requests: readonly WorkloadRequest[],
  combination: Combination,
): NestedMachine {
  const stage2Choice = { ...combination, stage: 's2' } as const;
  const ranges = guestRam(requests, combination);
  const last = ranges.at(-1)!;
  // If RAM ends too high for the offset, it is mapped without one.
  const offset = BigInt(last.end) + RAM_OFFSET <= 1n << BigInt(ADDRESS_BITS) ? RAM_OFFSET : 0n;
  const [region] = guest.memory.regions;
  const host = new PhysicalMemory([
    {
      base: TABLE_RAM.base + offset,
      size: TABLE_RAM.size,
      // The guest's own bytes, read at their PA.
      load: (pa, bytes) => {
        const words = region!.peek(pa - Number(offset));
        if (words) bytes.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
      },
    },
    HOST_RAM,
  ]);
  const stage2 = new IommuDomain(host, formatOf(stage2Choice), {
    ...formatRequest(stage2Choice),
    allocator: new FrameAllocator(host, HOST_RAM),
  });
  for (const { start, end } of ranges) {
    stage2.map(BigInt(start), BigInt(start) + offset, BigInt(end - start), PROT);
  }
  const registers = { ...guest.registers.hardware.registers, ...stage2.registers.hardware.registers };
  return { stage2, walker: createWalker(host, { regime: 'el1&0-nested', registers }) };
}

interface RamRange {
  readonly start: number;
  readonly end: number;
}

/** The ranges of IPAs with the guest's RAM, ascending: whole GiB around tables and buffers. */
function guestRam(requests: readonly WorkloadRequest[], { sizes, granule }: Combination): RamRange[] {
  const whole = unitsOf(requests, GIB);
  // With only pages, scattered RAM would need too much memory for tables. Then only the used parts are mapped.
  const few = sizes !== 'pages' || whole.size <= MANY_GIB;
  const [unit, units] = few ? [GIB, whole] : [granule, unitsOf(requests, granule)];
  const [start, end] = [Number(TABLE_RAM.base), Number(TABLE_RAM.base + TABLE_RAM.size)];
  const ranges: { start: number; end: number }[] = [];
  const buffers = Float64Array.from(units).sort();
  for (const index of buffers) {
    const at = index * unit;
    if (at >= start && at < end) continue;
    const before = ranges.at(-1);
    if (before?.end === at) before.end = at + unit;
    else ranges.push({ start: at, end: at + unit });
  }
  ranges.push({ start, end });
  return ranges.sort((a, b) => a.start - b.start);
}

/** The units of `unit` bytes that entries touch, by number. */
function unitsOf(requests: readonly WorkloadRequest[], unit: number): Set<number> {
  const units = new Set<number>();
  let last = -1;
  for (const { sg } of requests) {
    const { count, addresses, lengths } = sg;
    for (let i = 0; i < count; i++) {
      // An entry beyond the reach of every table is refused elsewhere.
      if (lengths[i] === 0 || addresses[i]! + lengths[i]! > 2 ** ADDRESS_BITS) continue;
      const first = Math.floor(addresses[i]! / unit);
      const end = Math.floor((addresses[i]! + lengths[i]! - 1) / unit);
      if (first === last && end === last) continue;
      for (let index = first; index <= end; index++) units.add(index);
      last = end;
    }
  }
  return units;
}
