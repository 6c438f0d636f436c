/** map_sg, the loop over map, and unmapping: what Linux's io-pgtable selftests and drivers do. */
import type { IommuDomain, Scatterlist } from '../../src/index.ts';
import type { Workload } from '../workload.ts';
import { contiguous, GIB, GRANULES, IOVA, KIB, MIB, newDomain, RW, scattered } from './scatterlists.ts';

interface Mapping {
  readonly name: string;
  readonly unit: string;
  readonly sg: Scatterlist;
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
        sg: scattered(DESCRIPTORS, page),
        pgsizeBitmap,
        units: DESCRIPTORS,
      },
      {
        name: `contiguous as ${name} pages`,
        unit: 'descriptor',
        sg: contiguous(DESCRIPTORS * page),
        pgsizeBitmap: BigInt(page),
        units: DESCRIPTORS,
      },
      {
        name: `${blocks} scattered ${block / MIB}M blocks`,
        unit: 'block',
        sg: scattered(blocks, block),
        pgsizeBitmap,
        units: blocks,
      },
    ];
  });
  const coarse = scattered(16_384, 64 * KIB);
  return [
    ...perGranule,
    {
      name: '16384 scattered 64K entries on 4K',
      unit: 'descriptor',
      sg: coarse,
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

export function mappingWorkloads(): Workload[] {
  return mappings().flatMap(({ name, unit, sg, pgsizeBitmap, units }): Workload[] => {
    let domain = newDomain(pgsizeBitmap);
    const empty = () => {
      domain = newDomain(pgsizeBitmap);
    };
    const full = () => {
      empty();
      domain.mapSg(IOVA, sg, RW);
    };
    const common = { unit, units, limit: 'fill' } as const;
    return [
      { ...common, name: `mapSg, ${name}`, prepare: empty, run: () => domain.mapSg(IOVA, sg, RW) },
      { ...common, name: `unmapSg, ${name}`, prepare: full, run: () => domain.unmapSg(IOVA, sg) },
      {
        ...common,
        name: `mapSgByMap, ${name}`,
        prepare: empty,
        run: () => domain.mapSgByMap(IOVA, sg, RW),
        samples: 7,
      },
      {
        ...common,
        name: `loop over map, ${name}`,
        prepare: empty,
        run: () => mapEach(domain, sg),
        samples: 5,
      },
    ];
  });
}

/** One call for each page. */
export function unmapWorkloads(): Workload[] {
  const sg = scattered(DESCRIPTORS, 4 * KIB);
  const page = 4n * BigInt(KIB);
  const iovas = Array.from({ length: DESCRIPTORS }, (_, i) => IOVA + BigInt(i) * page);
  let domain = newDomain(0x4020_1000n);
  const prepare = () => {
    domain = newDomain(0x4020_1000n);
    domain.mapSg(IOVA, sg, RW);
  };
  return [
    {
      name: 'unmap page by page, 4K',
      unit: 'call',
      units: DESCRIPTORS,
      limit: 'fill',
      samples: 7,
      prepare,
      run: () => {
        for (const iova of iovas) domain.unmap(iova, page);
      },
    },
  ];
}
