/** Golden files of the DMA layer (`pgtable-dma/1`): compares every mapping, its IOVA and its segments, and what the walker finds mapped at the end. */
import { arm64LpaeS1 } from '../../formats/index.ts';
import { allocatorFor } from '../dma/aperture.ts';
import { DmaMapper, type DmaMapping, type IovaPolicy } from '../dma/index.ts';
import { linuxLayout, linuxUnmapRange } from '../dma/linux-layout.ts';
import { IommuDomain } from '../iommu/domain.ts';
import { Scatterlist } from '../iommu/scatterlist.ts';
import { PhysicalMemory } from '../memory/index.ts';
import { IommuError } from '../pagetable/errors.ts';
import { PROT_FLAGS, type Prot } from '../pagetable/format.ts';
import { hex } from '../text/numbers.ts';
import { compareLeft } from './dma-left.ts';
import { reserveAsLinux } from './dma-reserved.ts';
import { type DmaConfig, type DmaFile, type DmaOp, dmaFileSchema } from './dma-schema.ts';
import { type Difference, GoldenFileError, type GoldenResult } from './result.ts';
import { parseGolden } from './schema.ts';

type MapOp = Extract<DmaOp, { dir: unknown }>;
type UnmapOp = Exclude<DmaOp, MapOp>;

/** The policy for each allocator that a file can name. */
const POLICY = { top: 'highest', tree: 'tree', fast: 'linux' } as const satisfies Record<string, IovaPolicy>;

/** The memory for tables: 16 GiB, of which only the written parts take host memory. */
const RAM = { base: 0x8000_0000n, size: 0x4_0000_0000n };
const ALL_ONES = (1n << 64n) - 1n;

/** @throws GoldenFileError when `json` is not such a file, or describes a domain that can't be made here. */
export function checkDma(json: unknown): GoldenResult {
  const file = parseGolden(dmaFileSchema, json);
  const run = new Run(file);
  for (const [i, op] of file.ops.entries()) run.op(op, i);
  run.end();
  const { differences, checked } = run;
  return { name: file.name, differences, checked };
}

/** One file's domain and devices, and what was found so far. */
class Run {
  readonly differences: Difference[] = [];
  checked = 0;
  readonly #file: DmaFile;
  readonly #domain: IommuDomain;
  readonly #devices: readonly DmaMapper[];
  /** Mappings with their device, by the operation that made them. */
  readonly #mappings = new Map<number, { readonly device: DmaMapper; readonly mapping: DmaMapping }>();
  #warnings = 0;

  constructor(file: DmaFile) {
    this.#file = file;
    const { config } = file;
    this.#domain = orRefuse(() => domainFor(config));
    const allocator = orRefuse(() => allocatorOf(config, this.#domain));
    const { init, taken } = orRefuse(() => reserveAsLinux(config, allocator));
    this.#compare('config.init', config.init, init);
    this.#compare('config.taken', rangesText(config.taken), rangesText(taken));
    this.#devices = (config.devices ?? [config]).map((device) =>
      orRefuse(
        () =>
          new DmaMapper(this.#domain, {
            allocator,
            odd: 'linux',
            limit: limitOf(device.dma_mask, config),
            low32First: config.low32_first,
            segmentBoundary: device.boundary,
            maxSegmentSize: device.max_segment,
            coherent: device.coherent,
          }),
      ),
    );
  }

  op(op: DmaOp, index: number): void {
    const where = `ops[${index}] ${op.op}`;
    const device = this.#devices[op.device ?? 0];
    if (device === undefined) {
      throw new GoldenFileError(`ops[${index}].device: there is no device ${op.device}`);
    }
    if ('of' in op) this.#unmap(op, where);
    else this.#map(op, where, device, index);
  }

  /** Compares what is mapped after all operations, and how often Linux warned. */
  end(): void {
    const { left, warnings } = this.#file;
    const { differences, checked } = compareLeft(this.#domain, left);
    this.differences.push(...differences);
    this.checked += checked;
    this.#compare('warnings', warnings, this.#warnings);
  }

  #map(op: MapOp, where: string, device: DmaMapper, index: number): void {
    let mapping: DmaMapping;
    try {
      mapping = mapped(device, op);
    } catch (error) {
      if (!(error instanceof IommuError)) throw error;
      const ret = op.op === 'map_sg' ? error.errno : 'error';
      this.#compare(`${where} ret`, showRet(op.ret), showRet(ret), error.message);
      if (op.op === 'map_sg') this.#compareDamage(op, where);
      return;
    }
    this.#mappings.set(index, { device, mapping });
    const { segments, range, prot, padded } = mapping;
    const ret = op.op === 'map_sg' ? segments.length : segments[0]!.dmaAddress;
    this.#compare(`${where} ret`, showRet(op.ret), showRet(ret));
    if (op.iova !== undefined) this.#compare(`${where} iova`, hex(op.iova), hex(range.iova));
    if (op.prot !== undefined) this.#compare(`${where} prot`, protText(op.prot), protText(prot));
    if (op.mapped !== undefined) {
      this.#compare(`${where} mapped`, entriesText(op.mapped), entriesText(entriesOf(padded)));
    }
    if (op.op === 'map_sg' && op.segments !== undefined) {
      const got = segments.map(({ dmaAddress, length }) => ({ address: dmaAddress, length }));
      this.#compare(`${where} segments`, segmentsText(op.segments), segmentsText(got));
    }
  }

