/** Merges two reports of one fault: words and a syndrome, or a syndrome twice. */
import { ESR } from '../../arch/registers/fault.ts';
import type { DecodedFault } from './decoded-fault.ts';

/** The bit of EC that says whether an abort came from a lower Exception level. */
const SAME_LEVEL = 1n << BigInt(ESR.fields.EC.low);

/**
 * Whether two ESRs are equal, if one may lack the bits above 32 that FEAT_LS64 and others add.
 * @param anyLevel - the Exception level below the abort is not known of one.
 */
export function sameSyndrome(a: bigint, b: bigint, anyLevel = false): boolean {
  const different = BigInt.asUintN(32, a ^ b);
  return different === 0n || (anyLevel && different === SAME_LEVEL);
}

/** Keeps facts from the words that the syndrome does not have. */
export function merged(words: DecodedFault, syndrome: DecodedFault): DecodedFault {
  const known = Object.fromEntries(Object.entries(syndrome).filter(([, value]) => value !== undefined));
  return { ...words, ...known, notes: [...words.notes, ...syndrome.notes] } as DecodedFault;
}
