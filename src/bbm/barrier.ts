/** Barriers of a trace: DSB with its options, DMB and ISB. (DDI 0487 B2.6.) */
import { nearest } from '../memory/near-names.ts';
import { TraceError } from './errors.ts';

/** What a barrier waits for, and for whom. */
export interface Barrier {
  readonly kind: 'dsb' | 'dmb' | 'isb';
  /** Which accesses before it. `all`: maintenance instructions too, for a DSB. (Table B2-1.) */
  readonly accesses: 'all' | 'stores' | 'loads';
  /** NSH: for this PE alone. */
  readonly local: boolean;
  /** DSB nXS: accesses with the XS attribute need not be complete. (FEAT_XS.) */
  readonly keepsXs: boolean;
}

const DOMAINS = ['sy', 'osh', 'ish', 'nsh'];
const KNOWN = [
  ...['dsb', 'dmb'].flatMap((kind) =>
    ['', ' sy', ' ish', ' ishst', ' st', ' ld', ' nsh'].map((option) => kind + option),
  ),
  'isb',
];

/**
 * Reads `dsb ishst`; without an option SY is meant.
 * @throws TraceError for text that is no barrier.
 */
export function readBarrier(text: string): Barrier {
  const plain = text.trim().toLowerCase().replace(/\s+/g, ' ');
  const [, kind, domain = '', accesses = '', nxs] =
    /^(dsb|dmb|isb)(?: (sy|osh|ish|nsh)?(st|ld)?(nxs)?)?$/.exec(plain) ?? [];
  const odd =
    (kind === 'isb' && plain !== 'isb' && plain !== 'isb sy') || (nxs && (kind !== 'dsb' || accesses));
  if (kind === undefined || odd || (domain === 'sy' && accesses)) {
    const near = nearest(plain, KNOWN);
    const hint = near === undefined ? `known are ${KNOWN.join(', ')}` : `did you mean ${near}?`;
    throw new TraceError(`'${text}' is not a barrier (DDI 0487 B2.6); ${hint}`);
  }
  return {
    kind: kind as Barrier['kind'],
    accesses: accesses === 'st' ? 'stores' : accesses === 'ld' ? 'loads' : 'all',
    local: domain === DOMAINS.at(-1),
    keepsXs: nxs !== undefined,
  };
}
