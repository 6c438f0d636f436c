/** map_sg, the loop over map, and unmapping: what Linux's io-pgtable selftests and drivers do. */
import type { IommuDomain, Scatterlist } from '../../src/index.ts';
import type { Work, Workload } from '../workload.ts';
import { contiguous, GIB, GRANULES, IOVA, KIB, MIB, newDomain, RW, scattered } from './scatterlists.ts';

interface Mapping {
  readonly name: string;
  readonly unit: string;
  readonly list: () => Scatterlist;
  readonly pgsizeBitmap: bigint;
  readonly units: number;
}

const DESCRIPTORS = 262_144;

function mappings(): Mapping[] {
  const perGranule = GRANULES.flatMap(({ name, page, block, pgsizeBitmap }): Mapping[] => {
    const blocks = Math.min(32_768, Math.floor((16 * 1024 * GIB) / block));
    return [
      {
        name: `${DESCRIPTORS} scattered ${name} entries`,
        unit: 'descriptor',
        list: () => scattered(DESCRIPTORS, page),
        pgsizeBitmap,
        units: DESCRIPTORS,
      },
      {
        name: `contiguous as ${name} pages`,
        unit: 'descriptor',
        list: () => contiguous(DESCRIPTORS * page),
        pgsizeBitmap: BigInt(page),
        units: DESCRIPTORS,
      },
      {
        name: `${blocks} scattered ${block / MIB}M blocks`,
        unit: 'block',
        list: () => scattered(blocks, block),
        pgsizeBitmap,
        units: blocks,
      },
    ];
  });
  return [
    ...perGranule,
    {
      name: '16384 scattered 64K entries on 4K',
      unit: 'descriptor',
      list: () => scattered(16_384, 64 * KIB),
      pgsizeBitmap: 0x4020_1000n,
      units: DESCRIPTORS,
    },
  ];
}

/** Maps as a driver without map_sg does: one call for each entry. */
function mapEach(domain: IommuDomain, sg: Scatterlist): void {
  let iova = IOVA;
  for (let i = 0; i < sg.count; i++) {
    const size = BigInt(sg.lengths[i]!);
    domain.map(iova, BigInt(sg.addresses[i]!), size, RW);
    iova += size;
  }
}

type Act = (domain: IommuDomain, sg: Scatterlist) => void;

/** Each sample begins with a new domain in new memory, empty or (for an unmap) full. */
function fresh({ list, pgsizeBitmap }: Mapping, act: Act, full = false): Work {
  const sg = list();
  let domain = newDomain(pgsizeBitmap);
  return {
    prepare: () => {
      domain = newDomain(pgsizeBitmap);
      if (full) domain.mapSg(IOVA, sg, RW);
    },
    run: () => act(domain, sg),
  };
}

/** Maps in memory that was in use before, which the system has handed out already. */
function reused({ list, pgsizeBitmap }: Mapping): Work {
  const sg = list();
  const domain = newDomain(pgsizeBitmap);
  domain.mapSg(IOVA, sg, RW);
  return {
    prepare: () => {
      domain.unmapSg(IOVA, sg);
      domain.reclaim();
    },
    run: () => domain.mapSg(IOVA, sg, RW),
  };
}

const mapSg: Act = (domain, sg) => domain.mapSg(IOVA, sg, RW);
const unmapSg: Act = (domain, sg) => domain.unmapSg(IOVA, sg);
const mapSgByMap: Act = (domain, sg) => domain.mapSgByMap(IOVA, sg, RW);

export function mappingWorkloads(): Workload[] {
  return mappings().flatMap((mapping): Workload[] => {
    const { name, unit, units } = mapping;
    const common = { unit, units, limit: 'fill' } as const;
    return [
      { ...common, name: `mapSg, ${name}`, make: () => reused(mapping) },
      { ...common, name: `mapSg in new memory, ${name}`, make: () => fresh(mapping, mapSg) },
      { ...common, name: `unmapSg, ${name}`, make: () => fresh(mapping, unmapSg, true) },
      { ...common, name: `mapSgByMap, ${name}`, samples: 7, make: () => fresh(mapping, mapSgByMap) },
      { ...common, name: `loop over map, ${name}`, samples: 5, make: () => fresh(mapping, mapEach) },
    ];
  });
}
