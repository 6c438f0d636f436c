/** What a command invalidates, from its fields. (IHI 0070 4.3, 4.4; out-of-range parameters: 4.1.7.) */
import { ALL_STREAMS } from '../../arch/smmu/index.ts';
import type { SmmuCommand } from '../commands.ts';
import type { SmmuFeatures } from '../features.ts';
import type { StreamWorld } from '../stream-table-entry.ts';
import type { Invalidation, TlbInvalidation } from './invalidation.ts';

const NOTHING: Invalidation = { kind: 'nothing' };
const EVERY_STREAM = { firstSid: 0, lastSid: 0xffff_ffff };
const BYTE = 0xffn;

/** What the registers say of commands. */
export interface ScopeContext {
  readonly features: SmmuFeatures;
  /** SMMU_CR2.E2H. */
  readonly e2h: boolean;
  /** SMMU_IDR3.RIL: TG, TTL, NUM and SCALE count. */
  readonly ranges: boolean;
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

function tlbInvalidationOf({ name, fields }: SmmuCommand, context: ScopeContext): Invalidation | undefined {
  const { features, e2h } = context;
  const { ASID = 0n, VMID = 0n } = fields;
  if ((!features.asid16 && ASID > BYTE) || (!features.vmid16 && VMID > BYTE)) return NOTHING;
  const [vmid, asid] = [features.stage2 ? Number(VMID) : 0, Number(ASID)];
  const el1 = { ...EVERYTHING, worlds: ['el1'] as StreamWorld[] };
  const el2: StreamWorld = e2h ? 'el2-e2h' : 'el2';
  switch (name) {
    case 'TLBI_NH_ALL':
      return { ...el1, stage: 1, vmid };
    case 'TLBI_NH_ASID':
      return { ...el1, stage: 1, vmid, asid };
    case 'TLBI_NH_VA':
      return byAddress({ ...el1, stage: 1, vmid, asid }, fields, context);
    case 'TLBI_NH_VAA':
      return byAddress({ ...el1, stage: 1, vmid }, fields, context);
    case 'TLBI_S2_IPA':
      return byAddress({ ...el1, stage: 2, vmid }, fields, context);
    case 'TLBI_S12_VMALL':
      return { ...el1, vmid };
    case 'TLBI_NSNH_ALL':
      return el1;
    case 'TLBI_EL2_ALL':
      return { ...EVERYTHING, worlds: ['el2', 'el2-e2h'], stage: 1 };
    case 'TLBI_EL2_ASID':
      return { ...EVERYTHING, worlds: ['el2-e2h'], stage: 1, asid };
    case 'TLBI_EL2_VA':
      return byAddress(
        { ...EVERYTHING, worlds: [el2], stage: 1, asid: e2h ? asid : undefined },
        fields,
        context,
      );
    case 'TLBI_EL2_VAA':
      return byAddress({ ...EVERYTHING, worlds: [el2], stage: 1 }, fields, context);
    default:
      return undefined;
  }
}

const EVERYTHING: TlbInvalidation = {
  kind: 'tlb',
  worlds: [],
  stage: 'both',
  vmid: undefined,
  asid: undefined,
  addresses: undefined,
  leafOnly: false,
  granuleLog2: undefined,
  level: undefined,
};

const PAGE_LOG2 = 12;
/** TG by value: log2 of the granule. */
const GRANULES = [undefined, 12, 14, 16] as const;

/** A command with an address: one address, or with TG a range of granules, of one level where TTL says so. (4.4.1.1.) */
function byAddress(
  scope: TlbInvalidation,
  { Address = 0n, Leaf = 0n, TG = 0n, TTL = 0n, NUM = 0n, SCALE = 0n }: SmmuCommand['fields'],
  { features, ranges }: ScopeContext,
): Invalidation {
  const leafOnly = Leaf === 1n;
  const granuleLog2 = ranges ? GRANULES[Number(TG)] : undefined;
  if (granuleLog2 === undefined) {
    return {
      ...scope,
      leafOnly,
      addresses: { first: Address, last: Address + (1n << BigInt(PAGE_LOG2)) - 1n },
    };
  }
  // Level 1 of 16K has blocks with 52-bit addresses alone; otherwise TTL counts as 0.
  const reserved = granuleLog2 === 14 && TTL === 1n && !features.cpu.lpa2;
  const level = TTL === 0n || reserved ? undefined : Number(TTL);
  const unitLog2 = BigInt(granuleLog2 + (3 - (level ?? 3)) * (granuleLog2 - 3));
  // Which entries go is UNPREDICTABLE where the address is not aligned to an entry of the level.
  if (Address % (1n << unitLog2) !== 0n) return NOTHING;
  const bytes = ((NUM + 1n) << SCALE) << BigInt(granuleLog2);
  return {
    ...scope,
    leafOnly,
    granuleLog2,
    level,
    addresses: { first: Address, last: Address + bytes - 1n },
  };
}
