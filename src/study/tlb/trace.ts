/** Access traces: the addresses that a device or a CPU looks up in a TLB, in order, either generated or recorded. */
import { hex } from '../../text/numbers.ts';
import { StudyError } from '../errors.ts';
import { SeededRandom } from '../random.ts';

/** A range of input addresses: `size` bytes from `first` on. */
export interface Stretch {
  readonly first: bigint;
  readonly size: bigint;
}

/** The accesses of a device or program, one after the other. */
export interface Trace {
  readonly name: string;
  /** Input addresses as signed 64-bit numbers, as `Walker.translateMany` takes them: addresses of an upper range are negative. */
  readonly addresses: Float64Array;
  /**
   * Ascending indexes of accesses. Before each of them, everything accessed since the previous one is unmapped, and its TLB entries are
   * invalidated. Only last-level entries go: the walk cache keeps its tables.
   */
  readonly unmaps?: Uint32Array;
}

/** Names of the traces that can be generated. */
export const TRACES = ['sequential', 'random', 'strided', 'dma-ring'] as const;
/** The name of a trace that can be generated; see {@link traceNamed}. */
export type TraceName = (typeof TRACES)[number];

/** Options of a generated trace. Sizes are in bytes. */
export interface TraceOptions {
  /** 1 to 2^26. Default: 2^20. */
  readonly accesses?: number;
  /** Bytes from one access to the next. Default: 64 for `sequential`, 4096 for `strided`. */
  readonly stride?: number;
  /** Any whole number. Default: 1. */
  readonly seed?: number;
}

/** A ring of 256 descriptors of 16 bytes, and receive buffers of 2K, written in bursts. */
const RING = { slots: 256, slotBytes: 16, bytes: 4096, bufferBytes: 2048 } as const;
/** Bytes that a device moves at once. */
const BURST = 256;
/** Larger requests are not taken for buffers: see {@link DeviceTraceOptions}. */
export const LARGEST_BUFFER = 2 ** 24;
const LINE = 64;
const MAX_ACCESSES = 2 ** 26;

/**
 * Generates a trace over a footprint, as if its stretches followed each other directly. A trace that reaches the end starts again.
 *
 * - `sequential`, `strided`: from the first byte on, `stride` bytes further each time.
 * - `random`: lines of 64 bytes, all equally likely.
 * - `dma-ring`: a network card. It reads a descriptor of its ring, fills a buffer of 2K in bursts of 256 bytes, and writes the
 *   descriptor back; the ring is the first 4K, and buffers follow each other in the rest.
 *
 * @throws StudyError for an unknown name, options out of range, or a footprint that is too small.
 */
