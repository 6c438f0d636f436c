/**
 * Memory attributes: decodes them from MAIR, and encodes them as in PAR_EL1.
 * (DDI 0487 D8.6; J1.3 S1DecodeMemAttrs, EncodePARAttrs.)
 */

import { lowMask, readLow, shiftOf } from '../arch/read.ts';
import { CACHE_NIBBLE, MAIR_BYTE } from '../arch/registers/memory-type.ts';

/** Device memory by its ordering: Gathering, Reordering, Early acknowledgement, or not. (DDI 0487 B2.10.2.) */
export type DeviceType = 'nGnRnE' | 'nGnRE' | 'nGRE' | 'GRE';
/** Shareability of a location: none, outer or inner. (DDI 0487 D8.6.2.) */
export type Shareability = 'non' | 'outer' | 'inner';

/** Cacheability of Normal memory at one level of cache. Hints and transience exist only if it is cacheable. `implementation-defined`: only in a Mali GPU. */
export interface Cacheability {
  readonly policy: 'non-cacheable' | 'write-through' | 'write-back' | 'implementation-defined';
  readonly readAllocate: boolean;
  readonly writeAllocate: boolean;
  readonly transient: boolean;
}

/** Device memory. `byte` is its 8-bit encoding in MAIR_ELx and PAR_EL1.ATTR; `xs` the XS attribute, which only has a meaning with FEAT_XS. */
export interface DeviceMemory {
  readonly type: 'device';
  readonly device: DeviceType;
  readonly byte: number;
  readonly xs: boolean;
  /**
   * No MAIR was given, so only the AttrIndx is known and not the memory type. A walk continues as for
   * Device-nGnRnE.
   */
  readonly attrIndx?: number;
}

/** Normal memory, by inner and outer cacheability. `tagged`: Allocation Tagged (FEAT_MTE2). */
export interface NormalMemory {
  readonly type: 'normal';
  readonly inner: Cacheability;
  readonly outer: Cacheability;
  readonly tagged: boolean;
  /** Tagged memory whose tags stage 2 keeps from accesses (FEAT_MTE_PERM). */
  readonly noTagAccess?: true;
  readonly byte: number;
  readonly xs: boolean;
}

/** The kind of memory that a translation leads to; `type` tells the kinds apart. */
export type MemoryAttributes = DeviceMemory | NormalMemory;

/** Attributes and shareability, from one stage or both. */
export interface MemoryRegion {
  readonly attributes: MemoryAttributes;
  readonly shareability: Shareability;
}

/** From strongest ordering to weakest, so that the lower of two indices wins. */
export const DEVICE_TYPES: readonly DeviceType[] = ['nGnRnE', 'nGnRE', 'nGRE', 'GRE'];

export const NON_CACHEABLE: Cacheability = {
  policy: 'non-cacheable',
  readAllocate: false,
  writeAllocate: false,
  transient: false,
};
export const WRITE_BACK_RWA: Cacheability = {
  policy: 'write-back',
  readAllocate: true,
  writeAllocate: true,
  transient: false,
};
const WRITE_THROUGH_RA: Cacheability = {
  policy: 'write-through',
  readAllocate: true,
  writeAllocate: false,
  transient: false,
};

/** Which optional encodings exist. */
export interface AttributeFeatures {
  readonly mte: boolean;
  readonly xs: boolean;
}

/** Special bytes of MAIR, whose inner half is 0. */
const TAGGED = 0xf0;
const NON_CACHEABLE_WITHOUT_XS = 0x40;
const WRITE_THROUGH_WITHOUT_XS = 0xa0;
/** Write-Through, read allocate, at both levels. */
const WRITE_THROUGH = 0xaa;

const OUTER_SHIFT = shiftOf(MAIR_BYTE.fields.outer);
/** A half that is Non-cacheable. */
const NON_CACHEABLE_NIBBLE = 0b0100;
const LASTING = lowMask(CACHE_NIBBLE.fields.lasting);
const WRITE_BACK = lowMask(CACHE_NIBBLE.fields.writeBack);
const READ_ALLOCATE = lowMask(CACHE_NIBBLE.fields.readAllocate);
const WRITE_ALLOCATE = lowMask(CACHE_NIBBLE.fields.writeAllocate);

/** Bytes of Device types. */
const DEVICE_BYTES = Object.fromEntries(
  DEVICE_TYPES.map((device, code) => [device, code << shiftOf(MAIR_BYTE.fields.device)]),
) as Record<DeviceType, number>;
const DEVICE_WITHOUT_XS = 1;

