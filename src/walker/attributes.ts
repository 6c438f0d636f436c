/**
 * Memory attributes: decoded from MAIR and from stage-2 MemAttr, combined over both stages, encoded as PAR_EL1 shows them.
 * (DDI 0487 D8.6; J1.3 S1DecodeMemAttrs, S2DecodeMemAttrs, S2CombineS1MemAttrs, AArch64.S2ApplyFWBMemAttrs, EncodePARAttrs.)
 */

/** Device memory by its ordering: Gathering, Reordering, Early acknowledgement, or not. (DDI 0487 B2.10.2.) */
export type DeviceType = 'nGnRnE' | 'nGnRE' | 'nGRE' | 'GRE';
/** Shareability of a location: none, outer or inner. (DDI 0487 D8.6.2.) */
export type Shareability = 'non' | 'outer' | 'inner';

/** Cacheability of Normal memory at one level of cache. Hints and transience exist only where it is cacheable. `implementation-defined`: of a Mali GPU only. */
export interface Cacheability {
  readonly policy: 'non-cacheable' | 'write-through' | 'write-back' | 'implementation-defined';
  readonly readAllocate: boolean;
  readonly writeAllocate: boolean;
  readonly transient: boolean;
}

/** Device memory. `byte` is its 8-bit encoding in MAIR_ELx and PAR_EL1.ATTR; `xs` the XS attribute, of meaning with FEAT_XS only. */
export interface DeviceMemory {
  readonly type: 'device';
  readonly device: DeviceType;
  readonly byte: number;
  readonly xs: boolean;
}

/** Normal memory, by inner and outer cacheability. `tagged`: Allocation Tagged (FEAT_MTE2). */
export interface NormalMemory {
  readonly type: 'normal';
  readonly inner: Cacheability;
  readonly outer: Cacheability;
  readonly tagged: boolean;
  readonly byte: number;
  readonly xs: boolean;
}

/** What kind of memory a translation leads to; `type` tells the two apart. */
export type MemoryAttributes = DeviceMemory | NormalMemory;

/** Attributes and the shareability that goes with them, as one stage (or both) determine it. */
export interface MemoryRegion {
  readonly attributes: MemoryAttributes;
  readonly shareability: Shareability;
}

/** From weakest ordering to strongest is descending here, so that the lower index of two wins. */
const DEVICE_TYPES: readonly DeviceType[] = ['nGnRnE', 'nGnRE', 'nGRE', 'GRE'];

