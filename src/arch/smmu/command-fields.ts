/** What commands of an SMMUv3 have in common: the fields that several of them have, and how a command is declared. (IHI 0070 G.b, 4.1.6, 4.4.1.) */
import { bit, bits, type FieldDeclaration } from '../field.ts';
import { NO_YES } from '../registers/values.ts';

/**
 * What a command is CERROR_ILL without: fields of SMMU_IDR0 and SMMU_IDR3 that are 0, `stalls` where IDR0.STALL_MODEL is 0b01, and the
 * Secure programming interface, with EL3, Secure EL2 or Secure stage 2.
 */
export type CommandNeed = 'S1P' | 'S2P' | 'Hyp' | 'ATS' | 'PRI' | 'MPAM' | 'DPT' | 'stalls' | 'Secure';

/** A command. */
export interface CommandTraits<Field extends string = string> {
  readonly opcode: number;
  /** Of IHI 0070. */
  readonly section: string;
  /** What it does, in a few words. */
  readonly title: string;
  readonly needs: readonly CommandNeed[];
  /** From bit 127 down. */
  readonly fields: Readonly<Record<Field, FieldDeclaration>>;
}

export const RANGE = 'SMMU_IDR3.RIL';
export const StreamID = bits(63, 32, 'the stream');
export const SubstreamID = bits(31, 12, 'the PASID; meaningful with SSV = 1');
export const SSV = bit(11, 'a SubstreamID is given', NO_YES);
export const SSec = bit(10, 'the StreamID is', ['Non-secure', 'Secure: CERROR_ILL in the Non-secure queue']);
export const VMID = bits(47, 32, 'virtual machine of the entries');
export const ASID = bits(63, 48, 'address space of the entries');
export const Leaf = bit(64, 'entries', [
  'of all levels',
  'only of the last level; table descriptors may stay',
]);
export const LeafL1 = (descriptor: string) =>
  bit(64, 'what is invalidated', [`${descriptor}s that lead there too`, `${descriptor}s may stay`]);
export const VA = bits(127, 76, 'virtual address', { name: 'Address[63:12]', address: 12 });
export const IPA = bits(119, 76, 'intermediate physical address', { name: 'Address[55:12]', address: 12 });
export const NS = bit(65, 'the address is in the IPA space that is', ['Secure', 'Non-secure']);

/** Of all commands by address. (4.4.1.1.) */
export const LEVEL_HINT = {
  TG: bits(75, 74, 'granule of the entries', {
    values: ['any; no range, and TTL is not used', '4K', '16K', '64K'],
    feature: RANGE,
  }),
  TTL: bits(73, 72, 'level of the leaf entries', {
    values: ['any', 'level 1', 'level 2', 'level 3'],
    feature: RANGE,
  }),
  TTL128: bit(71, 'TTL is about descriptors of', { values: ['64 bits', '128 bits'], feature: RANGE }),
} as const;
export const SPAN = {
  SCALE: bits(25, 20, 'the range is (NUM + 1) * 2^SCALE granules', { feature: RANGE }),
  NUM: bits(16, 12, 'the range is (NUM + 1) * 2^SCALE granules', { feature: RANGE }),
} as const;

export function command<Field extends string = never>(
  opcode: number,
  section: string,
  title: string,
  needs: readonly CommandNeed[] = [],
  fields = {} as Readonly<Record<Field, FieldDeclaration>>,
): CommandTraits<Field> {
  return { opcode, section, title, needs, fields };
}
