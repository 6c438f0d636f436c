/** Describes granule protection checks: the contents of GPCCR_EL3, GPTBR_EL3 and GPCBW_EL3. (FEAT_RME; DDI 0487 D9, D24.2.55 to D24.2.57.) */
import type { PaSpace } from '../arch/security.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import { type BypassWindow, gptParams } from '../walker/params/granule-protection.ts';
import type { Values } from '../walker/register-values.ts';
import { GPC_RULES } from '../walker/rules/granule-protection.ts';
import { problemsOf, type RegisterProblem } from '../walker/rules/rule.ts';

/** The checks of every access of the PE, and the table that they use. */
export interface GranuleProtectionDescription {
  readonly gpccr: bigint;
  readonly gptbr: bigint;
  /** The registers are invalid, so every access gives a GPT walk fault. */
  readonly invalid: boolean;
  /** Addresses below 2^protectedBits have an entry. Above, Non-secure accesses pass, or (`allBeyond`) all accesses. */
  readonly protectedBits: number;
  readonly allBeyond: boolean;
  /** log2 of the bytes that a level 0 entry covers, and of the granule. */
  readonly entryBits: number;
  readonly granuleLog2: number;
  /** Physical address of the level 0 table, in Root memory, and its entries. */
  readonly tableBase: bigint;
  readonly entries: number;
  /** Address spaces that no access reaches, whatever the table says. */
  readonly denied: readonly PaSpace[];
  readonly window?: BypassWindow;
  readonly problems: readonly RegisterProblem[];
}

/** Undefined if checks are off. */
export function describeGranuleProtection(
  { gpccr, gptbr, gpcbw }: Pick<Values, 'gpccr' | 'gptbr' | 'gpcbw'>,
  cpu: CpuFeatures,
): GranuleProtectionDescription | undefined {
  const subject = { gpccr, gptbr, gpcbw, cpu };
  const params = gptParams(subject);
  if (params === undefined) return undefined;
  const { invalid, ppsLog2, l0Log2, granuleLog2, tableBase, denied, allBeyond, window } = params;
  return {
    gpccr,
    gptbr,
    invalid,
    protectedBits: ppsLog2,
    allBeyond,
    entryBits: l0Log2,
    granuleLog2,
    tableBase: BigInt(tableBase),
    entries: 2 ** Math.max(0, ppsLog2 - l0Log2),
    denied,
    ...(window && { window }),
    problems: problemsOf(GPC_RULES, subject, undefined),
  };
}
