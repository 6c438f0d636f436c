/**
 * SMMUv2 context banks: from SMMU_CBn_SCTLR, TCR, TCR2, TTBRn, MAIRn, CBARn and CBA2Rn to a translation, or a context fault as
 * FSR, FSYNR0, FAR and IPAFAR show it. (IHI 0062, SMMU architecture version 2: stage 1 and stage 2 context banks.)
 */

import { isSet, place, read, wordOf } from '../arch/read.ts';
import { isAArch32, type Regime } from '../arch/regimes.ts';
import { DACR_DOMAINS, PAIR } from '../arch/registers/aarch32-base.ts';
import { SCTLR } from '../arch/registers/aarch32-control.ts';
import { HCR_EL2 } from '../arch/registers/stage2.ts';
import { TCR_EL1 } from '../arch/registers/tcr.ts';
import {
  CBAR_TYPE,
  SMMU_CB_SCTLR,
  SMMU_CB_TCR,
  SMMU_CB_TCR2,
  SMMU_CBA2R,
  SMMU_CBAR,
} from '../arch/smmu/index.ts';
import type { PhysicalMemory } from '../memory/index.ts';
import { nearest } from '../memory/near-names.ts';
import { cpuFeatures } from '../walker/cpu.ts';
import { WalkerError } from '../walker/errors.ts';
import { regimeStages } from '../walker/regimes.ts';
import type { WalkerRegisters } from '../walker/register-values.ts';
import { TableMemory } from '../walker/table-memory.ts';
import { checkAccess, type Stages, translate } from '../walker/translate.ts';
import type { Fault, Translation, WalkStep } from '../walker/types.ts';
import { type ContextFaultRecord, contextFaultRecord } from './context-fault.ts';
import type { Transaction } from './types.ts';

/** The registers of one bank, whole values: `ttbr0`, `ttbr1` 64 bits, the others 32. A register that is not given is 0. */
export interface BankRegisters {
  readonly sctlr?: bigint;
  /** TCR, and its upper half TCR2 (AArch64 stage 1 only). */
  readonly tcr?: bigint;
  readonly tcr2?: bigint;
  readonly ttbr0?: bigint;
  readonly ttbr1?: bigint;
  /** MAIR0 and MAIR1; for short descriptors with SCTLR.TRE, PRRR and NMRR. */
  readonly mair0?: bigint;
  readonly mair1?: bigint;
  /** SMMU_CBARn and SMMU_CBA2Rn, of global register space 1. */
  readonly cbar?: bigint;
  readonly cba2r?: bigint;
}

/** A context bank and its surroundings. */
export interface ContextBankDescription {
  readonly registers: BankRegisters;
  /** Its number, which a stage-2 fault records as S1CBNDX. Default 0. */
  readonly index?: number;
  /** The stage-2 bank that CBAR names, if its type is stage 1 with stage 2 translation. */
  readonly stage2?: BankRegisters;
  /** Output address bits (SMMU_IDR2.OAS). Default 48. */
  readonly oas?: number;
  /** Bits of the upstream bus (SMMU_IDR2.UBS), which TCR2.SEP may refer to. Default 49. */
  readonly upstreamBits?: number;
}

/** A context fault, or (`abort`) a transaction that ends without one in any bank. */
export interface ContextBankFaulted {
  readonly ok: false;
  readonly ia: bigint;
  readonly fault: Fault | { readonly kind: 'abort' };
  readonly record: ContextFaultRecord | undefined;
  readonly steps: readonly WalkStep[];
}

/** A context bank's answer; `ok` tells a translation from a fault. */
export type ContextBankResult = Translation | ContextBankFaulted;

/** TCR2.SEP by value: the bit of the incoming address that is extended. 7 is the top bit of the upstream bus, 6 reserved. */
const SIGN_BITS = [31, 35, 39, 41, 43, 47] as const;

/** DACR: an SMMU has no domain control, so every domain is a client. */
const CLIENT = 1;
const CLIENTS = DACR_DOMAINS.reduce((dacr, domain) => dacr | place(domain, CLIENT), 0n);

