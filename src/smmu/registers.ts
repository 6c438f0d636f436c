/** The registers of an SMMUv3 that say how it translates. (IHI 0070 6.3.) */
import type { IdentificationRegisters, ProgrammingInterface } from './features.ts';

/**
 * Register values of one programming interface of an SMMUv3: the Non-secure one, or with `security: 'secure'` the Secure one, whose registers have
 * the same names here: `strtabBase` is then SMMU_S_STRTAB_BASE. `strtabBase` and `s2pii` have 64 bits, the others 32.
 * Identification registers that are not given describe an SMMUv3.1 with both stages, AArch64 tables and 44-bit output.
 */
export interface SmmuRegisters extends Partial<IdentificationRegisters>, ProgrammingInterface {
  readonly strtabBase: bigint;
  readonly strtabBaseCfg: bigint;
  readonly cr2?: bigint;
  readonly gbpa?: bigint;
  /** SMMU_S2PII, 64 bits: what STEs with S2PIE = 1 take permissions of stage 2 from. */
  readonly s2pii?: bigint;
}
