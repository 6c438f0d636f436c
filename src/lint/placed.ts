/** Mapped ranges in the order of their output addresses. */
import type { Answer } from '../machine/machine.ts';
import { spaceText } from '../text/leaf.ts';
import { hex } from '../text/numbers.ts';
import type { MemoryAttributes, Shareability, Translation } from '../walker/index.ts';

/** A range of equal leaves, as a dump lists it. */
export interface Mapped {
  readonly first: bigint;
  readonly last: bigint;
  readonly pa: bigint | undefined;
  readonly result: Answer;
}

/** A range that translates. */
export interface Placed {
  readonly range: Mapped;
  readonly result: Translation;
  /** First and last output address, both inclusive. */
  readonly first: bigint;
  readonly last: bigint;
  /** The highest `last` of this range and all before it. */
  readonly reach: bigint;
}

/** Sorts translations by output address. */
export function byOutput(ranges: readonly Mapped[]): Placed[] {
  const found = ranges.flatMap((range) => {
    const { pa, result, first, last } = range;
    return result.ok && pa !== undefined ? [{ range, result, first: pa, last: pa + (last - first) }] : [];
  });
  found.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  let reach = -1n;
  return found.map((one) => {
    if (one.last > reach) reach = one.last;
    return { ...one, reach };
  });
}

/** The ranges that overlap `[first, last]`, from the highest down. */
export function* overlapping(placed: readonly Placed[], first: bigint, last: bigint): Generator<Placed> {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (placed[middle]!.first <= last) low = middle + 1;
    else high = middle;
  }
  for (let i = low - 1; i >= 0 && placed[i]!.reach >= first; i--)
    if (placed[i]!.last >= first) yield placed[i]!;
}

/** The input address in a range for one of its output addresses. */
export function inputOf({ range, first }: Placed, output: bigint): bigint {
  return range.first + (output - first);
}

/** The attributes that must be equal in aliases: type, cacheability, shareability. (B2.16) */
export function attributesOf({ result }: Pick<Placed, 'result'>): string {
  const { attributes, shareability } = result;
  return memoryText(attributes, shareability);
}

type Compared =
  | Pick<Extract<MemoryAttributes, { type: 'device' }>, 'type' | 'device'>
  | Pick<Extract<MemoryAttributes, { type: 'normal' }>, 'type' | 'inner' | 'outer'>;

/** The memory type without allocation hints and tags. */
export function memoryText(attributes: Compared, shareability: Shareability): string {
  if (attributes.type === 'device') return `Device-${attributes.device}`;
  const { inner, outer } = attributes;
  const policies =
    inner.policy === outer.policy ? inner.policy : `inner ${inner.policy}, outer ${outer.policy}`;
  return `Normal ${policies}, ${shareability}-shareable`;
}

/** `PA 0x8000-0x8fff`, with the address space outside Non-secure state: `Secure PA 0x8000-0x8fff`. */
export function paText({ result }: Pick<Placed, 'result'>, first: bigint, last: bigint): string {
  const space = spaceText(result);
  return `${space && `${space} `}PA ${hex(first)}-${hex(last)}`;
}
