/**
 * TLB maintenance instructions by name: turns `TLBI <operation>, Xt` into the scope of entries that have to go.
 * (DDI 0487 D8.17.5, scope rules in D8.17.5.4; IHI 0070 4.4 for the SMMU's commands.)
 *
 * SMMU commands have the same scopes as instructions, but name the VMID that an instruction takes from VTTBR_EL2:
 *
 *     CMD_TLBI_NH_ALL      VMALLE1      CMD_TLBI_EL2_ALL   ALLE2       CMD_TLBI_S2_IPA     IPAS2{L}E1
 *     CMD_TLBI_NH_ASID     ASIDE1       CMD_TLBI_EL2_VA    VA{L}E2     CMD_TLBI_S12_VMALL  VMALLS12E1
 *     CMD_TLBI_NH_VA       VA{L}E1      CMD_TLBI_EL2_VAA   VAA{L}E1    CMD_TLBI_NSNH_ALL   ALLE1
 *     CMD_TLBI_NH_VAA      VAA{L}E1     CMD_TLBI_EL2_ASID  ASIDE1      CMD_TLBI_EL3_ALL, EL3_VA  ALLE3, VA{L}E3
 *
 * (EL2_VAA and EL2_ASID match instructions executed with HCR_EL2.{E2H, TGE} = {1, 1}. Leaf = 1 is L. A command with TG is a range
 * operation of (NUM + 1) * 2^SCALE granules.) A {@link Scope} can describe each of them directly.
 */
import { isSet } from '../arch/read.ts';
import { traitsOf } from '../arch/regimes.ts';
import { TLBI_IPA } from '../arch/registers/tlbi.ts';
import type { PaSpace } from '../arch/security.ts';
import type { TlbContext, TranslationRegime } from './context.ts';
import { decodeAddressOperand, decodeRangeOperand, type LeafHint } from './operands.ts';
import type { Scope } from './scope.ts';

type Shareability = '' | 'IS' | 'OS';
type Range = '' | 'R';
type LastLevel = '' | 'L';
/** With NXS, it is IMPLEMENTATION SPECIFIC whether entries whose XS attribute is 1 go. */
type Qualifier = '' | 'NXS';

/** Operations on cached granule protection tables. (DDI 0487 D9.5.) */
type GptOperation = 'PAALL' | 'PAALLOS' | 'RPAOS' | 'RPALOS';

/** Operations by their architectural names. IS and OS operations are broadcast, which makes no difference to one TLB. */
export type TlbiOperation =
  | `${`ALLE${1 | 2 | 3}` | 'VMALLE1' | 'VMALLS12E1' | 'VMALLWS2E1' | 'ASIDE1'}${Shareability}${Qualifier}`
  | `${Range}VA${LastLevel}E${1 | 2 | 3}${Shareability}${Qualifier}`
  | `${Range}VAA${LastLevel}E1${Shareability}${Qualifier}`
  | `${Range}IPAS2${LastLevel}E1${Shareability}${Qualifier}`
  | GptOperation;

/** What an operation depends on besides its operand. */
export type TlbiContext = Pick<TlbContext, 'regime' | 'vmid' | 'ds' | 'cpu'> &
  Partial<Pick<TlbContext, 'tge' | 'operationVmid' | 'operationSecurity' | 'el2'>>;

const NAMES = [
  /^()(ALL|VA)()E([123])(?:IS|OS)?(NXS)?$/,
  /^(R?)(VA)(L?)E([123])(?:IS|OS)?(NXS)?$/,
  /^(R?)(VAA|IPAS2)(L?)E(1)(?:IS|OS)?(NXS)?$/,
  /^()(VMALL|VMALLS12|VMALLWS2|ASID)()E(1)(?:IS|OS)?(NXS)?$/,
];
const GPT = /^(?:PAALL(?:OS)?|RPAL?OS)$/;

/** Operations that apply to EL1&0, whichever regime is current. */
const GUEST_TYPES: readonly string[] = ['ALL', 'VMALLS12', 'VMALLWS2', 'IPAS2'];
/** Operations on stage 2 alone: without EL2 they do nothing. */
const STAGE2_TYPES: readonly string[] = ['VMALLWS2', 'IPAS2'];