const NON_CACHEABLE: Cacheability = {
  policy: 'non-cacheable',
  readAllocate: false,
  writeAllocate: false,
  transient: false,
};
const WRITE_BACK_RWA: Cacheability = {
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

/** Which encodings exist beside the basic ones. */
export interface AttributeFeatures {
  readonly mte: boolean;
  readonly xs: boolean;
}

function deviceMemory(device: DeviceType, xs: boolean): DeviceMemory {
  const byte = DEVICE_TYPES.indexOf(device) << 2;
  return { type: 'device', device, byte: xs ? byte : byte | 1, xs };
}

function normalMemory(inner: Cacheability, outer: Cacheability, tagged: boolean, xs: boolean): NormalMemory {
  const memory = { type: 'normal', inner, outer, tagged, xs } as const;
  return { ...memory, byte: encodeNormal(memory) };
}

/** EncodePARAttrs for Normal memory. */
function encodeNormal({ inner, outer, tagged, xs }: Omit<NormalMemory, 'byte'>): number {
  if (tagged) return 0xf0;
  if (!xs && inner.policy === 'non-cacheable' && outer.policy === 'non-cacheable') return 0x40;
  const byte = (encodeNibble(outer) << 4) | encodeNibble(inner);
  return !xs && byte === 0xaa ? 0xa0 : byte;
}

function encodeNibble(c: Cacheability): number {
  if (c.policy === 'non-cacheable') return 0b0100;
  const policy = c.policy === 'write-back' ? 0b0100 : 0;
  return (c.transient ? 0 : 0b1000) | policy | (c.readAllocate ? 0b10 : 0) | (c.writeAllocate ? 0b01 : 0);
}

/** DecodeLDFAttr: a nibble of MAIR. No transience without an allocation hint. */
function decodeNibble(nibble: number): Cacheability {
  if (nibble === 0b0100) return NON_CACHEABLE;
  const hints = nibble & 0b11;
  return {
    policy: nibble & 0b0100 ? 'write-back' : 'write-through',
    readAllocate: (hints & 0b10) !== 0,
    writeAllocate: (hints & 0b01) !== 0,
    transient: hints !== 0 && (nibble & 0b1000) === 0,
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
  if (byte >> 4 === 0) return deviceMemory(DEVICE_TYPES[(byte >> 2) & 3]!, !(features.xs && byte & 1));
  if (byte === 0xf0 && features.mte) return normalMemory(WRITE_BACK_RWA, WRITE_BACK_RWA, true, false);
  if (byte === 0xa0 && features.xs) return normalMemory(WRITE_THROUGH_RA, WRITE_THROUGH_RA, false, false);
  if ((byte & 0xf) === 0) {
    return normalMemory(NON_CACHEABLE, NON_CACHEABLE, false, !(byte === 0x40 && features.xs));
  }
  return normalFrom(decodeNibble(byte & 0xf), decodeNibble(byte >> 4));
}

/** Normal memory that is not tagged; XS is 0 only for Write-Back at both levels. */
export function normalFrom(inner: Cacheability, outer: Cacheability): NormalMemory {
  return normalMemory(inner, outer, false, !(inner.policy === 'write-back' && outer.policy === 'write-back'));
}

/** Device memory of a type, by its two-bit encoding. */
export function deviceFrom(encoding: number): DeviceMemory {
  return deviceMemory(DEVICE_TYPES[encoding & 3]!, true);
}

/** Attributes of a data access with stage 1 off: Device-nGnRnE. (AArch64.S1DisabledOutput.) */
export const STAGE1_OFF_DATA: MemoryRegion = { attributes: deviceFrom(0), shareability: 'outer' };
/** Of an instruction fetch with stage 1 off, SCTLR.I taken as 1: Write-Through Read-Allocate. */
export const STAGE1_OFF_FETCH: MemoryRegion = {
  attributes: normalFrom(WRITE_THROUGH_RA, WRITE_THROUGH_RA),
  shareability: 'outer',
};
/** Of any access with HCR_EL2.DC = 1: Write-Back Read-Write-Allocate, non-shareable, on which stage 2 has the last word. */
export const DEFAULT_CACHEABLE: MemoryRegion = {
  attributes: normalFrom(WRITE_BACK_RWA, WRITE_BACK_RWA),
  shareability: 'non',
};

/** Stage-2 attribute fields of a leaf: MemAttr[3:0], SH (already from VTCR where DS = 1), FnXS. */
export interface Stage2Attributes {
  readonly memAttr: number;
  readonly sh: number;
  readonly fnXs: boolean;
}

const POLICY_STRENGTH = {
  'non-cacheable': 0,
  'write-through': 1,
  'write-back': 2,
  'implementation-defined': 3,
} as const;

/** S2CombineS1AttrHints: the weaker policy; hints and transience come from stage 1. */
function combineCacheability(s1: Cacheability, s2: Cacheability['policy']): Cacheability {
  const policy = POLICY_STRENGTH[s1.policy] < POLICY_STRENGTH[s2] ? s1.policy : s2;
  return policy === 'non-cacheable' ? NON_CACHEABLE : { ...s1, policy };
}

/** S2DecodeCacheability. 0b00 is reserved and taken as Non-cacheable. */
function stage2Policy(bits: number): Cacheability['policy'] {
  return bits === 3 ? 'write-back' : bits === 2 ? 'write-through' : 'non-cacheable';
}

function strongerDevice(a: DeviceType, b: DeviceType): DeviceType {
  return DEVICE_TYPES[Math.min(DEVICE_TYPES.indexOf(a), DEVICE_TYPES.indexOf(b))]!;
}

function isWriteBackRwa(c: Cacheability): boolean {
  return c.policy === 'write-back' && c.readAllocate && c.writeAllocate && !c.transient;
}

/** S2MemTagType: tags survive only on Write-Back, Read-Write-Allocate, non-transient memory. */
function combineNormal(
  s1: MemoryAttributes,
  inner: Cacheability,
  outer: Cacheability,
  xs: boolean,
): NormalMemory {
  const tagged = s1.type === 'normal' && s1.tagged && isWriteBackRwa(inner) && isWriteBackRwa(outer);
  const writeBack = inner.policy === 'write-back' && outer.policy === 'write-back';
  return normalMemory(inner, outer, tagged, writeBack ? false : xs);
}

/** S2DecodeMemAttrs and S2CombineS1MemAttrs: the more restrictive of both stages. */
function combineAttributes(s1: MemoryAttributes, s2: Stage2Attributes, xs: boolean): MemoryAttributes {
  const s2Device = s2.memAttr < 4;
  if (s1.type === 'device') {
    const device = s2Device ? strongerDevice(s1.device, DEVICE_TYPES[s2.memAttr]!) : s1.device;
    return deviceMemory(device, xs);
  }
  if (s2Device) return deviceMemory(DEVICE_TYPES[s2.memAttr]!, xs);
  const inner = combineCacheability(s1.inner, stage2Policy(s2.memAttr & 3));
  const outer = combineCacheability(s1.outer, stage2Policy(s2.memAttr >> 2));
  return combineNormal(s1, inner, outer, xs);
}

/** AArch64.S2ApplyFWBMemAttrs: MemAttr[2:0] overrides stage 1; MemAttr[3] belongs to FEAT_MTE_PERM and is ignored. */
function applyForcedWriteBack(s1: MemoryAttributes, s2: Stage2Attributes, xs: boolean): MemoryAttributes {
  const low = s2.memAttr & 3;
  if ((s2.memAttr & 4) === 0) {
    const device = DEVICE_TYPES[low]!;
    return deviceMemory(s1.type === 'device' ? strongerDevice(s1.device, device) : device, xs);
  }
  if (low === 3) {
    return s1.type === 'device'
      ? deviceMemory(s1.device, xs)
      : normalMemory(s1.inner, s1.outer, s1.tagged, xs);
  }
  if (low === 2) {
    // Write-Back, with stage 1's hints where it was cacheable.
    const force = (c: Cacheability): Cacheability =>
      c.policy === 'non-cacheable' ? WRITE_BACK_RWA : { ...c, policy: 'write-back' };
    const [inner, outer] =
      s1.type === 'normal' ? [force(s1.inner), force(s1.outer)] : [WRITE_BACK_RWA, WRITE_BACK_RWA];
    return combineNormal(s1, inner, outer, false);
  }
  return s1.type === 'device'
    ? deviceMemory(s1.device, xs)
    : normalMemory(NON_CACHEABLE, NON_CACHEABLE, false, xs);
}

/** How stage 2 takes part: HCR_EL2.FWB, and whether the XS attribute exists. */
export interface CombineControls {
  readonly fwb: boolean;
  readonly xs: boolean;
}

/** Both stages: S2CombineS1MemAttrs, or forced Write-Back where HCR_EL2.FWB = 1; then the effective shareability. */
export function combineStages(
  s1: MemoryRegion,
  s2: Stage2Attributes,
  controls: CombineControls,
): MemoryRegion {
  const combine = controls.fwb ? applyForcedWriteBack : combineAttributes;
  const attributes = combine(s1.attributes, s2, !controls.xs || (s1.attributes.xs && !s2.fnXs));
  const s2Shareability = decodeShareability(s2.sh);
  const either = (wanted: Shareability) => s1.shareability === wanted || s2Shareability === wanted;
  const combined: Shareability = either('outer') ? 'outer' : either('inner') ? 'inner' : 'non';
  return { attributes, shareability: effectiveShareability(attributes, combined) };
}
