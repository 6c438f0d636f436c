/** Tables for a TLB study: a footprint mapped into real tables under a combination of granule, page sizes and stages, and the machine that walks it. */

import { IommuDomain } from '../../iommu/domain.ts';
import { Scatterlist } from '../../iommu/scatterlist.ts';
import type { MachineDescription } from '../../machine/machine.ts';
import { PhysicalMemory } from '../../memory/index.ts';
import { createWalker, type Regime, type Walker } from '../../walker/index.ts';
import { type Combination, formatOf, formatRequest } from '../combinations.ts';
import { nestedMachine, PROT, TABLE_RAM } from '../memory.ts';
import type { Workload } from '../workload.ts';
import { type WorkloadOptions, workloadNamed } from '../workloads.ts';
import { joined, type Stretch } from './trace.ts';
import type { StudiedTables } from './walks.ts';

/** The axes that are compared. The CPU's page always equals the granule, so that every granule can map everything. */
export type TablesChoice = Pick<Combination, 'granule' | 'sizes' | 'stage'>;

/** What memory to map: the requests of a workload, or given stretches. */
export type Footprint = Omit<WorkloadOptions, 'cpuPageSize'> & {
  /** One of {@link WORKLOADS}: it decides where memory lies. Default: `fragmented`. */
  readonly workload?: string;
  /** Input addresses to map instead of the workload's own. `bytes` is then ignored. */
  readonly stretches?: readonly Stretch[];
};

/** Stretches are widened to multiples of this, the largest granule, so that every granule maps the same. */
const UNIT = 0x1_0000n;

/**
 * The requests that map a footprint with CPU pages of the granule's size.
 * @throws StudyError for an unknown workload, or options out of range.
 */
export function footprintWorkload(footprint: Footprint, granule: number): Workload {
  const { workload = 'fragmented', stretches, fragmentation = 0, ...options } = footprint;
  const settings = { ...options, fragmentation, cpuPageSize: granule };
  if (stretches === undefined) return workloadNamed(workload, settings);
  const wanted = joined(stretches, UNIT);
  const bytes = wanted.reduce((sum, { size }) => sum + Number(size), 0);
  const made = workloadNamed(workload, { ...settings, bytes });
  const pages = new ChunkReader(made);
  return {
    ...made,
    requests: wanted.map(({ first, size }) => ({ iova: first, sg: pages.take(Number(size)) })),
  };
}

/** The input addresses that a workload maps, joined. */
export function stretchesOf({ requests }: Workload): Stretch[] {
  return joined(requests.map(({ iova, sg }) => ({ first: iova, size: sg.byteLength })));
}

/** Hands out the memory of a workload chunk by chunk, regardless of which request it was for. */
class ChunkReader {
  readonly #cpuPageSize: number;
  readonly #lists: readonly Scatterlist[];
  #list = 0;
  #entry = 0;
  #used = 0;

  constructor({ requests, cpuPageSize }: Workload) {
    this.#lists = requests.map(({ sg }) => sg);
    this.#cpuPageSize = cpuPageSize;
  }

  take(bytes: number): Scatterlist {
    const [addresses, lengths]: [number[], number[]] = [[], []];
    for (let left = bytes; left > 0; ) {
      const list = this.#lists[this.#list]!;
      if (this.#entry === list.count) {
        this.#list++;
        this.#entry = 0;
        continue;
      }
      const length = Math.min(left, list.lengths[this.#entry]! - this.#used);
      addresses.push(list.addresses[this.#entry]! + this.#used);
      lengths.push(length);
      left -= length;
      this.#used += length;
      if (this.#used < list.lengths[this.#entry]!) continue;
      this.#entry++;
      this.#used = 0;
    }
    return Scatterlist.fromColumns(addresses, lengths, { cpuPageSize: this.#cpuPageSize });
  }
}

/** Tables made for a study, with what an exact `Tlb` needs. */
export interface MadeTables extends StudiedTables {
  readonly walker: Walker;
  readonly machine: MachineDescription & { readonly regime: Regime };
}

/**
 * Maps a workload in one address space.
 * @throws IommuError for a request that can't be mapped.
 */
export function makeTables({ requests }: Workload, choice: TablesChoice): MadeTables {
  const domain = new IommuDomain(new PhysicalMemory(TABLE_RAM), formatOf(choice), formatRequest(choice));
  for (const { iova, sg } of requests) domain.mapSg(iova, sg, PROT);
  const { regime, registers } = domain.registers.hardware;
  if (choice.stage !== 'nested') {
    const machine = { memory: domain.memory, regime, registers };
    return { machine, walker: createWalker(domain.memory, { regime, registers }) };
  }
  const { stage2, walker } = nestedMachine(domain, requests, { ...choice, cpuPageSize: choice.granule });
  const both = { ...registers, ...stage2.registers.hardware.registers };
  return { machine: { memory: stage2.memory, regime: 'el1&0-nested', registers: both }, walker };
}
