/** Workloads by name: scatterlists like those that the subsystems of a real machine make, the same for the same seed. */
import { hex } from '../text/numbers.ts';
import { StudyError } from './errors.ts';
import { placeChunks } from './placement.ts';
import { SeededRandom } from './random.ts';
import { listOf, type Workload, type WorkloadRequest } from './workload.ts';

/** How a workload is generated. Sizes are bytes. */
export interface WorkloadOptions {
  /** Any whole number. Default: 1. */
  readonly seed?: number;
  /** Bytes to map, 1 to 2^40, rounded up to the workload's own unit. Default: 64 MiB. */
  readonly bytes?: number;
  /** For `fragmented`: the share of pages that do not follow the one before, 0 to 1. Default: 0.3. */
  readonly fragmentation?: number;
  /** Bytes of a CPU page: a power of two from 4 KiB to 64 KiB. Default: 4 KiB. */
  readonly cpuPageSize?: number;
}

type Settings = Required<WorkloadOptions> & { readonly random: SeededRandom };

interface Generator {
  readonly question: string;
  make(settings: Settings): WorkloadRequest[];
}

const KIB = 2 ** 10;
const MIB = 2 ** 20;
/** The IOVA of lists where the IOVA is not the question: a multiple of every page and block size. */
const IOVA = 1n << 38n;
const MAX_BYTES = 2 ** 40;
const CPU_PAGES = [4 * KIB, 16 * KIB, 64 * KIB];

const GENERATORS = {
  'page-cache': {
    question: 'What do single pages of the page cache cost, if they are adjacent only by chance?',
    make: (settings) => [chunked(settings, () => 1)],
  },
  'huge-pages': {
    question: 'What do transparent huge pages save: 2M on a CPU with 4K pages, 32M with 16K, 512M with 64K?',
    make: (settings) => [chunked(settings, () => settings.cpuPageSize / 8, settings.cpuPageSize / 8)],
  },
  fragmented: {
    question: 'How much does fragmentation cost, when some pages do not follow the one before?',
    make: (settings) => [chunked(settings, () => runLength(settings))],
  },
  'network-ring': {
    question: 'What happens to receive buffers of 2K, several to a page, 64 to a call?',
    make: networkRing,
  },
  gpu: {
    question: 'Do large buffers of 64K and 2M chunks get blocks, when the chunks come in random order?',
    make: gpuBuffer,
  },
  misaligned: {
    question: 'What does it cost when buffers begin a few pages into a block?',
    make: misaligned,
  },
  'odd-start': {
    question: 'What happens to buffers that begin and end anywhere inside a page?',
    make: oddStart,
  },
} as const satisfies Record<string, Generator>;

/** The name of a workload that can be generated; see {@link workloadNamed}. */
export type WorkloadName = keyof typeof GENERATORS;

/** Names of the workloads that can be generated. */
export const WORKLOADS: readonly WorkloadName[] = Object.keys(GENERATORS) as WorkloadName[];

/** The question that a workload answers, in words. */
export function questionOf(name: WorkloadName): string {
  return GENERATORS[name].question;
}

/**
 * Generates a workload: the same requests for the same options.
 * @throws StudyError for an unknown name, or options out of range.
 */
export function workloadNamed(name: string, options: WorkloadOptions = {}): Workload {
  const { seed = 1, bytes = 64 * MIB, fragmentation = 0.3, cpuPageSize = 4 * KIB } = options;
  if (!isName(name)) {
    throw new StudyError(`there is no workload '${name}'; there are ${WORKLOADS.join(', ')}`, name);
  }
  check('seed', seed, Number.isSafeInteger(seed), 'a whole number');
  check('bytes', bytes, Number.isInteger(bytes) && bytes > 0 && bytes <= MAX_BYTES, '1 to 2^40');
  check('fragmentation', fragmentation, fragmentation >= 0 && fragmentation <= 1, 'a share from 0 to 1');
  check('cpuPageSize', cpuPageSize, CPU_PAGES.includes(cpuPageSize), CPU_PAGES.map(hex).join(', '));
  const settings = { seed, bytes, fragmentation, cpuPageSize, random: new SeededRandom(seed) };
  const { question, make }: Generator = GENERATORS[name];
  return { name, question, cpuPageSize, requests: make(settings) };
}

function isName(name: string): name is WorkloadName {
  return Object.hasOwn(GENERATORS, name);
}

