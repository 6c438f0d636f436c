/** What a command invalidates, from its fields. Devices and traces of break-before-make both ask here. (IHI 0070 4.3, 4.4; out-of-range parameters: 4.1.7.) */
import { ALL_STREAMS } from '../../arch/smmu/index.ts';
import { hex } from '../../memory/hex.ts';
import type { SmmuCommand } from '../commands.ts';
import type { Invalidation, NoInvalidation, TlbInvalidation, TlbWorld } from './invalidation.ts';

const nothing = (why: string): NoInvalidation => ({ kind: 'nothing', why });
const EVERY_STREAM = { firstSid: 0, lastSid: 0xffff_ffff };
const BYTE = 0xffn;

/** The register values that commands depend on. */
export interface ScopeContext {
  /** SMMU_IDR0.ASID16, VMID16: 16 bits, not 8. */
  readonly asid16: boolean;
  readonly vmid16: boolean;
  /** SMMU_IDR0.S2P: entries have VMIDs. */
  readonly stage2: boolean;
  /** SMMU_IDR5.DS: level 1 of 16K has blocks, and SCALE has 6 bits. */
  readonly ds: boolean;
  /** SMMU_IDR3.RIL: TG, TTL, NUM and SCALE count. */
  readonly ranges: boolean;
  /** SMMU_CR2.E2H. */
  readonly e2h: boolean;
  /** SMMU_CR0.VMW: how many low bits of a VMID do not count. */
  readonly wildcard: number;
}

/** Values above are Reserved, and count as 0. (6.3.9.) */
const MOST_WILDCARD = 4;

/** How many low bits of a VMID do not count, by SMMU_CR0.VMW. */
export function wildcardBits(vmw: number): number {
  return vmw > MOST_WILDCARD ? 0 : vmw;
}

/** What a command has to invalidate at least. Undefined: it invalidates neither configuration nor TLB entries. */
export function invalidationOf(
  { name, fields }: SmmuCommand,
  context: ScopeContext,
): Invalidation | undefined {
  const { StreamID = 0n, SubstreamID = 0n, Leaf = 0n, Range = 0n } = fields;
  const leafOnly = Leaf === 1n;
  const sid = Number(StreamID);
  const one = { firstSid: sid, lastSid: sid };
  switch (name) {
    case 'CFGI_STE':
      return { kind: 'configuration', ...one, of: 'ste', substream: undefined, leafOnly };
    case 'CFGI_STE_RANGE':
      return {
        kind: 'configuration',
        ...streams(sid, Number(Range)),
        of: 'ste',
        substream: undefined,
        leafOnly: false,
      };
    case 'CFGI_CD':
      return { kind: 'configuration', ...one, of: 'cd', substream: Number(SubstreamID), leafOnly };
    case 'CFGI_CD_ALL':
      return { kind: 'configuration', ...one, of: 'cd', substream: undefined, leafOnly: false };
    case 'ATC_INV':
      return atcInvalidationOf(fields);
    default:
      return tlbInvalidationOf({ name, fields } as SmmuCommand, context);
  }
}

/** The aligned group of 2^(Range+1) StreamIDs. (4.3.2.) */
function streams(sid: number, range: number): { readonly firstSid: number; readonly lastSid: number } {
  if (range === ALL_STREAMS) return EVERY_STREAM;
  const count = 2 ** (range + 1);
  const firstSid = Math.floor(sid / count) * count;
  return { firstSid, lastSid: firstSid + count - 1 };
}

/** CMD_ATC_INV.Size of the whole address space; above, which span is meant is UNKNOWN. (4.5.1.) */
const WHOLE_SPAN = 52n;
const PAGE_BYTES = 0x1000n;

/** The span of 4096 * 2^Size bytes, aligned to its size. (4.5.1.) */
function atcInvalidationOf({
  StreamID = 0n,
  SubstreamID = 0n,
  SSV = 0n,
  Global = 0n,
  Address = 0n,
  Size = 0n,
}: SmmuCommand['fields']): Invalidation {
  if (Size > WHOLE_SPAN)
    return nothing(`CMD_ATC_INV.Size = ${Size} is above ${WHOLE_SPAN}: the span is UNKNOWN (4.5.1)`);
  const bytes = PAGE_BYTES << Size;
  const first = Address - (Address % bytes);
  return {
    kind: 'atc',
    streamId: Number(StreamID),
    substream: SSV === 1n ? Number(SubstreamID) : undefined,
    global: Global === 1n,
    first,
    last: first + bytes - 1n,
  };
}