/** A bank ready to translate: registers were decoded when it was made, memory is read again each time. */
export class ContextBank {
  readonly regime: Regime;
  readonly #stages: Stages;
  readonly #aborts: boolean;
  readonly #index: number;
  readonly #signBit: number | undefined;

  /** @internal Use {@link createContextBank}. */
  constructor(memory: PhysicalMemory, description: ContextBankDescription) {
    const { registers, index = 0, stage2, oas = 48, upstreamBits = 49 } = description;
    const { cbar = 0n, tcr2 = 0n } = registers;
    const type = read(cbar, SMMU_CBAR.fields.TYPE);
    this.#aborts = type === CBAR_TYPE.stage1Fault;
    this.#index = index;
    this.regime = regimeOf(registers, type);
    const signs = type !== CBAR_TYPE.stage2 && !isAArch32(this.regime);
    this.#signBit = signs ? (SIGN_BITS[read(tcr2, SMMU_CB_TCR2.fields.SEP)] ?? upstreamBits - 1) : undefined;
    // An SMMUv2 has no optional features; only the output size varies.
    const cpu = cpuFeatures({ model: 'cortex-a57', paBits: oas });
    const values =
      type === CBAR_TYPE.stage2 ? stage2Values(registers, true) : stage1Values(registers, this.regime);
    const below = type === CBAR_TYPE.nested ? stage2Values(stage2Bank(registers, stage2), false) : {};
    const stages = regimeStages(new TableMemory(memory), this.regime, { ...below, ...values }, cpu);
    this.#stages = { ...stages, fetchesInstructions: false, cacheControls: undefined };
  }

