/**
 * Combines the memory attributes of two stages.
 * (DDI 0487 D8.6; J1.3 S2DecodeMemAttrs, S2CombineS1MemAttrs, AArch64.S2ApplyFWBMemAttrs, S2MemTagType.)
 */
import { lowMask, shiftOf } from '../arch/read.ts';
import { STAGE2_MEMATTR } from '../arch/registers/memory-type.ts';
import {
  type Cacheability,
  DEVICE_TYPES,
  type DeviceType,
  decodeShareability,
  deviceMemory,
  effectiveShareability,
  type MemoryAttributes,
  type MemoryRegion,
  NON_CACHEABLE,
  type NormalMemory,
  normalMemory,
  type Shareability,
  unknownIndex,
  unknownMemory,
  WRITE_BACK_RWA,
} from './attributes.ts';

/** Stage-2 attribute fields of a leaf: MemAttr[3:0], SH (already from VTCR if DS = 1), FnXS. */
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

/** S2DecodeCacheability. 0b00 is reserved and treated as Non-cacheable. */
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

/** MemAttr has no bits above its outer half. */
const S2_OUTER_SHIFT = shiftOf(STAGE2_MEMATTR.fields.outer);
const S2_INNER = lowMask(STAGE2_MEMATTR.fields.inner);
const S2_NORMAL = lowMask(STAGE2_MEMATTR.fields.normal);

/** S2DecodeMemAttrs and S2CombineS1MemAttrs: the more restrictive of both stages. */
function combineAttributes(s1: MemoryAttributes, s2: Stage2Attributes, xs: boolean): MemoryAttributes {
  const outer = s2.memAttr >> S2_OUTER_SHIFT;
  const s2Device = outer === 0;
  if (s1.type === 'device') {
    const device = s2Device ? strongerDevice(s1.device, DEVICE_TYPES[s2.memAttr & S2_INNER]!) : s1.device;
    return deviceMemory(device, xs);
  }
  if (s2Device) return deviceMemory(DEVICE_TYPES[s2.memAttr & S2_INNER]!, xs);
  return combineNormal(
    s1,
    combineCacheability(s1.inner, stage2Policy(s2.memAttr & S2_INNER)),
    combineCacheability(s1.outer, stage2Policy(outer)),
    xs,
  );
}

/** MemAttr[1:0] of Normal memory that is Write-Back whatever stage 1 says. */
const FORCED_WRITE_BACK = 0b10;

/** AArch64.S2ApplyFWBMemAttrs: MemAttr[2:0] overrides stage 1; MemAttr[3] belongs to FEAT_MTE_PERM and is ignored. */
function applyForcedWriteBack(s1: MemoryAttributes, s2: Stage2Attributes, xs: boolean): MemoryAttributes {
  const low = s2.memAttr & S2_INNER;
  if ((s2.memAttr & S2_NORMAL) === 0) {
    const device = DEVICE_TYPES[low]!;
    return deviceMemory(s1.type === 'device' ? strongerDevice(s1.device, device) : device, xs);
  }
  if (low === 3) {
    return s1.type === 'device'
      ? deviceMemory(s1.device, xs)
      : normalMemory(s1.inner, s1.outer, s1.tagged, xs);
  }
  if (low === FORCED_WRITE_BACK) {
    // Write-Back, with stage 1's hints if it was cacheable.
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

/** MemAttr of NoTagAccess memory: the value without forced Write-Back, and the lowest value with it. Such memory is Write-Back. */
const NO_TAGS = 0b0100;
const FORCED_NO_TAGS = 0b1110;
const WRITE_BACK_MEMORY = 0b1111;

/** The MAIR byte of Tagged memory without tag access. */
const NO_TAG_ACCESS = 0xe0;

/** Only Tagged memory has tags. */
function withoutTagAccess(memory: MemoryAttributes): MemoryAttributes {
  if (memory.type !== 'normal' || !memory.tagged) return memory;
  return { ...memory, noTagAccess: true, byte: NO_TAG_ACCESS };
}

/** How stage 2 takes part: HCR_EL2.FWB, and whether the XS attribute exists. */
export interface CombineControls {
  readonly fwb: boolean;
  readonly xs: boolean;
  /** MemAttr may say NoTagAccess (FEAT_MTE_PERM). */
  readonly tagPermissions: boolean;
}

/** Both stages: S2CombineS1MemAttrs, or forced Write-Back if HCR_EL2.FWB = 1; then the effective shareability. */
export function combineStages(
  s1: MemoryRegion,
  s2: Stage2Attributes,
  controls: CombineControls,
): MemoryRegion {
  const combine = controls.fwb ? applyForcedWriteBack : combineAttributes;
  const noTags =
    controls.tagPermissions && (controls.fwb ? s2.memAttr >= FORCED_NO_TAGS : s2.memAttr === NO_TAGS);
  // Without forced Write-Back this is Write-Back memory whose tags can't be accessed.
  const counted = noTags && !controls.fwb ? { ...s2, memAttr: WRITE_BACK_MEMORY } : s2;
  const both = combine(s1.attributes, counted, !controls.xs || (s1.attributes.xs && !s2.fnXs));
  const known = noTags ? withoutTagAccess(both) : both;
  const attrIndx = unknownIndex(s1.attributes);
  const attributes = attrIndx === undefined || !countsStage1(s2, controls) ? known : unknownMemory(attrIndx);
  const s2Shareability = decodeShareability(s2.sh);
  const either = (wanted: Shareability) => s1.shareability === wanted || s2Shareability === wanted;
  const combined: Shareability = either('outer') ? 'outer' : either('inner') ? 'inner' : 'non';
  if (unknownIndex(attributes) !== undefined) return { attributes, shareability: combined };
  return { attributes, shareability: effectiveShareability(attributes, combined) };
}

/** Whether stage 1 affects the type: always, unless forced Write-Back makes it Normal Write-Back. */
function countsStage1({ memAttr }: Stage2Attributes, { fwb }: CombineControls): boolean {
  return !fwb || (memAttr & S2_NORMAL) === 0 || (memAttr & S2_INNER) !== FORCED_WRITE_BACK;
}
