/** What a line of an intention wants, as the prot of a map request. What a format can't express is left out, which a verification then tells. */
import type { SecurityState } from '../../arch/security.ts';
import type { WantedMemory, WantedRights, WantedTerms } from '../../verify/intent.ts';
import type { Maker } from './intent-makers.ts';
import type { MemoryTypes } from './memory-types.ts';

const NO_RIGHTS: WantedRights = {};
/** What a line that says nothing of rights is given: those of data. */
const DATA: WantedRights = { read: true, write: true };

function rightsOf({ privileged, unprivileged }: WantedTerms): {
  readonly el1: WantedRights;
  readonly el0: WantedRights;
} {
  const el0 = unprivileged ?? NO_RIGHTS;
  return { el1: privileged ?? (unprivileged === undefined ? DATA : el0), el0 };
}

/** The rights of EL1 and EL0 to execute differ: at stage 2 this needs FEAT_XNX. */
export function executesApart({ privileged, unprivileged }: WantedTerms): boolean {
  return unprivileged?.execute !== undefined && unprivileged.execute !== privileged?.execute;
}

/**
 * @param types - the MAIR that the prot's memory type joins. Undefined: the format has none.
 * @param security - of the accesses.
 */
export function protOf(
  want: WantedTerms,
  maker: Maker,
  types: MemoryTypes | undefined,
  security: SecurityState | undefined,
): object {
  if (maker.prots === 'flags') return flagsOf(want);
  const { memory, shareability } = want;
  const secure = maker.secure || security === 'secure';
  const device = memory?.type === 'device';
  return {
    ...accessOf(want),
    execute: executeOf(want, maker),
    ...(types
      ? { mairIndex: types.indexOf(memory) }
      : device
        ? { device: memory.device ?? 'nGnRE' }
        : { cache: isCached(memory) }),
    ...(shareability !== undefined || !maker.oneShareability
      ? { shareability: shareability ?? (device ? 'outer' : 'inner') }
      : {}),
    ...(types && want.global !== undefined && maker.unprivileged && { global: want.global }),
    ...(types && secure && want.pas === 'non-secure' && { nonSecure: true }),
  };
}

/** Linux's flags. */
function flagsOf(want: WantedTerms): object {
  const { el1, el0 } = rightsOf(want);
  const { memory } = want;
  return {
    ...accessOf(want),
    ...(!el1.execute && !el0.execute && { noexec: true }),
    ...(isCached(memory) && { cache: true }),
    ...(memory?.type === 'device' && { mmio: true }),
  };
}

function accessOf(want: WantedTerms): object {
  const { el1, el0 } = rightsOf(want);
  return {
    read: el1.read !== false || el0.read === true,
    ...((el1.write || el0.write) && { write: true }),
    ...(!el0.read && !el0.write && { priv: true }),
  };
}

function executeOf(want: WantedTerms, maker: Maker): string {
  const { el1, el0 } = rightsOf(want);
  const both = maker.prots === 'stage 2' && want.unprivileged === undefined ? el1 : el0;
  // One XN bit: what EL0 may not read it can't execute either.
  const byAll = both.execute || !maker.unprivileged || (maker.oneXn && !both.read);
  if (el1.execute) return byAll ? 'all' : 'privileged';
  return both.execute ? 'unprivileged' : 'none';
}

function isCached(memory: WantedMemory | undefined): boolean {
  return memory?.type !== 'device' && memory?.inner !== 'non-cacheable';
}
