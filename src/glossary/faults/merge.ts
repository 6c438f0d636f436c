/** Merges two reports of one fault: words and a syndrome, or a syndrome twice. */
import type { DecodedFault } from './decoded-fault.ts';

/** Whether two ESRs are equal, if one may lack the bits above 32 that FEAT_LS64 and others add. */
export function sameSyndrome(a: bigint, b: bigint): boolean {
  return BigInt.asUintN(32, a) === BigInt.asUintN(32, b);
}

/** Keeps facts from the words that the syndrome does not have. */
export function merged(words: DecodedFault, syndrome: DecodedFault): DecodedFault {
  const known = Object.fromEntries(Object.entries(syndrome).filter(([, value]) => value !== undefined));
  return { ...words, ...known, notes: [...words.notes, ...syndrome.notes] } as DecodedFault;
}
