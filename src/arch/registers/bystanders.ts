/**
 * Registers that debuggers list beside those of translation, and that no walk reads: general-purpose and floating-point ones,
 * identification, exceptions, debug, timers, interrupts. A name that is here is known, and may be left out without a word of each.
 * (DDI 0487 D24, G8; gdb's target descriptions.)
 */

const GENERAL =
  /^([XWRVQDSHBZP]\d{1,2}|SP|LR|PC|FP|XZR|WZR|CPSR|XPSR|PSTATE|NZCV|DAIF|SPSEL|CURRENTEL|PAN|UAO|DIT|SSBS|TCO|ALLINT|PM|FPSR|FPCR|FPMR|FPSCR|FPSID|FPEXC\d*|FFR|VG|SVG|SVCR|SVL|PAUTH_\w+|[CD]MASK\w*|TAG_CTL|TPIDR\w*|SP_(USR|SVC|ABT|UND|IRQ|FIQ|MON|HYP|EL\d)|LR_\w+|ELR_\w+|R\d+_\w+|SPSR\w*)$/;

/** Families of system registers. Behind each name `_ELn` may stand. */
const SYSTEM = new RegExp(
  `^(${[
    'ID_\\w+|MIDR|MPIDR|REVIDR|VPIDR|VMPIDR|CTR|DCZID|CLIDR|CCSIDR2?|CSSELR|AIDR|SMIDR|GMID|MVFR\\d|TCMTR|TLBTR|MPUIR|FCSEIDR|JIDR|JOSCR|JMCR|TEECR|TEEHBR',
    'ACTLR2?|ACTLRMASK|CPACR|CPACRMASK|CPTR|CPTRMASK|CPUACTLR\\w*|CPUECTLR\\w*|CPUPWRCTLR\\w*|CPUCFR\\w*|ECTLR|HACTLR2?|HACR|HSTR|HCPTR|HDCR|NSACR|SDER\\d*|SDCR|MDCR|MVBAR|SDCR|CBAR|L2\\w+|DISR|VDISR|VSESR|ISR|RMR|RVBAR|HRMR|PFAR|MFAR',
    'AMAIR2?|AMAIR[01]|HAMAIR[01]|CONTEXTIDR|SCXTNUM|SCTLR2|SCTLRMASK|SCTLR2MASK|TCRMASK|TCR2MASK|HFG\\w+|HDFG\\w+|HAFG\\w+|FGWTE3|HDBSS\\w+|HACDBS\\w+|VNCR|RCWS?MASK|S?V?MECID\\w*|MECIDR|MECID_\\w+|LOR\\w+|APAS|MPAM\\w+|ACCDATA|GCSCR\\w*|GCSPR|SMPRI\\w*|SMCR|ZCR|TRFCR\\w*|TRB\\w+|TRC\\w+|BRB\\w+|TFSR\\w*|GCR|RGSR|RNDRR?S?|AP[DI][AB]KEY\\w+|APGAKEY\\w+',
    'ESR|FAR|HPFAR|AFSR[01]|VBAR|PAR|DFSR|IFSR|IFSR32|DFAR|IFAR|ADFSR|AIFSR|HSR|HDFAR|HIFAR|HADFSR|HAIFSR|HVBAR|HTPIDR|FPEXC32|ERR\\w+|ERX\\w+|DSPSR|DLR|THUMBEE\\w*|DUMMY\\w*|PRSELR|PRBAR|PRLAR',
    'DBG\\w+|MDSCR|MDSELR|MDCCINT|MDCCSR|MDRAR|MDSTEPOP|OS(LAR|LSR|DLR|ECCR|DTR\\w+)|SPMACCESSR|SPM\\w+|PM\\w+|AM\\w+|CNT\\w+|ICC_\\w+|ICH_\\w+|ICV_\\w+|GICC?_\\w+|S[0-3]_\\d+_C\\d+_C\\d+_\\d+|CP15\\w*|L2\\w+|IL1\\w+|DL1\\w+|CDBG\\w+|IMP_\\w+',
  ].join('|')})(_EL\\d+)?(_N?S)?$`,
);

/** Of an SMMUv3: queues, interrupts, and identification that no translation depends on. */
const SMMU =
  /^(IDR[246]|IIDR|AIDR|CR0ACK|CR1|STATUSR|IRQ_CTRL(ACK)?|GERROR\w*|AGBPA|CMDQ_\w+|EVENTQ_\w+|PRIQ_\w+|GATOS_\w+|VATOS_\w+|CMDQP_\w+|ECMDQ_\w+|MPAMIDR|GMPAM|CONTEXTIDR|CD|STE)$/;

/** Whether a register of this name is known, and read by no walk. */
export function isBystander(name: string): boolean {
  const plain = name.toUpperCase();
  return GENERAL.test(plain) || SYSTEM.test(plain) || SMMU.test(plain);
}