/**
 * The scope of an operation, or undefined if it need not invalidate anything: for a reserved TG, an UNPREDICTABLE
 * range, granule protection information, which no entry here holds, stage 2 in a Security state without EL2, or a reserved
 * SCR_EL3.{NSE, NS}.
 *
 * @param xt - the 64-bit register operand, ignored by operations without one.
 * @param context - the current context. E1 operations use its VMID. Some of them apply to EL2&0, if that is current and
 * HCR_EL2.TGE is 1.
 * @throws RangeError for a name that is no operation.
 */
export function tlbiScope(operation: TlbiOperation, xt: bigint, context: TlbiContext): Scope | undefined {
  if (GPT.test(operation)) return undefined;
  const parts = NAMES.map((name) => name.exec(operation)).find((found) => found !== null);
  if (!parts) throw new RangeError(`TLBI has no operation '${operation}'`);
  const [, range, type, last, level, nxs] = parts;
  const regime = targetRegime(level!, type!, context);
  // EL3 has one Security state, whatever SCR_EL3 says.
  const security = level === '3' ? undefined : context.operationSecurity;
  if (security === 'reserved') return undefined;
  if (context.el2 === false && STAGE2_TYPES.includes(type!)) return undefined;
  const ownVmid = context.vmid ?? context.operationVmid ?? 0;
  const vmid = traitsOf(regime).el === 1 && type !== 'ALL' ? { vmid: ownVmid } : {};
  const lastLevel = last === 'L' ? { lastLevel: true } : {};
  const scope = scopeOf(type!);
  return (
    scope && {
      ...scope,
      ...(security !== undefined && { security }),
      ...(nxs !== undefined && { keepsXs: true }),
    }
  );

  function scopeOf(name: string): Scope | undefined {
    switch (name) {
      case 'ALL':
        return { regime, stages: 'both' };
      case 'VMALLS12':
        return { regime, stages: 'both', ...vmid };
      case 'VMALLWS2':
        return { regime, stages: 'both', ...vmid, cleans: true };
      case 'VMALL':
        return { regime, stages: 'stage1', ...vmid };
      case 'ASID':
        return { regime, stages: 'stage1', ...vmid, asid: decodeAddressOperand(xt, false, false).asid };
    }
    const ipa = type === 'IPAS2';
    const operand = range === 'R' ? rangeOf(xt, ipa, context) : addressOf(xt, ipa, context);
    if (operand === undefined) return undefined;
    const { from, last: lastAddress, hint, asid } = operand;
    const byAsid = type === 'VA' && traitsOf(regime).unprivileged ? { asid, global: true } : {};
    const stages = ipa ? 'stage2' : 'stage1';
    const ipas = ipa && security === 'secure' ? { ipas: ipasNamed(xt) } : {};
    return { regime, stages, ...ipas, ...vmid, ...byAsid, from, last: lastAddress, ...lastLevel, ...hint };
  }
}

/**
 * E1 operations apply to EL2&0 while HCR_EL2.{E2H, TGE} = {1, 1}, except those that are always about EL1&0. E2 operations do
 * while HCR_EL2.E2H = 1.
 */
function targetRegime(level: string, type: string, { regime, tge = true }: TlbiContext): TranslationRegime {
  if (level === '3') return 'el3';
  const { el, unprivileged } = traitsOf(regime);
  const host = el === 2 && unprivileged;
  if (level === '2') return host ? 'el2&0' : 'el2';
  return host && tge && !GUEST_TYPES.includes(type) ? 'el2&0' : 'el1&0';
}

/** NS of the operand chooses between the IPA spaces of Secure state. (C5.5.) */
function ipasNamed(xt: bigint): PaSpace {
  return isSet(xt, TLBI_IPA.fields.NS) ? 'non-secure' : 'secure';
}

interface Operand {
  readonly asid: number;
  readonly from: bigint;
  readonly last: bigint;
  readonly hint: LeafHint;
}

function addressOf(xt: bigint, ipa: boolean, { cpu }: TlbiContext): Operand {
  const { asid, address, hint } = decodeAddressOperand(xt, ipa, cpu.lpa2);
  return { asid, from: address, last: address, hint };
}

function rangeOf(xt: bigint, ipa: boolean, { ds, cpu }: TlbiContext): Operand | undefined {
  const operand = decodeRangeOperand(xt, { ipa, ds, lpa2: cpu.lpa2 });
  return operand?.unpredictable ? undefined : operand;
}