  /**
   * Translates one transaction, a privileged read by default.
   * @throws WalkerError for an address that is not 64 bits or an unknown kind of access.
   */
  translate(ia: bigint, transaction: Transaction = { access: 'read' }): ContextBankResult {
    checkAccess(ia, transaction);
    const { access, privileged = true, update = true } = transaction;
    const steps: WalkStep[] | undefined = transaction.trace === false ? undefined : [];
    if (this.#aborts) return { ok: false, ia, fault: { kind: 'abort' }, record: undefined, steps: [] };
    const va = this.#extended(ia);
    const request = { access, privileged, pan: false, update, gcs: false, tagChecked: false };
    const result = translate(this.#stages, va, request, steps);
    if (result.ok) return result;
    const context = { far: va, access, privileged, regime: this.regime, index: this.#index };
    return { ...result, record: contextFaultRecord(result.fault, context) };
  }

  /** An address with no bits set above the sign bit is sign-extended from there, so that a bus can reach TTBR1. */
  #extended(ia: bigint): bigint {
    if (this.#signBit === undefined || ia >> BigInt(this.#signBit + 1)) return ia;
    return BigInt.asUintN(64, BigInt.asIntN(this.#signBit + 1, ia));
  }
}

/**
 * Makes a context bank over `memory`.
 *
 * @throws WalkerError for a register that is not a bigint of at most 64 bits, an `oas` outside 32 to 52, or a nested bank
 * whose stage-2 bank is not given or has the other architecture (CBA2R.VA64): that mixture is not modelled.
 *
 * @example
 * const bank = createContextBank(memory, {
 *   registers: { sctlr: 1n, tcr, tcr2, ttbr0, mair0, mair1, cbar: 1n << 16n, cba2r: 1n },
 * });
 * const result = bank.translate(0x1000_1234n, { access: 'write' });
 * if (!result.ok) console.log(result.record?.fsr.toString(16)); // 402: AArch64, translation fault
 */
export function createContextBank(memory: PhysicalMemory, description: ContextBankDescription): ContextBank {
  for (const bank of [description.registers, description.stage2 ?? {}]) {
    for (const [name, value] of Object.entries(bank) as [string, unknown][]) {
      if (!BANK_REGISTERS.includes(name)) throw new WalkerError(unknownRegister(name));
      if (value === undefined || (typeof value === 'bigint' && BigInt.asUintN(64, value) === value)) continue;
      throw new WalkerError(`register ${name} must be a bigint of at most 64 bits, not ${String(value)}`);
    }
  }
  return new ContextBank(memory, description);
}

const BANK_REGISTERS: readonly string[] = [
  'sctlr',
  'tcr',
  'tcr2',
  'ttbr0',
  'ttbr1',
  'mair0',
  'mair1',
  'cbar',
  'cba2r',
] satisfies (keyof BankRegisters)[];

function unknownRegister(name: string): string {
  const likely = nearest(name, BANK_REGISTERS);
  const hint = likely === undefined ? `known are ${BANK_REGISTERS.join(', ')}` : `did you mean ${likely}?`;
  return `a context bank has no register '${name}'; ${hint}`;
}

const isAArch64 = (cba2r: bigint) => isSet(cba2r, SMMU_CBA2R.fields.VA64);

/** CBA2R.VA64 chooses AArch64; TCR.EAE chooses one of AArch32's two formats. Stage 2 has only long descriptors. */
function regimeOf({ cba2r = 0n, tcr = 0n }: BankRegisters, type: number): Regime {
  const base = isAArch64(cba2r) ? 'el1&0' : 'pl1&0';
  if (type === CBAR_TYPE.stage2) return `${base}-s2`;
  if (type === CBAR_TYPE.nested) return `${base}-nested`;
  return base === 'pl1&0' && !isSet(tcr, SMMU_CB_TCR.fields.EAE) ? 'pl1&0-short' : base;
}

function stage2Bank({ cba2r = 0n }: BankRegisters, stage2: BankRegisters | undefined): BankRegisters {
  if (stage2 === undefined)
    throw new WalkerError('a nested context bank needs the registers of its stage-2 bank');
  if (isAArch64(stage2.cba2r ?? 0n) !== isAArch64(cba2r)) {
    throw new WalkerError('a stage-1 and a stage-2 bank of different CBA2R.VA64 are not modelled together');
  }
  return stage2;
}

/** In the layout of a PE's registers: TCR2:TCR is TCR_EL1. A PE's SCTLR has M, TRE, AFE and E in other bits, the same ones for both architectures. */
function stage1Values(registers: BankRegisters, regime: Regime): WalkerRegisters {
  const { sctlr = 0n, tcr = 0n, tcr2 = 0n, ttbr0 = 0n, ttbr1 = 0n, mair0 = 0n, mair1 = 0n } = registers;
  const { M, TRE, AFE, E } = SMMU_CB_SCTLR.fields;
  return {
    ttbr0,
    ttbr1,
    tcr: BigInt.asUintN(SMMU_CB_TCR.width, tcr) | (!isAArch32(regime) ? upperTcr(tcr2) : 0n),
    mair: wordOf(PAIR, { high: mair1, low: mair0 }),
    sctlr: wordOf(SCTLR, {
      M: isSet(sctlr, M),
      TRE: isSet(sctlr, TRE),
      AFE: isSet(sctlr, AFE),
      EE: isSet(sctlr, E),
    }),
    dacr: CLIENTS,
  };
}

/** The part of TCR_EL1 that TCR2 has. It lacks the upper bits that later versions added. */
function upperTcr(tcr2: bigint): bigint {
  const { PASize, AS, TBI0, TBI1 } = SMMU_CB_TCR2.fields;
  return wordOf(TCR_EL1, {
    IPS: read(tcr2, PASize),
    AS: isSet(tcr2, AS),
    TBI0: isSet(tcr2, TBI0),
    TBI1: isSet(tcr2, TBI1),
  });
}

/** A stage-2 bank's TTBR0 and TCR are VTTBR and VTCR. Without a stage 1, the attributes of stage 2 count by themselves: HCR.DC. */
function stage2Values({ sctlr = 0n, tcr = 0n, ttbr0 = 0n }: BankRegisters, alone: boolean): WalkerRegisters {
  const VM = isSet(sctlr, SMMU_CB_SCTLR.fields.M);
  return {
    vttbr: ttbr0,
    vtcr: BigInt.asUintN(SMMU_CB_TCR.width, tcr),
    hcr: wordOf(HCR_EL2, { VM, DC: VM && alone }),
  };
}
