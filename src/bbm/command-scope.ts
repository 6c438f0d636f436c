/** Which entries a command of an SMMUv3 removes, as a scope of the TLB. (IHI 0070 G.b, 4.4.) */
import { traitsOf } from '../arch/regimes.ts';
import { type CommandWords, decodeCommand, type SmmuCommand } from '../smmu/commands.ts';
import type { Scope } from '../tlb/index.ts';
import { ADDRESS_BITS } from '../tlb/scope.ts';
import type { TableSpace } from './context.ts';
import type { StepScope } from './step-scope.ts';

const NOTHING: StepScope = { own: undefined, combined: 'none' };
const GRANULES = [undefined, 12, 14, 16] as const;
const MOST_SCALE = 39;
const LAST = 2n ** BigInt(ADDRESS_BITS) - 1n;

/** Prefetches, configuration and CMD_SYNC remove no TLB entry. */
export function commandScope(words: CommandWords, space: TableSpace): StepScope {
  const command = decodeCommand(words);
  const own = tlbScope(command, space);
  if (own === undefined) return NOTHING;
  const everyAddress = own.from === undefined && own.asid === undefined;
  return { own, combined: everyAddress && own.stages !== 'stage2' ? 'all' : 'none' };
}

function tlbScope({ name, fields }: SmmuCommand, space: TableSpace): Scope | undefined {
  const vmid = Number(fields.VMID ?? 0n);
  const asid = Number(fields.ASID ?? 0n);
  const host = traitsOf(space.regime).unprivileged ? 'el2&0' : 'el2';
  const guest = { regime: 'el1&0', vmid } as const;
  switch (name) {
    case 'TLBI_NH_ALL':
      return { ...guest, stages: 'stage1' };
    case 'TLBI_NH_ASID':
      return { ...guest, stages: 'stage1', asid };
    case 'TLBI_NH_VA':
      return { ...guest, stages: 'stage1', asid, global: true, ...addressesOf(fields) };
    case 'TLBI_NH_VAA':
      return { ...guest, stages: 'stage1', ...addressesOf(fields) };
    case 'TLBI_S12_VMALL':
      return { ...guest, stages: 'both' };
    case 'TLBI_S2_IPA':
      return { ...guest, stages: 'stage2', ...addressesOf(fields) };
    case 'TLBI_NSNH_ALL':
      return { regime: 'el1&0', stages: 'both' };
    case 'TLBI_EL2_ALL':
      return { regime: host, stages: 'both' };
    case 'TLBI_EL2_ASID':
      return { regime: 'el2&0', stages: 'both', asid };
    case 'TLBI_EL2_VA':
      // Without E2H there are no ASIDs.
      return {
        regime: host,
        stages: 'both',
        ...(host === 'el2&0' && { asid, global: true }),
        ...addressesOf(fields),
      };
    case 'TLBI_EL2_VAA':
      return { regime: host, stages: 'both', ...addressesOf(fields) };
    case 'TLBI_EL3_ALL':
      return { regime: 'el3', stages: 'both' };
    case 'TLBI_EL3_VA':
      return { regime: 'el3', stages: 'both', ...addressesOf(fields) };
    default:
      return undefined;
  }
}

/** One address, or (NUM + 1) * 2^SCALE granules; and what TG, TTL and Leaf leave out. (4.4.1.1.) */
function addressesOf(
  fields: SmmuCommand['fields'],
): Pick<Scope, 'from' | 'last' | 'granuleLog2' | 'level' | 'lastLevel'> {
  const { Address = 0n, Leaf = 0n, TG = 0n, TTL = 0n, NUM = 0n, SCALE = 0n } = fields;
  const from = BigInt.asUintN(ADDRESS_BITS, Address);
  const leaf = Leaf === 1n ? { lastLevel: true } : {};
  const granuleLog2 = GRANULES[Number(TG)];
  if (granuleLog2 === undefined) return { from, last: from, ...leaf };
  const scale = SCALE > MOST_SCALE ? MOST_SCALE : Number(SCALE);
  const end = from + ((NUM + 1n) << BigInt(scale + granuleLog2)) - 1n;
  // Level 1 of 16K tables needs SMMU_IDR5.DS; without it the value counts as 0. Taken as the narrower one here.
  const level = TTL === 0n ? {} : { level: Number(TTL) };
  return { from, last: end < LAST ? end : LAST, granuleLog2, ...level, ...leaf };
}
