/** Checks of the arguments of the DMA layer: addresses, powers of two, boundary masks. Every error is an EINVAL that says what is accepted. */
import { checkWord, shown } from '../iommu/checks.ts';
import { hex, IommuError } from '../pagetable/errors.ts';

/** @throws IommuError EINVAL unless `value` is a power of two, as a bigint of 64 bits. */
export function checkPowerOfTwo(name: string, value: unknown): asserts value is bigint {
  if (typeof value !== 'bigint' || !isPowerOfTwo(value) || BigInt.asUintN(64, value) !== value) {
    throw new IommuError('EINVAL', `${name} must be a power of two, as a bigint, not ${shown(value)}`);
  }
}

/** @throws IommuError EINVAL unless `value` has only its low bits set, and at least those below `granule`. */
export function checkMask(name: string, value: unknown, granule: bigint): asserts value is bigint {
  checkWord(name, value);
  if (!isPowerOfTwo(value + 1n) || value + 1n < granule) {
    throw new IommuError(
      'EINVAL',
      `${name} must be a power of two minus one, at least ${hex(granule - 1n)} (a granule minus one), not ${hex(value)}`,
      { alignment: granule },
    );
  }
}

/** @throws IommuError EINVAL unless `value` has only its low bits set or is the last address of a granule, and has at least the bits below `granule`. */
export function checkLastAddress(name: string, value: unknown, granule: bigint): asserts value is bigint {
  checkWord(name, value);
  if (value + 1n < granule || (!isPowerOfTwo(value + 1n) && (value + 1n) % granule !== 0n)) {
    throw new IommuError(
      'EINVAL',
      `${name} must be a power of two minus one or the last address of a granule, at least ${hex(granule - 1n)} (a granule minus one), not ${hex(value)}`,
      { alignment: granule },
    );
  }
}

/** The smallest power of two that is at least `value`, which is at least 1. */
export function powerOfTwoFrom(value: bigint): bigint {
  return 1n << BigInt((value - 1n).toString(2).length - (value === 1n ? 1 : 0));
}

function isPowerOfTwo(value: bigint): boolean {
  return value > 0n && (value & (value - 1n)) === 0n;
}