function check(what: string, value: unknown, is: boolean, wanted: string): void {
  if (!is) throw new StudyError(`${what} must be ${wanted}, not ${String(value)}`, value);
}

/** One list of chunks with at least the bytes asked for. `pages` gives the length of each chunk, in multiples of `unit` pages. */
function chunked({ bytes, cpuPageSize, random }: Settings, pages: () => number, unit = 1): WorkloadRequest {
  const wanted = Math.ceil(bytes / (cpuPageSize * unit)) * unit;
  const sizes: number[] = [];
  for (let left = wanted; left > 0; ) {
    const count = Math.min(left, pages());
    sizes.push(count * cpuPageSize);
    left -= count;
  }
  return { iova: IOVA, sg: listOf(placeChunks(sizes, cpuPageSize, random), sizes, cpuPageSize) };
}

/** Pages before the next break. Each page breaks with the given probability. */
function runLength({ fragmentation, random }: Settings): number {
  if (fragmentation === 0) return Number.POSITIVE_INFINITY;
  if (fragmentation === 1) return 1;
  // 1 - next() is never 0.
  return 1 + Math.floor(Math.log(1 - random.next()) / Math.log(1 - fragmentation));
}

/** A refill takes as many pages as 64 buffers need. Buffers of a page follow each other in it, as a page pool hands them out. */
function networkRing({ bytes, cpuPageSize, random }: Settings): WorkloadRequest[] {
  const buffer = 2 * KIB;
  const perCall = 64;
  const calls = Math.ceil(bytes / (perCall * buffer));
  const pages = Math.max(1, (perCall * buffer) / cpuPageSize);
  const perPage = perCall / pages;
  const places = placeChunks(new Float64Array(calls * pages).fill(cpuPageSize), cpuPageSize, random);
  return Array.from({ length: calls }, (_, call) => {
    const addresses = Float64Array.from({ length: perCall }, (_, i) => {
      const page = places[call * pages + Math.floor(i / perPage)]!;
      return page + (i % perPage) * buffer;
    });
    const lengths = new Float64Array(perCall).fill(buffer);
    return { iova: IOVA + BigInt(call * perCall * buffer), sg: listOf(addresses, lengths, cpuPageSize) };
  });
}

function gpuBuffer({ bytes, cpuPageSize, random }: Settings): WorkloadRequest[] {
  const sizes: number[] = [];
  for (let done = 0; done < bytes; done += sizes.at(-1)!) {
    sizes.push(random.chance(0.5) ? 2 * MIB : 64 * KIB);
  }
  return [{ iova: IOVA, sg: listOf(placeChunks(sizes, cpuPageSize, random), sizes, cpuPageSize) }];
}

/** Buffers of 4M to 16M that start 1 to 32 CPU pages into their frame, at IOVAs that are multiples of 2M. */
function misaligned(settings: Settings): WorkloadRequest[] {
  const { cpuPageSize, random } = settings;
  return buffers(settings, () => {
    const start = (1 + random.below(32)) * cpuPageSize;
    return { start, length: (2 + random.below(7)) * 2 * MIB };
  });
}

/** Buffers of up to 1M that begin and end at any multiple of 16 bytes, at IOVAs with the same offset in a page. */
function oddStart(settings: Settings): WorkloadRequest[] {
  const { cpuPageSize, random } = settings;
  return buffers(settings, () => {
    const start = 16 * (1 + random.below(cpuPageSize / 16 - 1));
    return { start, length: 16 * (1 + random.below(MIB / 16)) };
  });
}

/** Makes requests of one entry until there are enough bytes. Each has a frame and an IOVA slot with room for it. */
function buffers(
  { bytes, cpuPageSize, random }: Settings,
  draw: () => { readonly start: number; readonly length: number },
): WorkloadRequest[] {
  const drawn: { start: number; length: number }[] = [];
  for (let done = 0; done < bytes; done += drawn.at(-1)!.length) drawn.push(draw());
  const slot = 2 * MIB;
  const frames = drawn.map(({ start, length }) => Math.ceil((start + length) / slot) * slot);
  const places = placeChunks(frames, cpuPageSize, random);
  let iova = IOVA;
  return drawn.map(({ start, length }, i) => {
    const request = {
      iova: iova + BigInt(start % cpuPageSize),
      sg: listOf([places[i]! + start], [length], cpuPageSize),
    };
    iova += BigInt(frames[i]!);
    return request;
  });
}
