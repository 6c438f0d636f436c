/** Checks of the arguments of the IOMMU API: words, prots, scatterlists. Every error is an EINVAL that says what is accepted. */
import { hex, IommuError } from '../pagetable/errors.ts';
import {
  DEVICE_TYPES,
  EXECUTE,
  PROT_EXTRAS,
  PROT_FLAGS,
  type Prot,
  type ProtExtra,
  SHAREABILITY_DOMAINS,
} from '../pagetable/format.ts';
import { Scatterlist } from './scatterlist.ts';
import { plainNumber } from './word.ts';

/** The low 20 bits. The smallest page of a table is never as large as that. */
export const LOW_BITS = 0xf_ffffn;
const TWO_52 = 1n << 52n;
const MAX_WORD = (1n << 64n) - 1n;

/** An address or size as an exact number. A value of more than 52 bits becomes the first value beyond 52 bits with the same alignment. */
export function exact(value: bigint): number {
  return value < TWO_52 ? Number(value) : 2 ** 52 + Number(value & LOW_BITS);
}

/**
 * A checked address or size as an exact number, as {@link exact} has it.
 * @throws IommuError EINVAL unless it is a bigint of 0 to 64 bits, or a whole number below 2^53.
 */
export function exactWord(name: string, value: unknown): number {
  const number = plainNumber(value);
  return number >= 0 ? number : exact(wordOf(name, value));
}

/**
 * A checked address or size as a bigint.
 * @throws IommuError EINVAL unless it is a bigint of 0 to 64 bits, or a whole number below 2^53.
 */
export function wordOf(name: string, value: unknown): bigint {
  if (typeof value !== 'number') {
    checkWord(name, value);
    return value;
  }
  if (Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  throw new IommuError(
    'EINVAL',
    `${name} must be a bigint of 0 to 64 bits or a whole number below 2^53, which a number holds exactly; not ${value}`,
  );
}

/** The values that each member beyond the flags may have. */
const EXTRA_VALUES: Readonly<Record<ProtExtra, readonly (string | number | boolean)[]>> = {
  device: DEVICE_TYPES,
  execute: EXECUTE,
  shareability: SHAREABILITY_DOMAINS,
  mairIndex: Array.from({ length: 16 }, (_, index) => index),
  poIndex: [0, 1, 2, 3, 4, 5, 6, 7],
  global: [true, false],
  nonSecure: [true, false],
};
const FLAGS: ReadonlySet<string> = new Set(PROT_FLAGS);

export function checkProt(prot: Prot): void {
  if (typeof prot !== 'object' || prot === null) {
    throw new IommuError(
      'EINVAL',
      `prot must be an object such as { read: true, write: true }, not ${String(prot)}`,
    );
  }
  for (const flag in prot) {
    const value: unknown = prot[flag as keyof Prot];
    if (FLAGS.has(flag)) {
      if (typeof value !== 'boolean' && value !== undefined)
        throw new IommuError('EINVAL', `prot.${flag} must be true or false, not ${String(value)}`);
    } else checkExtra(flag, value);
  }
}

function checkExtra(name: string, value: unknown): void {
  const allowed = EXTRA_VALUES[name as ProtExtra];
  if (!Object.hasOwn(EXTRA_VALUES, name)) {
    throw new IommuError(
      'EINVAL',
      `prot has no flag ${name}; its flags are ${PROT_FLAGS.join(', ')}, and its other members are ${PROT_EXTRAS.join(', ')}`,
    );
  }
  if (value !== undefined && !allowed.includes(value as string | number | boolean)) {
    throw new IommuError('EINVAL', `prot.${name} must be one of ${allowed.join(', ')}, not ${String(value)}`);
  }
}

export function checkScatterlist(sg: Scatterlist): void {
  if (!(sg instanceof Scatterlist)) {
    throw new IommuError(
      'EINVAL',
      'sg must be a Scatterlist; Scatterlist.from makes one of an array or any iterable',
    );
  }
}

export function checkWord(name: string, value: unknown): asserts value is bigint {
  if (typeof value !== 'bigint' || value < 0n || value > MAX_WORD) {
    throw new IommuError('EINVAL', `${name} must be a bigint of 0 to 64 bits, not ${shown(value)}`);
  }
}

/** Any value as text for messages. */
export function shown(value: unknown): string {
  return typeof value === 'bigint' && value >= 0n ? hex(value) : String(value);
}
