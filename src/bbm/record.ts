/**
 * Records what is written to a memory: every store, in order, as the steps of a trace. The driver side does not take
 * part: its views of the memory are watched. Recording is slow, but a memory that is not recorded is as fast as before.
 */

import { EXTERNAL_ABORT, MemoryError, type PhysicalMemory, type RamRegion } from '../memory/index.ts';
import { word64 } from '../walker/word.ts';
import type { TraceStep } from './steps.ts';

/** Half of a descriptor: the driver stores the two 32-bit words of one descriptor one after the other. */
interface Half {
  readonly pa: number;
  readonly before: number;
  readonly value: number;
}

const RECORDED = new WeakSet<RamRegion>();

/**
 * Watches a memory from now on. Two halves of a 64-bit word that are stored one after the other are one write. Stores that
 * change nothing leave no step.
 *
 * @throws MemoryError if the memory is already recorded.
 *
 * @example
 * const recording = recordWrites(memory);
 * const domain = new IommuDomain(memory, arm64LpaeS1, options);
 * domain.map(0x1000n, 0x9000_0000n, 0x1000n, { read: true });
 * judgeTrace(recording.steps, { ...traceContext(domain.registers.hardware), initial: recording.initial });
 */
export function recordWrites(memory: PhysicalMemory): Recording {
  return new Recording(memory);
}

/** The writes to a memory since {@link recordWrites}. */
export class Recording {
  readonly #memory: PhysicalMemory;
  readonly #steps: TraceStep[] = [];
  /** The original words at PAs (multiples of 8) that were written since recording began. */
  readonly #first = new Map<number, bigint>();
  #pending: Half | undefined;
  #stops: (() => void)[] = [];

  /** @internal Use {@link recordWrites}. */
  constructor(memory: PhysicalMemory) {
    if (memory.regions.some((region) => RECORDED.has(region))) {
      throw new MemoryError('this memory is already recorded; stop() that recording first');
    }
    this.#memory = memory;
    for (const region of memory.regions) {
      RECORDED.add(region);
      this.#stops.push(watch(region, (half) => this.#store(half)));
    }
  }

  /** The steps recorded so far. */
  get steps(): readonly TraceStep[] {
    this.#flush();
    return this.#steps;
  }

  /** The word at a PA when recording began: a trace context's `initial`. */
  readonly initial = (pa: bigint): bigint => {
    this.#flush();
    const word = this.#first.get(Number(pa)) ?? this.#memory.read64(pa);
    return word === EXTERNAL_ABORT ? 0n : word;
  };

  /** Records that the caller invalidated `size` bytes from an input address on, or everything: Linux's iotlb_sync and flush. */
  invalidate(ia: bigint, size: bigint, options?: { readonly leaf?: boolean }): void;
  invalidate(all: 'all'): void;
  invalidate(what: bigint | 'all', size = 0n, options: { readonly leaf?: boolean } = {}): void {
    this.#flush();
    this.#steps.push(what === 'all' ? { invalidate: what } : { invalidate: what, size, ...options });
  }

  /** Ends the recording. Views of the memory that were handed out meanwhile no longer record anything. */
  stop(): void {
    this.#flush();
    for (const stop of this.#stops) stop();
    for (const region of this.#memory.regions) RECORDED.delete(region);
    this.#stops = [];
  }

  #store(half: Half): void {
    if (this.#stops.length === 0) return;
    const first = this.#pending;
    if (first !== undefined && first.pa + 4 - 2 * (first.pa % 8) === half.pa) {
      this.#pending = undefined;
      const [low, high] = first.pa < half.pa ? [first, half] : [half, first];
      this.#write(low.pa, word64(low.before, high.before), word64(low.value, high.value));
      return;
    }
    this.#flush();
    this.#pending = half;
  }

  /** Records a single half as a write of the whole word, with the other half from memory. */
  #flush(): void {
    const half = this.#pending;
    if (half === undefined) return;
    this.#pending = undefined;
    const isHigh = half.pa % 8 === 4;
    const other = this.#memory.read32(BigInt(isHigh ? half.pa - 4 : half.pa + 4)) as number;
    const [before, value] = isHigh
      ? [word64(other, half.before), word64(other, half.value)]
      : [word64(half.before, other), word64(half.value, other)];
    this.#write(isHigh ? half.pa - 4 : half.pa, before, value);
  }

  #write(pa: number, before: bigint, value: bigint): void {
    if (before === value) return;
    if (!this.#first.has(pa)) this.#first.set(pa, before);
    this.#steps.push({ write: BigInt(pa), value });
  }
}

/**
 * Makes a region hand out views that report every store. Until the recording ends, these replace the region's own views.
 * Readers get such views too, because the driver side writes through some of them.
 */
function watch(region: RamRegion, tell: (half: Half) => void): () => void {
  const views = new WeakMap<Uint32Array, Uint32Array>();
  const watched = new WeakSet<Uint32Array>();
  const viewOf = (words: Uint32Array, pa: number): Uint32Array => {
    if (watched.has(words)) return words;
    let view = views.get(words);
    if (view === undefined) {
      view = watchedView(words, pa - region.wordIndex(pa) * 4, tell);
      views.set(words, view);
      watched.add(view);
    }
    return view;
  };
  const { words, peek } = region;
  return region.watch(
    (pa) => {
      const found = peek.call(region, pa);
      return found && viewOf(found, Math.floor(pa / 4) * 4);
    },
    (pa) => viewOf(words.call(region, pa), Math.floor(pa / 4) * 4),
  );
}

/** A view of `words`, with the first at PA `base`, that reports each store before the next one. */
function watchedView(words: Uint32Array, base: number, tell: (half: Half) => void): Uint32Array {
  const store = (index: number, value: number) => {
    const before = words[index]!;
    words[index] = value;
    tell({ pa: base + index * 4, before, value: words[index]! });
  };
  /** Stores several words at once: the result of the method is computed on a copy, then stored word by word. */
  const storeAll = (from: number, values: Uint32Array) => {
    values.forEach((value, i) => {
      store(from + i, value);
    });
  };
  const methods: Partial<Record<string | symbol, (...args: never[]) => unknown>> = {
    fill: (value: number, start?: number, end?: number) => {
      const [from, to] = [position(start ?? 0), position(end ?? words.length)];
      for (let i = from; i < to; i++) store(i, value);
      return view;
    },
    set: (values: ArrayLike<number>, offset = 0) => {
      if (offset + values.length > words.length) throw new RangeError('offset is out of bounds');
      storeAll(offset, Uint32Array.from(values));
    },
    copyWithin: (target: number, start: number, end?: number) => {
      const part = words.slice(position(start), position(end ?? words.length));
      const to = position(target);
      storeAll(to, part.subarray(0, words.length - to));
      return view;
    },
    subarray: (start?: number, end?: number) => {
      const from = position(start ?? 0);
      return watchedView(words.subarray(from, position(end ?? words.length)), base + from * 4, tell);
    },
  };
  const position = (index: number) =>
    Math.min(words.length, index < 0 ? Math.max(0, words.length + index) : index);
  const view: Uint32Array = new Proxy(words, {
    get(target, key) {
      const own = methods[key];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set(target, key, value: number) {
      if (typeof key === 'string' && Number(key) < target.length && Number(key) >= 0)
        store(Number(key), value);
      return true;
    },
  });
  return view;
}