function tlbInvalidationOf({ name, fields }: SmmuCommand, context: ScopeContext): Invalidation | undefined {
  const { stage2, e2h, wildcard } = context;
  const { ASID = 0n, VMID = 0n } = fields;
  const scope = scopeOf();
  if (scope === undefined) return undefined;
  const why = outOfRange(ASID, VMID, context);
  if (why !== undefined) return nothing(why);
  return 'Address' in fields ? byAddress(scope, fields, context) : scope;

  function scopeOf(): TlbInvalidation | undefined {
    const [vmid, asid] = [stage2 ? Number(VMID) : 0, Number(ASID)];
    const el1 = { ...EVERYTHING, worlds: ['el1'] as const };
    const guest = { ...el1, vmid, wildcard };
    const host: TlbWorld = e2h ? 'el2-e2h' : 'el2';
    const el2 = { ...EVERYTHING, worlds: [host], stage: 1 } as const;
    switch (name) {
      case 'TLBI_NH_ALL':
      case 'TLBI_NH_VAA':
        return { ...guest, stage: 1 };
      case 'TLBI_NH_ASID':
      case 'TLBI_NH_VA':
        return { ...guest, stage: 1, asid };
      case 'TLBI_S2_IPA':
        return { ...guest, stage: 2 };
      case 'TLBI_S12_VMALL':
        return guest;
      case 'TLBI_NSNH_ALL':
        return el1;
      case 'TLBI_EL2_ALL':
        return { ...el2, worlds: ['el2', 'el2-e2h'] };
      case 'TLBI_EL2_ASID':
        return { ...el2, worlds: ['el2-e2h'], asid };
      case 'TLBI_EL2_VA':
        // Without E2H there are no ASIDs.
        return { ...el2, asid: e2h ? asid : undefined };
      case 'TLBI_EL2_VAA':
        return el2;
      case 'TLBI_EL3_ALL':
      case 'TLBI_EL3_VA':
        return { ...el2, worlds: ['el3'] };
      default:
        return undefined;
    }
  }
}

/** Why an ASID or VMID can't be that of an entry. (4.4, 4.4.2.) */
function outOfRange(
  asid: bigint,
  vmid: bigint,
  { asid16, vmid16, stage2 }: ScopeContext,
): string | undefined {
  if (!asid16 && asid > BYTE) return `ASID ${hex(asid)} has more than 8 bits, and SMMU_IDR0.ASID16 = 0 (4.4)`;
  if (!stage2 && vmid !== 0n) return `VMID ${hex(vmid)} is not 0, and SMMU_IDR0.S2P = 0 (4.4.2)`;
  if (!vmid16 && vmid > BYTE) return `VMID ${hex(vmid)} has more than 8 bits, and SMMU_IDR0.VMID16 = 0 (4.4)`;
  return undefined;
}

const EVERYTHING: TlbInvalidation = {
  kind: 'tlb',
  worlds: [],
  stage: 'both',
  vmid: undefined,
  wildcard: 0,
  asid: undefined,
  addresses: undefined,
  leafOnly: false,
  granuleLog2: undefined,
  level: undefined,
};

const PAGE_LOG2 = 12n;
/** TG by value: log2 of the granule. */
const GRANULES = [undefined, 12, 14, 16] as const;

/** SCALE counts up to this, and without SMMU_IDR5.DS has 5 bits. */
const MOST_SCALE = 39n;
const SCALE_WITHOUT_DS = 0x1fn;

/** Why TG without a range or a level is CERROR_ILL, if a command has that. (4.4.1.1.) */
export function reservedRange(
  { TG = 0n, TTL = 0n, NUM = 0n, SCALE = 0n }: SmmuCommand['fields'],
  { ds, ranges }: Pick<ScopeContext, 'ds' | 'ranges'>,
): string | undefined {
  if (!ranges || TG === 0n || NUM !== 0n || SCALE !== 0n) return undefined;
  if (TTL !== 0n && !isReservedLevel(TG, TTL, ds)) return undefined;
  return `TG = ${TG} with NUM = SCALE = TTL = 0 is Reserved`;
}

/** Level 1 of 16K, which counts as TTL = 0. */
const isReservedLevel = (tg: bigint, ttl: bigint, ds: boolean) => tg === 2n && ttl === 1n && !ds;

/** A command with an address: one address, or with TG a range of granules, of one level where TTL says so. (4.4.1.1.) */
function byAddress(
  scope: TlbInvalidation,
  fields: SmmuCommand['fields'],
  { ds, ranges }: ScopeContext,
): Invalidation {
  const { Address = 0n, Leaf = 0n, TG = 0n, TTL = 0n, TTL128 = 0n, NUM = 0n, SCALE = 0n } = fields;
  const leafOnly = Leaf === 1n;
  const granuleLog2 = ranges ? GRANULES[Number(TG)] : undefined;
  if (granuleLog2 === undefined) {
    return { ...scope, leafOnly, addresses: { first: Address, last: Address + (1n << PAGE_LOG2) - 1n } };
  }
  const reserved = reservedRange(fields, { ds, ranges });
  if (reserved !== undefined) return nothing(`${reserved}, CERROR_ILL (4.4.1.1)`);
  const level = TTL === 0n || isReservedLevel(TG, TTL, ds) ? undefined : Number(TTL);
  if (level !== undefined && TTL128 === 1n) {
    return nothing('TTL128 = 1 names descriptors of 128 bits, and these tables have 64 (4.4.1.1)');
  }
  const unitLog2 = granuleLog2 + (3 - (level ?? 3)) * (granuleLog2 - 3);
  if (Address % (1n << BigInt(unitLog2)) !== 0n) {
    return nothing(
      `${hex(Address)} is not aligned to ${hex(1n << BigInt(unitLog2))}, the size of a leaf of level ${level ?? 3}: which addresses are invalidated is UNPREDICTABLE (4.4.1.1)`,
    );
  }
  const scale = ds ? (SCALE > MOST_SCALE ? MOST_SCALE : SCALE) : SCALE & SCALE_WITHOUT_DS;
  const bytes = ((NUM + 1n) << scale) << BigInt(granuleLog2);
  return {
    ...scope,
    leafOnly,
    granuleLog2,
    level,
    addresses: { first: Address, last: Address + bytes - 1n },
  };
}
