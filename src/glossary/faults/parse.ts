/**
 * Finds every fault that a text reports: log lines of kernels, hypervisors and firmware, register values, event records. The text is repaired
 * first, then read line by line. A number is only used if something shows what it is. Finally the rest of the post adds facts and causes.
 */
import { hex } from '../../text/numbers.ts';
import type { DecodedFault } from './decoded-fault.ts';
import { Evidence } from './evidence.ts';
import { decodeEsr, isAbort } from './from-esr.ts';
import { withPost } from './post.ts';
import { type PrintedWalk, printedWalks } from './printed-walk.ts';
import { Scanner } from './scanner.ts';
import { isArmv5 } from './system.ts';
import { undamaged } from './text/damage.ts';

/** The faults that a text reports, and the repairs needed to read it. */
export interface Post {
  readonly faults: readonly DecodedFault[];
  /** The repaired damage by mail and terminals, in words. */
  readonly repairs: readonly string[];
  /** The walks in a text without a fault. */
  readonly walks: readonly PrintedWalk[];
}

/** The faults that `text` reports, in order. Never throws. */
export function parseFaults(text: string): DecodedFault[] {
  return [...parsePost(text).faults];
}

/** The same, with the repairs. Never throws. */
export function parsePost(text: string): Post {
  const { lines, repairs } = undamaged(text);
  const placed = new Scanner(lines, new Evidence(lines), isArmv5(lines)).scan();
  const faults = withPost(placed, lines);
  if (faults.length > 0) return { faults, repairs, walks: [] };
  const walks = printedWalks(lines).map(({ walk }) => walk);
  return { faults: bareSyndrome(text), repairs, walks: walks.filter(({ entries }) => entries.length > 0) };
}

/** A text that is just one number: an ESR, if its class is that of an abort. */
function bareSyndrome(text: string): DecodedFault[] {
  if (!/^\s*0x[0-9a-f]{8,16}\s*$/i.test(text)) return [];
  const value = BigInt(text.trim());
  return isAbort(value) ? [decodeEsr(value)] : [];
}

/** A fault, and how often it was reported. */
export interface CountedFault {
  readonly fault: DecodedFault;
  readonly count: number;
}

/** Each distinct fault once, in the order of the first reports. */
export function countFaults(faults: readonly DecodedFault[]): CountedFault[] {
  const byText = new Map<string, CountedFault>();
  for (const fault of faults) {
    const text = JSON.stringify(fault, (_, v: unknown) => (typeof v === 'bigint' ? hex(v) : v));
    byText.set(text, { fault, count: (byText.get(text)?.count ?? 0) + 1 });
  }
  return [...byText.values()];
}
