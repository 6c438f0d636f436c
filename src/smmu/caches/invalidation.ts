/** What an invalidation command is for: the scopes of CMD_CFGI_* and CMD_TLBI_*, and whether they reach an entry. (IHI 0070 4.3, 4.4.) */
import type { StreamWorld } from '../stream-table-entry.ts';

/** CMD_CFGI_*: the cached configuration of StreamIDs. */
export interface ConfigurationInvalidation {
  readonly kind: 'configuration';
  readonly firstSid: number;
  readonly lastSid: number;
  /** STEs, with all CDs that were found through them; or only CDs. */
  readonly of: 'ste' | 'cd';
  /** The only CD of the table that is meant. Undefined: all. */
  readonly substream: number | undefined;
  /** Level 1 descriptors may stay. */
  readonly leafOnly: boolean;
}

/** The owner of TLB entries: a StreamWorld of Non-secure streams, or EL3. (3.3.3.) */
export type TlbWorld = StreamWorld | 'el3';

/** CMD_TLBI_*: TLB entries by their tags. An undefined member sets no limit. */
export interface TlbInvalidation {
  readonly kind: 'tlb';
  readonly worlds: readonly TlbWorld[];
  /** Entries of stage 1 (and those that combine both stages), only of stage 2, or all. */
  readonly stage: 1 | 2 | 'both';
  readonly vmid: number | undefined;
  /** How many low bits of the VMID do not count. (3.17.6.) */
  readonly wildcard: number;
  readonly asid: number | undefined;
  /** The addresses, inclusive: VAs for stage 1, IPAs for stage 2. */
  readonly addresses: { readonly first: bigint; readonly last: bigint } | undefined;
  /** Table descriptors may stay. */
  readonly leafOnly: boolean;
  /** TG: only entries of this granule. */
  readonly granuleLog2: number | undefined;
  /** TTL: only leaf entries of this level, and tables above it. */
  readonly level: number | undefined;
}

/** CMD_ATC_INV: translations in a device's own cache. (4.5.1.) */
export interface AtcInvalidation {
  readonly kind: 'atc';
  readonly streamId: number;
  /** The PASID of the requests that filled it. Undefined (SSV = 0): those without one. */
  readonly substream: number | undefined;
  /** With a PASID: those of every PASID. */
  readonly global: boolean;
  /** The addresses, inclusive. */
  readonly first: bigint;
  readonly last: bigint;
}

/** No entry has to go, as where a parameter is out of range. */
export interface NoInvalidation {
  readonly kind: 'nothing';
  /** With the section. */
  readonly why?: string;
}

export type Invalidation = ConfigurationInvalidation | TlbInvalidation | NoInvalidation | AtcInvalidation;

/** The tags of a TLB entry. (3.17.) */
export interface TlbTags {
  readonly world: StreamWorld;
  readonly stage: 1 | 2;
  readonly vmid: number;
  /** Undefined: global, or of stage 2. */
  readonly asid: number | undefined;
  readonly granuleLog2: number;
  /** -1 to 3; below the first level: the start of a walk. */
  readonly level: number;
  readonly leaf: boolean;
  /** The input addresses that it translates, or that its table does. */
  readonly first: bigint;
  readonly last: bigint;
}

/** Whether a TLBI has to remove an entry. */
export function coversTlb(invalidation: Invalidation, entry: TlbTags): boolean {
  if (invalidation.kind !== 'tlb') return false;
  const { worlds, stage, vmid, wildcard, asid, addresses, leafOnly, granuleLog2, level } = invalidation;
  if (!worlds.includes(entry.world) || (stage !== 'both' && stage !== entry.stage)) return false;
  if (vmid !== undefined && vmid >> wildcard !== entry.vmid >> wildcard) return false;
  if (asid !== undefined && asid !== entry.asid) {
    // By address the ASID of a global entry does not count; by ASID alone global entries stay.
    if (addresses === undefined || entry.asid !== undefined) return false;
  }
  if (addresses !== undefined && (entry.last < addresses.first || entry.first > addresses.last)) return false;
  if (leafOnly && !entry.leaf) return false;
  if (granuleLog2 !== undefined && granuleLog2 !== entry.granuleLog2) return false;
  return level === undefined || (entry.leaf ? entry.level === level : entry.level < level);
}

/** Whether a CFGI has to remove what is cached for a StreamID. */
export function coversStream(
  invalidation: Invalidation,
  streamId: number,
): invalidation is ConfigurationInvalidation {
  return (
    invalidation.kind === 'configuration' &&
    invalidation.firstSid <= streamId &&
    streamId <= invalidation.lastSid
  );
}
