/** MAIR: Linux's value, and values with the Device types that it lacks. (DDI 0487 D24.2.110.) */
import type { DeviceType } from '../../src/pagetable/format.ts';

/**
 * MAIR_ELx as Linux computes it: attribute 0 Non-cacheable, 1 Write-Back, 2 Device-nGnRE, 3 inner Non-cacheable outer Write-Back.
 * Attributes 4 to 7 read 0xff: the C code ORs in `0xf4 << 24`, an int whose sign bit spreads over the upper half.
 */
export const LINUX_MAIR = 0xffff_ffff_f404_ff44n;

/** Device types as bytes of MAIR. */
export const DEVICE_BYTE: Readonly<Record<DeviceType, number>> = {
  nGnRnE: 0x00,
  nGnRE: 0x04,
  nGRE: 0x08,
  GRE: 0x0c,
};

const SLOTS = 8;
/** The first slot of Linux's MAIR that Linux never names; all above it are as well. */
const SPARE_SLOT = 4;

/** The bytes of a MAIR by AttrIndx, 0 to 7. */
export function mairBytes(mair: bigint): number[] {
  return Array.from({ length: SLOTS }, (_, i) => Number((mair >> BigInt(8 * i)) & 0xffn));
}

/** Linux's MAIR with the given Device types, those that it lacks in slots that it does not use. Undefined: it lacks none. */
export function mairWith(devices: Iterable<DeviceType>): bigint | undefined {
  const bytes = mairBytes(LINUX_MAIR);
  const asked = [...new Set(devices)].map((device) => DEVICE_BYTE[device]);
  const missing = asked.filter((byte) => !bytes.includes(byte)).sort((a, b) => a - b);
  if (missing.length === 0) return undefined;
  bytes.splice(SPARE_SLOT, missing.length, ...missing);
  return bytes.reduceRight((mair, byte) => mair * 256n + BigInt(byte), 0n);
}
