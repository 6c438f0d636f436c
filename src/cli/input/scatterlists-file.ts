/** Files of scatterlists (`pgtable-scatterlists/1`): the mappings of real drivers, request by request. */
import * as v from 'valibot';
import { Scatterlist } from '../../index.ts';
import { atLeast, maybe, pair } from '../../json/schemas.ts';
import { address, readDocument } from './json.ts';

export interface ScatterlistRequest {
  readonly iova: bigint;
  readonly sg: Scatterlist;
}

export interface ScatterlistsFile {
  readonly name: string;
  readonly producer: string;
  /** Bytes of a CPU page, and a bit for each page size of the IOMMU. */
  readonly cpuPageSize: bigint;
  readonly iommuPageSizes: bigint;
  readonly requests: readonly ScatterlistRequest[];
}

export const SCATTERLISTS_SCHEMA = 'pgtable-scatterlists/1';

/** The largest address or length: what the widest Arm system can address. */
const PA_END = 1n << 52n;
const physical = v.pipe(
  address,
  v.check((value) => value < PA_END, 'is beyond 52 bits'),
);
const pageSize = v.pipe(
  address,
  v.check((size) => size !== 0n && (size & (size - 1n)) === 0n, 'must be a power of two'),
);

/** The JSON of a file of scatterlists. */
export const scatterlistsSchema = atLeast({
  schema: v.literal(SCATTERLISTS_SCHEMA),
  cpu_page_size: pageSize,
  producer: maybe(v.string()),
  name: v.string(),
  iommu_page_sizes: address,
  requests: v.array(atLeast({ iova: address, sg: v.array(pair({ phys: physical, length: physical })) })),
});

/** @throws CliError (input) that names the wrong part. */
export function parseScatterlists(json: unknown, source: string): ScatterlistsFile {
  const file = readDocument(scatterlistsSchema, json, source);
  const options = { cpuPageSize: Number(file.cpu_page_size) };
  return {
    name: file.name,
    producer: file.producer ?? '',
    cpuPageSize: file.cpu_page_size,
    iommuPageSizes: file.iommu_page_sizes,
    requests: file.requests.map(({ iova, sg }) => ({ iova, sg: Scatterlist.from(sg, options) })),
  };
}
