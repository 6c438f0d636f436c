/** A stage 1 that is off, or not part of the regime: a flat map with default attributes. (DDI 0487 D8.2.11; J1.1 AArch64.S1DisabledOutput.) */
import { highMask } from '../arch/read.ts';
import { VA } from '../arch/registers/address.ts';
import type { PaSpace } from '../arch/security.ts';
import { type MemoryRegion, STAGE1_OFF_DATA, STAGE1_OFF_FETCH } from './attributes.ts';
import { POW2 } from './bits.ts';
import type { InputAddress, S1Output, S1Request } from './first-stage.ts';
import type { StageFault } from './lookup.ts';
import type { Fault } from './types.ts';

/** VA[55], and the bits below the top byte, in the upper half. */
const UPPER = highMask(VA.fields.range);
const UNTAGGED = highMask(VA.fields.untagged);

export interface FlatMapping {
  /** Input addresses must be below 2^inputBits; `beyond` is the fault for a larger one. */
  readonly inputBits: number;
  readonly beyond: Fault;
  /** Whether the top byte is ignored, by VA[55] and whether the access is a fetch. */
  topByteIgnored(upper: boolean, fetch: boolean): boolean;
  /** HCR.DC: the default attributes of all memory. */
  readonly region?: MemoryRegion;
  readonly permissions: number;
  /** The state's own address space. */
  readonly space: PaSpace;
}

export function flatTranslate(
  mapping: FlatMapping,
  ia: InputAddress,
  request: S1Request,
): S1Output | StageFault {
  const fetch = request.access === 'execute';
  const ignored = mapping.topByteIgnored((ia.hi & UPPER) !== 0, fetch);
  const high = ignored ? ia.hi & UNTAGGED : ia.hi;
  const oa = high * POW2[32]! + ia.lo;
  if (oa >= POW2[mapping.inputBits]!) return { ok: false, fault: mapping.beyond };
  return {
    ok: true,
    oa,
    level: undefined,
    sizeLog2: mapping.inputBits,
    permissions: mapping.permissions,
    region: mapping.region ?? (fetch ? STAGE1_OFF_FETCH : STAGE1_OFF_DATA),
    global: true,
    contiguous: false,
    nT: false,
    guarded: false,
    space: mapping.space,
  };
}
