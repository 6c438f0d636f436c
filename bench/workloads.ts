/** What is measured: the mapping work of Linux's io-pgtable selftests and of real drivers, each with the number of descriptors or calls it stands for. */
import { arm64LpaeS1 } from '../formats/index.ts';
import { FrameAllocator, IommuDomain, PhysicalMemory, Scatterlist } from '../src/index.ts';
import { createWalker } from '../src/walker/index.ts';

/** One measurement: `prepare` runs untimed before each sample, `run` is timed. */
export interface Workload {
  readonly name: string;
  /** What one unit is: `descriptor`, `block`, `call`. */
  readonly unit: string;
  readonly units: number;
  readonly prepare: () => void;
  readonly run: () => void;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const RW = { read: true, write: true } as const;
const READ = { access: 'read' } as const;
const IOVA = 0x10_0000_0000n;

function newDomain(pgsizeBitmap: bigint): IommuDomain {
  const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 31n });
  return new IommuDomain(memory, arm64LpaeS1, {
    pgsizeBitmap,
    ias: 48,
    oas: 48,
    allocator: new FrameAllocator(memory),
  });
}

/** A permutation of 0 to count - 1 by a fixed linear congruential generator: the same on every run. */
function shuffled(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let state = 12345;
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** `count` entries of `bytes`, no two neighbours physically adjacent. */
function scattered(count: number, bytes: number): Scatterlist {
  const order = shuffled(count);
  const addresses = Float64Array.from(order, (n) => 0x1_0000_0000 + n * 2 * bytes);
  return Scatterlist.fromColumns(addresses, new Float64Array(count).fill(bytes));
}

function mapSgWorkload(
  name: string,
  unit: string,
  sg: Scatterlist,
  bitmap: bigint,
  units: number,
): Workload[] {
  let domain = newDomain(bitmap);
  const prepare = () => {
    domain = newDomain(bitmap);
  };
  return [
    { name: `mapSg, ${name}`, unit, units, prepare, run: () => domain.mapSg(IOVA, sg, RW) },
    { name: `mapSgByMap, ${name}`, unit, units, prepare, run: () => domain.mapSgByMap(IOVA, sg, RW) },
    { name: `loop over map, ${name}`, unit, units, prepare, run: () => mapEach(domain, sg) },
  ];
}

/** What a driver without map_sg does: one call an entry. */
function mapEach(domain: IommuDomain, sg: Scatterlist): void {
  let iova = IOVA;
  for (let i = 0; i < sg.count; i++) {
    const size = BigInt(sg.lengths[i]!);
    domain.map(iova, BigInt(sg.addresses[i]!), size, RW);
    iova += size;
  }
}

function unmapPages(sg: Scatterlist): Workload {
  let domain = newDomain(0x4020_1000n);
  const page = 4n * BigInt(KIB);
  return {
    name: 'unmap page by page, 4K',
    unit: 'call',
    units: sg.count,
    prepare: () => {
      domain = newDomain(0x4020_1000n);
      domain.mapSg(IOVA, sg, RW);
    },
    run: () => {
      for (let i = 0n; i < sg.count; i++) domain.unmap(IOVA + i * page, page);
    },
  };
}

function randomWalks(count: number): Workload[] {
  const domain = newDomain(0x4020_1000n);
  domain.mapSg(IOVA, scattered(262_144, 4 * KIB), RW);
  const walker = createWalker(domain.memory, domain.registers.hardware);
  const order = shuffled(count);
  const iovas = Array.from(order, (n) => IOVA + BigInt((n * 4099) % GIB));
  const ias = Float64Array.from(iovas, Number);
  const pas = new Float64Array(count);
  return [
    {
      name: 'walk, random, full result',
      unit: 'walk',
      units: count,
      prepare: () => undefined,
      run: () => {
        for (const iova of iovas) walker.walk(iova, { access: 'read', trace: false });
      },
    },
    {
      name: 'walk, random, PA alone (translate)',
      unit: 'walk',
      units: count,
      prepare: () => undefined,
      run: () => {
        for (const iova of iovas) walker.translate(iova, READ);
      },
    },
    {
      name: 'walk, random, PAs in bulk (translateMany)',
      unit: 'walk',
      units: count,
      prepare: () => undefined,
      run: () => {
        walker.translateMany(ias, pas, { access: 'read' });
      },
    },
    {
      name: 'iovaToPhys, random',
      unit: 'call',
      units: count,
      prepare: () => undefined,
      run: () => {
        for (const iova of iovas) domain.iovaToPhys(iova);
      },
    },
  ];
}

/** The floor on this machine: storing as many 64-bit words, in order, as two 32-bit halves. */
function fill(words: number): Workload {
  const memory = new Uint32Array(words * 2);
  return {
    name: 'floor: storing the words alone',
    unit: 'descriptor',
    units: words,
    prepare: () => memory.fill(0),
    run: () => {
      for (let i = 0, pa = 0; i < memory.length; i += 2, pa = (pa + 4096) | 0) {
        memory[i] = pa | 0xe43;
        memory[i + 1] = 1;
      }
    },
  };
}

export function workloads(): Workload[] {
  const pages = scattered(262_144, 4 * KIB);
  const contiguous = Scatterlist.fromColumns([0x1_0000_0000], [GIB]);
  return [
    fill(262_144),
    ...mapSgWorkload('262144 scattered 4K entries', 'descriptor', pages, 0x4020_1000n, 262_144),
    ...mapSgWorkload(
      '16384 scattered 64K entries on 4K',
      'descriptor',
      scattered(16_384, 64 * KIB),
      0x4020_1000n,
      262_144,
    ),
    ...mapSgWorkload('32768 scattered 2M blocks', 'block', scattered(32_768, 2 * MIB), 0x4020_1000n, 32_768),
    ...mapSgWorkload('1 GiB contiguous as 4K pages', 'descriptor', contiguous, 0x1000n, 262_144),
    unmapPages(pages),
    ...randomWalks(1_000_000),
  ];
}