export function deviceMemory(device: DeviceType, xs: boolean): DeviceMemory {
  return { type: 'device', device, byte: DEVICE_BYTES[device] | (xs ? 0 : DEVICE_WITHOUT_XS), xs };
}

/** What AttrIndx would choose from a MAIR that was not given. */
export function unknownMemory(attrIndx: number): DeviceMemory {
  return { ...deviceMemory('nGnRnE', true), attrIndx };
}

/** The AttrIndx of memory whose type is not known, because no MAIR was given. */
export function unknownIndex(memory: MemoryAttributes): number | undefined {
  return memory.type === 'device' ? memory.attrIndx : undefined;
}

export function normalMemory(
  inner: Cacheability,
  outer: Cacheability,
  tagged: boolean,
  xs: boolean,
): NormalMemory {
  const memory = { type: 'normal', inner, outer, tagged, xs } as const;
  return { ...memory, byte: encodeNormal(memory) };
}

/** EncodePARAttrs for Normal memory. */
function encodeNormal({ inner, outer, tagged, xs }: Omit<NormalMemory, 'byte'>): number {
  if (tagged) return TAGGED;
  if (!xs && inner.policy === 'non-cacheable' && outer.policy === 'non-cacheable') {
    return NON_CACHEABLE_WITHOUT_XS;
  }
  const byte = (encodeNibble(outer) << OUTER_SHIFT) | encodeNibble(inner);
  return !xs && byte === WRITE_THROUGH ? WRITE_THROUGH_WITHOUT_XS : byte;
}

function encodeNibble(c: Cacheability): number {
  if (c.policy === 'non-cacheable') return NON_CACHEABLE_NIBBLE;
  const hints = (c.readAllocate ? READ_ALLOCATE : 0) | (c.writeAllocate ? WRITE_ALLOCATE : 0);
  return (c.transient ? 0 : LASTING) | (c.policy === 'write-back' ? WRITE_BACK : 0) | hints;
}

/** DecodeLDFAttr: a nibble of MAIR. No transience without an allocation hint. */
function decodeNibble(nibble: number): Cacheability {
  if (nibble === NON_CACHEABLE_NIBBLE) return NON_CACHEABLE;
  const hints = nibble & (READ_ALLOCATE | WRITE_ALLOCATE);
  return {
    policy: nibble & WRITE_BACK ? 'write-back' : 'write-through',
    readAllocate: (hints & READ_ALLOCATE) !== 0,
    writeAllocate: (hints & WRITE_ALLOCATE) !== 0,
    transient: hints !== 0 && (nibble & LASTING) === 0,
  };
}

/** DecodeSDFAttr: the two-bit cacheability of TCR.IRGN, NMRR and short descriptors. */
export function decodeShortCacheability(bits: number): Cacheability {
  if (bits === 0) return NON_CACHEABLE;
  if (bits === 2) return WRITE_THROUGH_RA;
  return { ...WRITE_BACK_RWA, writeAllocate: bits === 1 };
}

/** DecodeShareability of an SH field. The reserved 0b01 is taken as outer, the widest of the permitted choices. */
export function decodeShareability(sh: number): Shareability {
  return sh === 0b00 ? 'non' : sh === 0b11 ? 'inner' : 'outer';
}

/** The SH field of a shareability. */
export function encodeShareability(shareability: Shareability): number {
  return { non: 0b00, outer: 0b10, inner: 0b11 }[shareability];
}

/** EffectiveShareability: Device and inner-and-outer Non-cacheable memory is outer shareable whatever SH says. */
export function effectiveShareability(
  attributes: MemoryAttributes,
  shareability: Shareability,
): Shareability {
  if (attributes.type === 'device') return 'outer';
  const { inner, outer } = attributes;
  return inner.policy === 'non-cacheable' && outer.policy === 'non-cacheable' ? 'outer' : shareability;
}

/**
 * S1DecodeMemAttrs: one MAIR byte. Reserved encodings: with Device in the high nibble, the Device type counts and the
 * rest is ignored; the others are Normal Non-cacheable. (CONSTRAINED UNPREDICTABLE: any allocated encoding is permitted.)
 */
