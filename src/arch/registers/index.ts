/** The registers of PEs, of Mali GPUs and of RISC-V harts, declared: every one that translation depends on, or that reports what came of it. */
import type { WordLayout } from '../field.ts';
import { DACR, HTTBR, MAIR0, MAIR1, NMRR, PRRR, TTBR_LONG, TTBR_SHORT, VTTBR } from './aarch32-base.ts';
import { HCR, HSCTLR, HTCR, SCTLR, TTBCR, TTBCR2, VTCR } from './aarch32-control.ts';
import { MAIR_EL1, MAIR2_EL1, TTBR0_EL1 } from './base.ts';
import { HCRX_EL2, TCR2_EL1, TCR2_EL2 } from './extended.ts';
import {
  ESR_DATA,
  ESR_GPC,
  ESR_INSTRUCTION,
  ESR_SERROR,
  HPFAR_EL2,
  ISS2_DATA,
  ISS2_INSTRUCTION,
} from './fault.ts';
import { DFSR_LONG, DFSR_SHORT, IFSR_LONG, IFSR_SHORT } from './fault-aarch32.ts';
import { GPCBW_EL3, GPCCR_EL3, GPTBR_EL3 } from './granule-protection.ts';
import { AS_FAULTSTATUS, AS_MEMATTR, AS_TRANSTAB, SATP } from './other.ts';
import { PAR_ADDRESS, PAR_FAULT, PAR_SHORT, PAR_SHORT_FAULT } from './par.ts';
import { PIR_EL1, PIRE0_EL1, POR_EL0, POR_EL1, S2PIR_EL2, S2POR_EL1 } from './permissions.ts';
import { SCR_EL3 } from './scr.ts';
import { SCTLR_EL1, SCTLR_EL2, SCTLR_EL3 } from './sctlr.ts';
import { HCR_EL2, VTCR_EL2, VTTBR_EL2 } from './stage2.ts';
import { VSTCR_EL2, VSTTBR_EL2 } from './stage2-secure.ts';
import { TCR_EL1, TCR_EL2, TCR_EL3 } from './tcr.ts';

/** Of PEs. Several may have one name: forms of the same register. A name that AArch64 and AArch32 share means the former's first. */
export const PE_REGISTERS: readonly WordLayout[] = [
  TCR_EL1,
  TCR_EL2,
  TCR_EL3,
  VTCR_EL2,
  TTBR0_EL1,
  VTTBR_EL2,
  VSTCR_EL2,
  VSTTBR_EL2,
  MAIR_EL1,
  HCR_EL2,
  HCRX_EL2,
  TCR2_EL1,
  TCR2_EL2,
  MAIR2_EL1,
  PIR_EL1,
  PIRE0_EL1,
  POR_EL0,
  POR_EL1,
  S2PIR_EL2,
  S2POR_EL1,
  SCTLR_EL1,
  SCTLR_EL2,
  SCTLR_EL3,
  SCR_EL3,
  GPCCR_EL3,
  GPTBR_EL3,
  GPCBW_EL3,
  TTBCR,
  TTBCR2,
  HTCR,
  VTCR,
  TTBR_SHORT,
  TTBR_LONG,
  HTTBR,
  VTTBR,
  MAIR0,
  MAIR1,
  PRRR,
  NMRR,
  DACR,
  HCR,
  SCTLR,
  HSCTLR,
  ESR_DATA,
  ESR_INSTRUCTION,
  ESR_SERROR,
  ESR_GPC,
  ISS2_DATA,
  ISS2_INSTRUCTION,
  HPFAR_EL2,
  PAR_FAULT,
  PAR_ADDRESS,
  PAR_SHORT_FAULT,
  PAR_SHORT,
  DFSR_SHORT,
  DFSR_LONG,
  IFSR_SHORT,
  IFSR_LONG,
];

/** Of MMUs that are not VMSA's. */
export const OTHER_REGISTERS: readonly WordLayout[] = [AS_TRANSTAB, AS_MEMATTR, AS_FAULTSTATUS, SATP];
