/** The request to resolve register values, and the answer. */
import type { SecurityState } from '../../arch/security.ts';
import type { AskedRegime } from './infer.ts';

/** The request. */
export interface RegisterRequest {
  /** Values by any names: a manual's (`TTBR0_EL2`), bare ones (`ttbr0`), those of banks (`TTBR0_NS`). */
  readonly given: Readonly<Record<string, bigint>>;
  /** Values that override those for the same register: options given beside a file. */
  readonly over?: Readonly<Record<string, bigint>> | undefined;
  /** Default: inferred from the values. */
  readonly regime?: AskedRegime | undefined;
  /** Of an SMMU: whose programming interface is read, SMMU_CR0 or SMMU_S_CR0. */
  readonly security?: SecurityState | undefined;
  /** In a regime of two stages: only this one. */
  readonly stage?: 1 | 2 | undefined;
  /** Whether to keep the regime, whatever HCR says. Default false. */
  readonly exact?: boolean;
  /** Whether all registers that a walk needs must be given. Default true. */
  readonly complete?: boolean;
}

/** A register that does not affect the answer. */
export interface IgnoredRegister {
  /** As it was written. */
  readonly register: string;
  /** `bystander`: no walk reads it. `other`: it belongs to another regime. `bits`: set, and read by no walk. */
  readonly kind: 'bystander' | 'other' | 'unmodelled' | 'unknown' | 'field' | 'bits';
  readonly why: string;
}

/** The resolved registers. */
export interface ResolvedRegisters {
  readonly regime: AskedRegime;
  /** Why it is this regime, if exactly this one was not requested. */
  readonly because?: string;
  /** By the machine's names; `scr_el3` gives the Security state. Registers that were not given are absent. */
  readonly registers: Readonly<Record<string, bigint>>;
  /** What was assumed, in words. */
  readonly assumed: readonly string[];
  readonly ignored: readonly IgnoredRegister[];
}