  #unmap(op: UnmapOp, where: string): void {
    const made = this.#mappings.get(op.of);
    if (made === undefined) {
      // The operation that made it already differs, or the file names none.
      const maker = this.#file.ops[op.of];
      if (maker === undefined || 'of' in maker) throw new GoldenFileError(`${where}: of names no mapping`);
      this.#compare(where, `ops[${op.of}] unmapped`, 'nothing was mapped there');
      return;
    }
    this.#mappings.delete(op.of);
    const { device, mapping } = made;
    const { iova } = mapping.range;
    const expected = rangeOf(op, mapping, this.#file.config.granule);
    const unmapped = device.unmapSg(mapping);
    if (unmapped !== expected) this.#warnings++;
    if (op.iova === null) {
      this.#compare(`${where} ret`, 'nothing unmapped', unmapped === 0n ? 'nothing unmapped' : hex(unmapped));
      return;
    }
    this.#compare(`${where} iova`, hex(op.iova), hex(iova));
    if (op.size !== undefined) this.#compare(`${where} size`, hex(op.size), hex(expected));
    if (op.ret !== undefined) this.#compare(`${where} ret`, hex(op.ret), hex(unmapped));
  }

  /** The entry that Linux does not restore when a list fails. */
  #compareDamage(op: Extract<MapOp, { op: 'map_sg' }>, where: string): void {
    const device = this.#file.config.devices?.[op.device ?? 0] ?? this.#file.config;
    const rules = {
      granule: Number(this.#file.config.granule),
      boundaryMask: device.boundary,
      maxSegmentSize: Number(device.max_segment),
    };
    const { damagedEntry } = linuxLayout(listOf(op), rules);
    this.#compare(`${where} list_damaged`, op.list_damaged ?? 'none', damagedEntry ?? 'none');
  }

  #compare(where: string, want: string | number, got: string | number, why?: string): void {
    this.checked++;
    if (want === got) return;
    this.differences.push({
      where,
      want: String(want),
      got: why === undefined ? String(got) : `${got} (${why})`,
    });
  }
}

/** Tables with the file's page sizes. Any format will do, since the DMA layer only passes it addresses, sizes and a prot. */
function domainFor(config: DmaConfig): IommuDomain {
  const { pgsize_bitmap: pgsizeBitmap, ias, oas, granule } = config;
  if (granule !== (pgsizeBitmap & -pgsizeBitmap)) {
    throw new GoldenFileError('config.granule: must be the smallest page of pgsize_bitmap');
  }
  return new IommuDomain(new PhysicalMemory(RAM), arm64LpaeS1, {
    pgsizeBitmap,
    ias,
    oas,
    ...(oas > 48 && granule < 0x1_0000n && { features: ['lpa2'] as const }),
  });
}

/** The request for a config, or why it can't be made here. */
function orRefuse<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof IommuError) throw new GoldenFileError(`config: ${error.message}`);
    throw error;
  }
}

function allocatorOf({ allocator, aperture, granule }: DmaConfig, { format }: IommuDomain) {
  const end = 1n << BigInt(format.ias);
  if (aperture.last >= end) {
    throw new GoldenFileError(`config.aperture: ends beyond the ${format.ias} bits of the table`);
  }
  const base = aperture.first === 0n ? granule : aperture.first;
  return allocatorFor(POLICY[allocator], { base, limit: aperture.last, granule });
}

/** The lower of the mask and the bus limit; Linux counts whole granules. */
function limitOf(mask: bigint, { bus_dma_limit, granule }: DmaConfig): bigint {
  const bus = bus_dma_limit === 0n ? ALL_ONES : bus_dma_limit;
  return (mask < bus ? mask : bus) | (granule - 1n);
}

function mapped(device: DmaMapper, op: MapOp): DmaMapping {
  const attributes = {
    ...(op.attrs.includes('privileged') && { priv: true }),
    ...(op.op === 'map_resource' && { mmio: true }),
  };
  const request = { direction: op.dir, attributes };
  if (op.op === 'map_sg') return device.mapSg(listOf(op), request);
  const phys = op.op === 'map_page' ? op.page + op.offset : op.phys;
  return device.mapSingle(phys, op.size, request);
}

/** Bytes that an unmap asks the IOMMU to unmap. If the IOMMU unmaps fewer, Linux warns. */
function rangeOf({ op }: UnmapOp, { segments, range }: DmaMapping, granule: bigint): bigint {
  return op === 'unmap_sg' ? (linuxUnmapRange(segments, granule)?.size ?? 0n) : range.size;
}

function listOf({ sg }: Extract<MapOp, { op: 'map_sg' }>): Scatterlist {
  return Scatterlist.from(sg);
}

function entriesOf(list: Scatterlist) {
  return Array.from({ length: list.count }, (_, i) => ({
    phys: BigInt(list.addresses[i]!),
    length: BigInt(list.lengths[i]!),
  }));
}

function showRet(ret: number | bigint | string): string {
  return typeof ret === 'bigint' ? hex(ret) : String(ret);
}

function protText(prot: Prot): string {
  return PROT_FLAGS.filter((flag) => prot[flag]).join(' ');
}

function entriesText(entries: readonly { readonly phys: bigint; readonly length: bigint }[]): string {
  return entries.map(({ phys, length }) => `${hex(phys)}+${hex(length)}`).join(' ');
}

function segmentsText(segments: readonly { readonly address: bigint; readonly length: bigint }[]): string {
  return segments.map(({ address, length }) => `${hex(address)}+${hex(length)}`).join(' ');
}

function rangesText(ranges: readonly { readonly first: bigint; readonly last: bigint }[]): string {
  return ranges.map(({ first, last }) => `${hex(first)}-${hex(last)}`).join(' ');
}