export function decodeMairByte(byte: number, features: AttributeFeatures): MemoryAttributes {
  const { outer, inner, device, deviceLow } = MAIR_BYTE.fields;
  if (readLow(byte, outer) === 0) {
    const withoutXs = features.xs && (readLow(byte, deviceLow) & DEVICE_WITHOUT_XS) !== 0;
    return deviceMemory(DEVICE_TYPES[readLow(byte, device)]!, !withoutXs);
  }
  if (byte === TAGGED && features.mte) return normalMemory(WRITE_BACK_RWA, WRITE_BACK_RWA, true, false);
  if (byte === WRITE_THROUGH_WITHOUT_XS && features.xs)
    return normalMemory(WRITE_THROUGH_RA, WRITE_THROUGH_RA, false, false);
  if (readLow(byte, inner) === 0) {
    return normalMemory(
      NON_CACHEABLE,
      NON_CACHEABLE,
      false,
      !(byte === NON_CACHEABLE_WITHOUT_XS && features.xs),
    );
  }
  return normalFrom(decodeNibble(readLow(byte, inner)), decodeNibble(readLow(byte, outer)));
}

/** Normal memory that is not tagged; XS is 0 only for Write-Back at both levels. */
export function normalFrom(inner: Cacheability, outer: Cacheability): NormalMemory {
  return normalMemory(inner, outer, false, !(inner.policy === 'write-back' && outer.policy === 'write-back'));
}

/** The usual MAIR byte of a type: read and write allocate if it is cached, not transient, with the XS attribute. */
export function usualByte(memory: MemoryAttributes): number {
  if (memory.type === 'device') return deviceMemory(memory.device, true).byte;
  const usual = ({ policy }: Cacheability): Cacheability =>
    policy === 'non-cacheable' ? NON_CACHEABLE : { ...WRITE_BACK_RWA, policy };
  return normalMemory(usual(memory.inner), usual(memory.outer), false, true).byte;
}

/** Normal memory that no level caches. */
export function isNonCacheable({ attributes }: MemoryRegion): boolean {
  if (attributes.type === 'device') return false;
  return attributes.inner.policy === 'non-cacheable' && attributes.outer.policy === 'non-cacheable';
}

/** The same Normal memory made Non-cacheable. It becomes outer shareable and is not Tagged. `xs`: the XS attribute exists, and stays. */
export function nonCacheable({ attributes }: MemoryRegion, xs: boolean): MemoryRegion {
  const kept = attributes.xs || !xs;
  return { attributes: normalMemory(NON_CACHEABLE, NON_CACHEABLE, false, kept), shareability: 'outer' };
}

/** Device memory of a type, by its two-bit encoding. */
export function deviceFrom(encoding: number): DeviceMemory {
  return deviceMemory(DEVICE_TYPES[encoding]!, true);
}

/** Attributes of a data access with stage 1 off: Device-nGnRnE. (AArch64.S1DisabledOutput.) */
export const STAGE1_OFF_DATA: MemoryRegion = { attributes: deviceFrom(0), shareability: 'outer' };
/** Attributes of an instruction fetch with stage 1 off, assuming SCTLR.I = 1: Write-Through Read-Allocate. */
export const STAGE1_OFF_FETCH: MemoryRegion = {
  attributes: normalFrom(WRITE_THROUGH_RA, WRITE_THROUGH_RA),
  shareability: 'outer',
};
/** Attributes of an instruction fetch from Device memory, without and with the XS attribute. (S1TreatAsNormalNC, NormalNCMemAttr.) */
export const NON_CACHEABLE_FETCH: readonly [MemoryRegion, MemoryRegion] = [
  { attributes: normalMemory(NON_CACHEABLE, NON_CACHEABLE, false, false), shareability: 'outer' },
  { attributes: normalMemory(NON_CACHEABLE, NON_CACHEABLE, false, true), shareability: 'outer' },
];
/** Attributes of any access with HCR_EL2.DC = 1: Write-Back Read-Write-Allocate, non-shareable. Stage 2 may still change them. */
export const DEFAULT_CACHEABLE: MemoryRegion = {
  attributes: normalFrom(WRITE_BACK_RWA, WRITE_BACK_RWA),
  shareability: 'non',
};

/** The same with HCR_EL2.DCT = 1: Allocation Tagged. */
export const DEFAULT_TAGGED: MemoryRegion = {
  attributes: normalMemory(WRITE_BACK_RWA, WRITE_BACK_RWA, true, false),
  shareability: 'non',
};
