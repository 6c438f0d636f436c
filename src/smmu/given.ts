/** Checks what a caller gives: members of an object, register values, words of an STE or CD. */
import { nearest } from '../memory/near-names.ts';
import { WalkerError } from '../walker/errors.ts';

/** Checks that an object has the required members and no unknown ones. @throws WalkerError with the likely name. */
export function checkMembers(
  what: string,
  given: unknown,
  known: readonly string[],
  needed: readonly string[] = [],
): void {
  if (typeof given !== 'object' || given === null) {
    throw new WalkerError(`${what} is made of an object with ${known.join(', ')}, not ${String(given)}`);
  }
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const likely = nearest(unknown.replaceAll('_', ''), known);
    const hint = likely === undefined ? `known are ${known.join(', ')}` : `did you mean ${likely}?`;
    throw new WalkerError(`${what} has no '${unknown}'; ${hint}`);
  }
  const missing = needed.find((name) => (given as Readonly<Record<string, unknown>>)[name] === undefined);
  if (missing !== undefined) throw new WalkerError(`${what} needs ${missing}`);
}

/** The 64-bit words of an STE or CD: all of them, and those that affect translation without features of SMMUv3.4. */
const WORDS = 8;
const FIRST_WORDS = 4;

/** Checks the words of an STE or CD. @throws WalkerError. */
export function checkWords(name: string, words: readonly bigint[]): void {
  if (words.length < FIRST_WORDS || words.length > WORDS) {
    throw new WalkerError(`${name} must be four 64-bit words (or up to ${WORDS}), not ${words.length}`);
  }
  checkRegisters(Object.fromEntries(words.map((word, i) => [`${name}[${i}]`, word])));
}

/** Checks that each value has at most 64 bits. @throws WalkerError. */
export function checkRegisters(registers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(registers)) {
    if (value === undefined || (typeof value === 'bigint' && BigInt.asUintN(64, value) === value)) continue;
    throw new WalkerError(`${name} must be a bigint of at most 64 bits, not ${String(value)}`);
  }
}
