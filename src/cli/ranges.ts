/** Leaves of a scan gathered into ranges: contiguous on both sides, of one leaf size, alike in everything. */
import type { Answer } from '../golden/image-probe.ts';
import { faultText, leafCode } from './hardware-text.ts';
import type { Stretch } from './scan.ts';

/** A range that a table says something about; `last` is inside. Where it maps nothing, `result` is a fault that is no plain hole. */
export interface MappedRange {
  readonly first: bigint;
  last: bigint;
  /** PA of the first byte. Of a leaf that faults, its output address; undefined where there is none. */
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
  readonly #regime: string;
  #code = '';

  constructor(regime: string) {
    this.#regime = regime;
  }

  /** Stretches must come in order. Holes end a range and make none. */
  add({ ia, size, result }: Stretch): void {
    if (isHole(result, this.#regime)) return;
    const pa = result.ok ? result.pa - (result.ia - ia) : leafOutput(result);
    const code = result.ok ? leafCode(result, this.#regime) : faultText(result.fault);
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

/** Nothing is mapped. A leaf of stage 1 that stage 2 does not translate is no plain hole. */
function isHole(result: Answer, regime: string): boolean {
  if (result.ok || result.fault.kind !== 'translation') return false;
  return !regime.endsWith('-nested') || result.fault.stage === 1;
}

function goesOn(open: MappedRange, ia: bigint, size: bigint, pa: bigint | undefined): boolean {
  if (open.last + 1n !== ia || open.leafSize !== size) return false;
  return open.pa === undefined ? pa === undefined : pa === open.pa + (ia - open.first);
}

function leafOutput({ steps }: Answer): bigint | undefined {
  const step = steps.at(-1);
  return step?.kind === 'block' || step?.kind === 'page' ? step.output : undefined;
}
