/** Describes the memory attributes in MAIR_ELx, byte by byte. (DDI 0487 D24.2.127, "Attr<n>".) */

import { isSetLow, read, readLow } from '../arch/read.ts';
import { MAIR_ATTRIBUTES } from '../arch/registers/base.ts';
import { CACHE_NIBBLE, MAIR_BYTE } from '../arch/registers/memory-type.ts';

const { outer: OUTER, inner: INNER, device: DEVICE, deviceLow: DEVICE_LOW } = MAIR_BYTE.fields;

/** The values of half a byte that are not cacheabilities. */
const DEVICE_HALF = 0;
const NON_CACHEABLE = 4;
/** Bytes that have a meaning only as a whole. */
const WHOLE: Readonly<Record<number, string>> = {
  64: 'Normal, Non-cacheable, XS 0 (FEAT_XS; else unpredictable)',
  160: 'Normal, Write-Through, XS 0 (FEAT_XS; else unpredictable)',
  240: 'Normal, Write-Back, Allocation Tagged (FEAT_MTE2; else unpredictable)',
};

/** One byte in words: `Normal, outer and inner Write-Back, read and write allocate`. `byte` is 0 to 255. */
export function mairByteText(byte: number): string {
  const [outer, inner] = [readLow(byte, OUTER), readLow(byte, INNER)];
  if (outer === DEVICE_HALF) return deviceText(byte);
  const whole = WHOLE[byte];
  if (whole !== undefined) return whole;
  if (inner === DEVICE_HALF) return 'unpredictable';
  if (outer === inner) return `Normal, outer and inner ${cacheText(outer)}`;
  return `Normal, outer ${cacheText(outer)}, inner ${cacheText(inner)}`;
}

function deviceText(byte: number): string {
  const type = `Device-${DEVICE.values?.[readLow(byte, DEVICE)]}`;
  const low = readLow(byte, DEVICE_LOW);
  if (low === 0) return type;
  return low === 1 ? `${type}, XS 0 (FEAT_XS; else unpredictable)` : 'unpredictable';
}

function cacheText(nibble: number): string {
  if (nibble === NON_CACHEABLE) return 'Non-cacheable';
  const { lasting, writeBack, readAllocate, writeAllocate } = CACHE_NIBBLE.fields;
  const policy = isSetLow(nibble, writeBack) ? 'Write-Back' : 'Write-Through';
  const hints = [isSetLow(nibble, readAllocate) && 'read', isSetLow(nibble, writeAllocate) && 'write'];
  const allocate = `${hints.filter(Boolean).join(' and ') || 'no'} allocate`;
  // Bit 3 clear means transient, which needs an allocation hint: 0b0100 is Non-cacheable, 0b0000 is Device.
  return `${policy}${isSetLow(nibble, lasting) ? '' : ' Transient'}, ${allocate}`;
}

/** The byte that AttrIndx chooses: Attr<index> of MAIR. */
export function mairByte(mair: bigint, index: number): number {
  return read(mair, MAIR_ATTRIBUTES[index]!);
}
