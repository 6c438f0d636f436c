/** What ESR_ELx[55:32] adds to an abort: that an overlay, dirty state or another rule refused the access. (DDI 0487 D24.2.45 "ISS2".) */
import { isSet } from '../../arch/read.ts';
import { ISS2_DATA, ISS2_INSTRUCTION } from '../../arch/registers/fault.ts';
import { registerOf } from '../register.ts';
import type { RegisterValue } from './decoded-fault.ts';

/** What ISS2 says. */
export interface Iss2 {
  readonly register: RegisterValue;
  /** Why the access was refused, if a bit says. */
  readonly cause: string | undefined;
}

/** Bits [55:32] begin here in ESR_ELx. */
const AT = 32n;

const { Overlay, AssuredOnly, HDBSSF } = ISS2_INSTRUCTION.fields;
const { DirtyBit, TagAccess, TnD, GCS } = ISS2_DATA.fields;
/** The bits that name a reason, the surest first. */
const REASONS = [
  [Overlay, 'Overlay', 'a permission overlay (POR_ELx, by the POIndex of the leaf) takes the right away'],
  [DirtyBit, 'DirtyBit', 'the leaf is writable, but clean, and hardware did not make it dirty'],
  [AssuredOnly, 'AssuredOnly', 'stage 2 lets only an assured translation of stage 1 through (AssuredOnly)'],
  [TagAccess, 'TagAccess', 'the page has the NoTagAccess attribute, and the access was to an allocation tag'],
  [TnD, 'TnD', 'an allocation tag was written to Canonically Tagged memory'],
  [HDBSSF, 'HDBSSF', 'the hardware dirty state tracking structure is full, or could not be written'],
  [GCS, 'GCS', 'the access was to a Guarded Control Stack, whose pages only such accesses write'],
] as const;
/** The names that an instruction abort has as well. */
const OF_FETCHES: readonly string[] = ['Overlay', 'AssuredOnly', 'HDBSSF'];

/** @param esr - 64 bits. Undefined: ISS2 is 0, or the report has 32 bits. */
export function iss2Of(esr: bigint, fetch: boolean): Iss2 | undefined {
  const value = esr >> AT;
  if (value === 0n) return undefined;
  const layout = fetch ? ISS2_INSTRUCTION : ISS2_DATA;
  const reason = REASONS.find(
    ([field, name]) => isSet(value, field) && (!fetch || OF_FETCHES.includes(name)),
  );
  const cause = reason && `ISS2.${reason[1]} is 1: ${reason[2]}`;
  return { register: { layout: registerOf(layout), value }, cause };
}
