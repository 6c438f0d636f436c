/** The place of a descriptor: all that decides which of its bits mean what. */

export type EntryKind = 'invalid' | 'table' | 'block' | 'page';

/** `long`: VMSAv8-64 and AArch32 long descriptors; `mtk`: short ones with the address bits of a MediaTek M4U. */
export type DescriptorFormat = 'long' | 'short' | 'mtk' | 'mali' | 'riscv';

/** The Security states that descriptors tell apart. */
export type DescriptorSecurity = 'non-secure' | 'secure' | 'realm' | 'root';

/** Where a descriptor stands, and what is known of who reads it. */
export interface DescriptorPlace {
  /** Default `long`. */
  readonly format?: DescriptorFormat;
  readonly kind: EntryKind;
  readonly stage: 1 | 2;
  /** Arm's level, -1 to 3. */
  readonly level: number;
  /** 12, 14 or 16. */
  readonly granuleLog2: number;
  /** An entry of a supersection, a large page, or a range of RISC-V's Svnapot. Default false. */
  readonly run?: boolean;
  /** TCR.DS or VTCR.DS: output addresses of 52 bits with 4K and 16K. Default false. */
  readonly ds?: boolean;
  /** The regime is AArch32's. Default false. */
  readonly aarch32?: boolean;
  /** The regime has unprivileged accesses. Default: not known; fields are then those of a regime that has. */
  readonly twoPrivileges?: boolean;
  /** Stage 1 of EL1&0 with HCR_EL2.{NV, NV1} = {1, 1}: the tables of a guest hypervisor. Default false. */
  readonly nv1?: boolean;
  /** The exception level whose regime it is. Default: not known; fields that depend on it are there. */
  readonly el?: 1 | 2 | 3;
  /** Stage 1: permissions of table descriptors count (TCR.HPDn = 0). Default true. */
  readonly hierarchical?: boolean;
  /** Short descriptors: AP[0] is the access flag (SCTLR.AFE). Default true. */
  readonly afe?: boolean;
  /** Default: not known; fields of any but Root state are there. */
  readonly security?: DescriptorSecurity;
  /** Features that are implemented and in use. Default: {@link USUAL_FEATURES}. */
  readonly features?: Iterable<string>;
}

/** A place with its defaults. */
export interface DescriptorContext extends Omit<DescriptorPlace, 'features'> {
  readonly format: DescriptorFormat;
  readonly features: ReadonlySet<string>;
}

/** Fields of these are taken to mean something where nothing is known of the machine. */
export const USUAL_FEATURES: ReadonlySet<string> = new Set([
  'FEAT_BBM',
  'FEAT_BTI',
  'FEAT_HPDS2',
  'FEAT_LPA',
  'FEAT_XNX',
  'FEAT_XS',
]);

/** A place's features: the usual ones and those that registers turn on, some of which may be absent. Nothing where there are none. */
export function featuresInUse(turnedOn: readonly (string | false)[]): Pick<DescriptorPlace, 'features'> {
  const found = turnedOn.filter((one) => one !== false);
  return found.length === 0 ? {} : { features: [...USUAL_FEATURES, ...found] };
}

export function contextOf(place: DescriptorPlace): DescriptorContext {
  const { format = 'long', features } = place;
  return { ...place, format, features: features === undefined ? USUAL_FEATURES : new Set(features) };
}
