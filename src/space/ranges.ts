/** Leaves of a scan gathered into ranges: contiguous in input and output, with the same leaf size and attributes. */
import { isNested, type MachineRegime } from '../arch/regimes.ts';
import type { Answer } from '../machine/machine.ts';
import { faultText } from '../text/fault.ts';
import { leafCode } from '../text/leaf.ts';
import type { Stretch } from './scan.ts';

/** A range that a table says something about; `last` is inside. If it maps nothing, `result` is a fault other than a plain hole. */
export interface MappedRange {
  readonly first: bigint;
  last: bigint;
  /** PA of the first byte. For a leaf that faults, its output address; undefined if it has none. */
  readonly pa: bigint | undefined;
  readonly leafSize: bigint;
  leaves: number;
  readonly result: Answer;
}

/** Bytes in a range. */
export function rangeSize({ first, last }: MappedRange): bigint {
  return last - first + 1n;
}

export class RangeCollector {
  readonly ranges: MappedRange[] = [];
  readonly #regime: MachineRegime;
  #code = '';

  constructor(regime: MachineRegime) {
    this.#regime = regime;
  }

  /** Stretches must come in order. Holes end a range and make none. */
  add(stretch: Stretch): void {
    const { ia, result } = stretch;
    if (isHole(result, this.#regime)) return;
    this.addKnown(stretch, result.ok ? result.pa - (result.ia - ia) : stretch.pa);
  }

  /** The same for a stretch whose `result` comes from an equal stretch. Only `pa` is its own. */
  addKnown({ ia, size, result }: Stretch, pa: bigint | undefined): void {
    if (isHole(result, this.#regime)) return;
    const code = sayOf(result, this.#regime);
    const open = this.ranges.at(-1);
    if (open && code === this.#code && goesOn(open, ia, size, pa)) {
      open.last = ia + size - 1n;
      open.leaves++;
      return;
    }
    this.#code = code;
    this.ranges.push({ first: ia, last: ia + size - 1n, pa, leafSize: size, leaves: 1, result });
  }
}

/** The attributes that the leaves of a range have in common, or how they fault. */
export function sayOf(result: Answer, regime: MachineRegime): string {
  return result.ok ? leafCode(result, regime) : faultText(result.fault, regime);
}

/** Nothing is mapped. A leaf of stage 1 that stage 2 does not translate is no plain hole. */
export function isHole(result: Answer, regime: MachineRegime): boolean {
  if (result.ok || result.fault.kind !== 'translation') return false;
  return !isNested(regime) || result.fault.stage === 1;
}

function goesOn(open: MappedRange, ia: bigint, size: bigint, pa: bigint | undefined): boolean {
  if (open.last + 1n !== ia || open.leafSize !== size) return false;
  return open.pa === undefined ? pa === undefined : pa === open.pa + (ia - open.first);
}