export function traceNamed(name: string, footprint: readonly Stretch[], options: TraceOptions = {}): Trace {
  const { accesses = 2 ** 20, stride = name === 'strided' ? 4096 : LINE, seed = 1 } = options;
  checkWhole('accesses', accesses, 1, MAX_ACCESSES);
  checkWhole('stride', stride, 1, 2 ** 40);
  checkWhole('seed', seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const space = new JoinedSpace(footprint);
  const offsets = { accesses, stride, bytes: space.bytes, random: new SeededRandom(seed) };
  if (name === 'sequential' || name === 'strided') return fill(name, accesses, space, strided(offsets));
  if (name === 'random') return fill(name, accesses, space, scattered(offsets));
  if (name === 'dma-ring') return fill(name, accesses, space, ring(offsets));
  throw new StudyError(`there is no trace '${name}'; there are ${TRACES.join(', ')}`, name);
}

/** How a device goes over its requests. Sizes are in bytes. */
export interface DeviceTraceOptions {
  /** Bytes that the device moves at once. Default: 256. */
  readonly burst?: number;
  /** Stop after this many accesses. Default: 2^26. */
  readonly accesses?: number;
  /** Larger requests are left out: a guest's RAM is one large mapping that no device goes over as a whole. Default: 16 MiB. */
  readonly largest?: number;
  /** Whether each request is unmapped as soon as it is done (Linux's strict mode). Otherwise nothing is ever unmapped. Default: true. */
  readonly unmaps?: boolean;
}

/**
 * The accesses of a device that goes over the IOVA range of each request in bursts, one request after the other.
 * @throws StudyError for requests without a byte, or options out of range.
 */
export function deviceTrace(
  name: string,
  requests: readonly Stretch[],
  options: DeviceTraceOptions = {},
): Trace {
  const { burst = BURST, accesses = MAX_ACCESSES, largest = LARGEST_BUFFER, unmaps = true } = options;
  checkWhole('burst', burst, 1, 2 ** 30);
  checkWhole('accesses', accesses, 1, MAX_ACCESSES);
  checkWhole('largest', largest, 1, Number.MAX_SAFE_INTEGER);
  const buffers = requests.filter(({ size }) => size <= largest);
  const wanted = buffers.reduce((sum, { size }) => sum + Math.ceil(Number(size) / burst), 0);
  if (wanted === 0) {
    throw new StudyError(`${name} has no request of 1 to ${largest} bytes for a device to go over`, name);
  }
  const addresses = new Float64Array(Math.min(wanted, accesses));
  const ends: number[] = [];
  let at = 0;
  for (const { first, size } of buffers) {
    const start = addressNumber(first);
    for (let done = 0; done < size && at < addresses.length; done += burst) addresses[at++] = start + done;
    if (at < addresses.length) ends.push(at);
  }
  return { name, addresses, ...(unmaps && { unmaps: Uint32Array.from(ends) }) };
}

/**
 * An input address as a trace holds it.
 * @throws StudyError for one that a double can't hold as a signed number, such as a tagged address.
 */
export function addressNumber(ia: bigint): number {
  const signed = Number(BigInt.asIntN(64, ia));
  if (Number.isSafeInteger(signed)) return signed;
  throw new StudyError(
    `${hex(ia)} is wider than 53 bits, and its upper bits are not all equal: remove the tag of a tagged address`,
    ia,
  );
}

/** Widens stretches to multiples of `unit` (a power of two), joins those that touch or overlap, and sorts them ascending. */
export function joined(stretches: Iterable<Stretch>, unit = 1n): Stretch[] {
  const ranges = [...stretches]
    .filter(({ size }) => size > 0n)
    .map(({ first, size }) => ({ first: first & -unit, end: (first + size + unit - 1n) & -unit }))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  const found: { first: bigint; end: bigint }[] = [];
  for (const range of ranges) {
    const before = found.at(-1);
    if (before === undefined || before.end < range.first) found.push(range);
    else if (before.end < range.end) before.end = range.end;
  }
  return found.map(({ first, end }) => ({ first, size: end - first }));
}

/** The stretches of whole `unit` bytes that a trace accesses, joined. */
export function footprintOf({ addresses }: Trace, unit: number): Stretch[] {
  const units = new Set<number>();
  let last = Number.NaN;
  for (const address of addresses) {
    const index = Math.floor(address / unit);
    if (index !== last) units.add(index);
    last = index;
  }
  const size = BigInt(unit);
  const stretches = Array.from(units, (index) => ({ first: BigInt.asUintN(64, BigInt(index) * size), size }));
  return joined(stretches);
}

interface Offsets {
  readonly accesses: number;
  readonly stride: number;
  readonly bytes: number;
  readonly random: SeededRandom;
}

function strided({ stride, bytes }: Offsets): (i: number) => number {
  return (i) => (i * stride) % bytes;
}

function scattered({ bytes, random }: Offsets): () => number {
  const lines = Math.ceil(bytes / LINE);
  return () => random.below(lines) * LINE;
}

/** The accesses of each packet: the descriptor, the bursts of its buffer, the descriptor again. */
function ring({ bytes }: Offsets): (i: number) => number {
  const buffers = Math.floor((bytes - RING.bytes) / RING.bufferBytes);
  if (buffers < 1) {
    const least = RING.bytes + RING.bufferBytes;
    throw new StudyError(`a ring and a buffer take ${least} bytes; the footprint has ${bytes}`, bytes);
  }
  const bursts = RING.bufferBytes / BURST;
  return (i) => {
    const packet = Math.floor(i / (bursts + 2));
    const part = i % (bursts + 2);
    if (part === 0 || part === bursts + 1) return (packet % RING.slots) * RING.slotBytes;
    return RING.bytes + (packet % buffers) * RING.bufferBytes + (part - 1) * BURST;
  };
}

function fill(name: string, accesses: number, space: JoinedSpace, offset: (i: number) => number): Trace {
  const addresses = new Float64Array(accesses);
  for (let i = 0; i < accesses; i++) addresses[i] = space.at(offset(i));
  return { name, addresses };
}

/** Stretches put end to end: an offset counts across all of them. */
class JoinedSpace {
  readonly bytes: number;
  readonly #firsts: number[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #last = 0;

  constructor(stretches: readonly Stretch[]) {
    let bytes = 0;
    for (const { first, size } of stretches) {
      this.#firsts.push(addressNumber(first));
      this.#starts.push(bytes);
      bytes += Number(size);
      this.#ends.push(bytes);
    }
    if (bytes === 0) throw new StudyError('the footprint is empty: nothing is mapped there', bytes);
    this.bytes = bytes;
  }

  at(offset: number): number {
    if (offset < this.#starts[this.#last]! || offset >= this.#ends[this.#last]!) {
      let [low, high] = [0, this.#ends.length - 1];
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        if (this.#ends[middle]! <= offset) low = middle + 1;
        else high = middle;
      }
      this.#last = low;
    }
    return this.#firsts[this.#last]! + offset - this.#starts[this.#last]!;
  }
}

function checkWhole(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new StudyError(`${what} must be a whole number from ${least} to ${most}, not ${value}`, value);
}
