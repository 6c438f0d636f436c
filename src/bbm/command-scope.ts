/** Which entries a command of an SMMUv3 removes, as a scope of the TLB. (IHI 0070 G.b, 4.4.) */
import { traitsOf } from '../arch/regimes.ts';
import type { TlbInvalidation, TlbWorld } from '../smmu/caches/invalidation.ts';
import { invalidationOf, type ScopeContext } from '../smmu/caches/scopes.ts';
import { type CommandWords, decodeCommand } from '../smmu/commands.ts';
import type { Scope, TranslationRegime } from '../tlb/index.ts';
import { ADDRESS_BITS } from '../tlb/scope.ts';
import type { TableSpace } from './context.ts';
import { combinedOf, type StepScope } from './step-scope.ts';

const NOTHING: StepScope = { own: undefined, combined: 'none' };
const REGIMES: Readonly<Record<TlbWorld, TranslationRegime>> = {
  el1: 'el1&0',
  el2: 'el2',
  'el2-e2h': 'el2&0',
  el3: 'el3',
};
const STAGES = { 1: 'stage1', 2: 'stage2', both: 'both' } as const;

/** Prefetches, configuration and CMD_SYNC remove no TLB entry. */
export function commandScope(words: CommandWords, space: TableSpace): StepScope {
  const invalidation = invalidationOf(decodeCommand(words), contextOf(space));
  if (invalidation?.kind === 'nothing') return { ...NOTHING, ...invalidation };
  if (invalidation?.kind !== 'tlb') return NOTHING;
  const own = tlbScope(invalidation, space);
  return { own, combined: combinedOf(own, space) };
}

/** An SMMU that has everything which the tables don't decide. */
function contextOf({ regime, ds }: TableSpace): ScopeContext {
  const e2h = traitsOf(regime).unprivileged;
  return { asid16: true, vmid16: true, stage2: true, ds, ranges: true, e2h, wildcard: 0 };
}

function tlbScope(
  { worlds, stage, vmid, asid, addresses, leafOnly, granuleLog2, level }: TlbInvalidation,
  { regime }: TableSpace,
): Scope {
  const regimes = worlds.map((world) => REGIMES[world]);
  return {
    regime: regimes.find((one) => one === regime) ?? regimes[0]!,
    stages: STAGES[stage],
    ...(vmid !== undefined && { vmid }),
    ...(asid !== undefined && { asid, ...(addresses && { global: true }) }),
    ...(addresses && inAddressBits(addresses)),
    ...(leafOnly && { lastLevel: true }),
    ...(granuleLog2 !== undefined && { granuleLog2 }),
    ...(level !== undefined && { level }),
  };
}

/** A range does not go on from one half of the addresses into the other. (4.4.1.1.) */
function inAddressBits({ first, last }: NonNullable<TlbInvalidation['addresses']>) {
  const from = BigInt.asUintN(ADDRESS_BITS, first);
  const half = 1n << BigInt(ADDRESS_BITS - 1);
  const [end, most] = [from + last - first, (from < half ? half : 2n * half) - 1n];
  return { from, last: end < most ? end : most };
}
