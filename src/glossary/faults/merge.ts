/** Two tellings of one fault: words and a syndrome, or a syndrome twice. */
import type { DecodedFault } from './decoded-fault.ts';

/** An ESR of 32 bits, whole or with the bits above that FEAT_LS64 and others put there. */
export function sameSyndrome(a: bigint, b: bigint): boolean {
  return BigInt.asUintN(32, a) === BigInt.asUintN(32, b);
}

/** What words said is kept where the syndrome does not say it. */
export function merged(words: DecodedFault, syndrome: DecodedFault): DecodedFault {
  const known = Object.fromEntries(Object.entries(syndrome).filter(([, value]) => value !== undefined));
  return { ...words, ...known, notes: [...words.notes, ...syndrome.notes] } as DecodedFault;
}
