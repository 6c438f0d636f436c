/** Outcomes of transactions in words. (IHI 0070 7.3.) */
import { hex } from '../../memory/hex.ts';
import type { Outcome, TraceCache } from '../trace.ts';

/** `pa 0x44002018`, `F_TRANSLATION s2=0 class=in`, `abort`, `raz/wi`. */
export function outcomeText(outcome: Outcome): string {
  if (outcome.kind === 'pa') return `pa ${hex(outcome.pa)}`;
  if (outcome.kind !== 'fault') return outcome.kind;
  const { fault, s2, class: where, recorded, stall } = outcome;
  return [
    fault,
    s2 !== undefined && `s2=${s2 ? 1 : 0}`,
    where !== undefined && `class=${where}`,
    recorded === false && 'not recorded',
    stall === true && 'stalled',
  ]
    .filter((part) => part !== false)
    .join(' ');
}

/** The caches without which an outcome is not possible: ` by ste, cd`; nothing for that of memory as it is. */
export function byText(by: readonly TraceCache[] = []): string {
  return by.length === 0 ? '' : ` by ${by.join(', ')}`;
}
