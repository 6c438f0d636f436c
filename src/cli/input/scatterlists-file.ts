/** Files of scatterlists (`pgtable-scatterlists/1`): what real drivers mapped, request by request. */
import { Scatterlist } from '../../index.ts';
import { JsonPart } from './json-part.ts';

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

/** @throws CliError (input) that names the part which is not as it must be. */
export function parseScatterlists(json: unknown, source: string): ScatterlistsFile {
  const file = new JsonPart(json, source);
  file.get('schema').oneOf(['pgtable-scatterlists/1']);
  const cpuPageSize = file.get('cpu_page_size').address();
  if (cpuPageSize === 0n || cpuPageSize & (cpuPageSize - 1n)) {
    file.get('cpu_page_size').fail('must be a power of two');
  }
  const options = { cpuPageSize: Number(cpuPageSize) };
  const producer = file.get('producer');
  return {
    name: file.get('name').string(),
    producer: producer.isPresent ? producer.string() : '',
    cpuPageSize,
    iommuPageSizes: file.get('iommu_page_sizes').address(),
    requests: file
      .get('requests')
      .items()
      .map((request) => {
        const entries = request.get('sg').items().map(parseEntry);
        return { iova: request.get('iova').address(), sg: Scatterlist.from(entries, options) };
      }),
  };
}

/** At most this much is an address or a length: what the widest Arm system can name. */
const PA_END = 1n << 52n;

function parseEntry(entry: JsonPart): { phys: bigint; length: bigint } {
  const [phys, length] = entry.items().map((part) => {
    const value = part.address();
    return value < PA_END ? value : part.fail('is beyond 52 bits');
  });
  if (phys === undefined || length === undefined)
    return entry.fail('must be a pair: ["0x<phys>", "0x<length>"]');
  return { phys, length };
}
