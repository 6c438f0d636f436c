/**
 * The registers of a walk: 64-bit values by the walker's names, with defaults for those that are not given. (DDI 0487 D8.1.2.)
 */
import { wordOf } from '../arch/read.ts';
import type { RegisterName } from '../arch/regime-table.ts';
import { isRegime, isStage2Alone, type Regime, regimes } from '../arch/regimes.ts';
import { SSTATUS } from '../arch/registers/riscv.ts';
import { SCTLR_EL1 } from '../arch/registers/sctlr.ts';
import { HCR_EL2 } from '../arch/registers/stage2.ts';
import { nearest } from '../memory/near-names.ts';
import { WalkerError } from './errors.ts';

/**
 * The register values of a walk. Each is a whole register of 64 bits in its own architectural layout, whatever the exception level:
 *
 * - `ttbr0`, `ttbr1`, `tcr`, `sctlr`: TTBRn_ELx, TCR_ELx and SCTLR_ELx; in AArch32 TTBRn, TTBCR and SCTLR; in Hyp mode HTTBR, HTCR and
 *   HSCTLR. SCTLR.EE makes stage-1 tables big-endian.
 * - `mair`: MAIR_ELx, MAIR1:MAIR0, HMAIR1:HMAIR0 or (short descriptors) NMRR:PRRR.
 * - `gpccr`, `gptbr`, `gpcbw`: GPCCR_EL3, GPTBR_EL3 and GPCBW_EL3. With GPC = 0 no access is checked.
 * - `mtk`: `ttbr0` has PA[34:32] in bits [2:0]. `tcr` says how many input address bits there are above 32 (0 to 2), which is fixed in a
 *   real M4U.
 * - `mali`: AS_TRANSTAB in `ttbr0`, AS_MEMATTR in `mair`.
 * - `riscv`: satp in `ttbr0`; `sstatus` (or mstatus) has SUM and MXR.
 *
 * A register that is not given is 0, with these exceptions: without `mair` memory types are not known (see `attrIndx` of the
 * attributes); `sctlr` has M, C and I set; `hcr` has VM set and, where stage 2 is alone, DC, so that the attributes are what stage 2
 * says; `sstatus` has SUM set. Registers that the regime does not have are ignored, except NV and NV1 of `hcr` in `el1&0`.
 */
export type WalkerRegisters = Readonly<Partial<Record<RegisterName, bigint>>>;

/** Every register of the walker's, with the defaults filled in. */
export type Values = Required<Omit<WalkerRegisters, 'mair' | 'mair2' | 'hcrx'>> & {
  /** Undefined: not given, and memory types are not known. */
  readonly mair: bigint | undefined;
  readonly mair2: bigint | undefined;
  /** Undefined: not given, and everything that it gates counts. */
  readonly hcrx: bigint | undefined;
};

/** The supervisor reaches user pages, unless an access says `pan`. */
const SUM_SET = wordOf(SSTATUS, { SUM: true });

/** What SCTLR and HCR are if they are not given, in a regime of stage 2 alone and in every other. */
const SCTLR_ALONE = wordOf(SCTLR_EL1, { M: false, C: true, I: true });
const SCTLR_ON = wordOf(SCTLR_EL1, { M: true, C: true, I: true });
const HCR_ALONE = wordOf(HCR_EL2, { VM: true, DC: true });
const HCR_ON = wordOf(HCR_EL2, { VM: true, DC: false });

/** Fills in the defaults. @throws WalkerError for an unknown regime, or a value that is not a 64-bit bigint. */
export function registerValues(regime: Regime, registers: WalkerRegisters): Values {
  if (!isRegime(regime)) {
    throw new WalkerError(`unknown regime '${String(regime)}'; known are ${regimes.join(', ')}`);
  }
  const alone = isStage2Alone(regime);
  const result: Values = {
    ttbr0: 0n,
    ttbr1: 0n,
    tcr: 0n,
    mair: undefined,
    vttbr: 0n,
    vtcr: 0n,
    vsttbr: 0n,
    vstcr: 0n,
    dacr: 0n,
    gpccr: 0n,
    gptbr: 0n,
    gpcbw: 0n,
    sstatus: SUM_SET,
    tcr2: 0n,
    pir: 0n,
    pire0: 0n,
    por: 0n,
    por0: 0n,
    mair2: undefined,
    hcrx: undefined,
    s2pir: 0n,
    s2por: 0n,
    sctlr: alone ? SCTLR_ALONE : SCTLR_ON,
    hcr: alone ? HCR_ALONE : HCR_ON,
  };
  const values: Record<string, bigint | undefined> = result;
  for (const [name, value] of Object.entries<unknown>(registers)) {
    if (!Object.hasOwn(result, name)) throw new WalkerError(unknownRegister(name, Object.keys(result)));
    if (value === undefined) continue;
    if (typeof value !== 'bigint' || value < 0n || value >> 64n) {
      throw new WalkerError(`register ${name} must be a bigint of at most 64 bits, not ${String(value)}`);
    }
    values[name] = value;
  }
  return result;
}

function unknownRegister(name: string, known: readonly string[]): string {
  const bare = name.toLowerCase().replace(/_el\d+$/, '');
  const likely = known.includes(bare) ? bare : nearest(bare, known);
  const hint = likely === undefined ? `known are ${known.join(', ')}` : `did you mean ${likely}?`;
  return `unknown register '${name}'; ${hint} (resolveRegisters takes the manual's names, as TTBR0_EL1)`;
}
