/** Registers of an SMMUv2: its context banks, and its fault status. (IHI 0062: stage 1 and 2 context banks, global address spaces 0 and 1.) */
import { bit, bits, layout } from '../field.ts';
import { ENDIANNESS, NO_YES, ON } from '../registers/values.ts';

const BANK = 'IHI 0062 stage 1 and 2 context banks';
const GLOBAL = 'IHI 0062 global address space';

export const SMMU_FSR = layout(
  {
    name: 'SMMU_CBn_FSR',
    aliases: ['FSR', 'CB_FSR'],
    title: 'SMMUv2 context bank Fault Status Register',
    reference: BANK,
    width: 32,
  },
  {
    MULTI: bit(31, 'further faults came before this one was cleared', NO_YES),
    SS: bit(30, 'the transaction is stalled', NO_YES),
    FORMAT: bits(10, 9, 'table format', ['VMSAv8-32 short', 'VMSAv8-32 LPAE', 'VMSAv8-64', 'reserved']),
    UUT: bit(8, 'unsupported upstream transaction', NO_YES),
    ASF: bit(7, 'address size fault', NO_YES),
    TLBLKF: bit(6, 'TLB lock fault', NO_YES),
    TLBMCF: bit(5, 'TLB match conflict fault', NO_YES),
    EF: bit(4, 'external fault', NO_YES),
    PF: bit(3, 'permission fault', NO_YES),
    AFF: bit(2, 'access flag fault', NO_YES),
    TF: bit(1, 'translation fault', NO_YES),
  },
);

/** FSR.FORMAT by the descriptors of the bank. */
export const FSR_FORMAT = { short: 0, long: 1, aarch64: 2 } as const;

export const SMMU_FSYNR0 = layout(
  {
    name: 'SMMU_CBn_FSYNR0',
    aliases: ['FSYNR', 'FSYNR0'],
    title: 'SMMUv2 context bank Fault Syndrome Register 0',
    reference: BANK,
    width: 32,
  },
  {
    S1CBNDX: bits(23, 16, 'stage-1 context bank of a stage-2 fault in a nested translation'),
    AFR: bit(11, 'the fault is asynchronous', NO_YES),
    PTWF: bit(10, 'a walk fault: on the fetch of a descriptor', NO_YES),
    ATOF: bit(9, 'of an address translation operation', NO_YES),
    NSATTR: bit(8, 'the transaction is Non-secure', NO_YES),
    IND: bit(6, 'what was accessed', ['data', 'instruction']),
    PNU: bit(5, 'the access was', ['unprivileged', 'privileged']),
    WNR: bit(4, 'what the access did', ['read', 'write']),
    PLVL: bits(1, 0, 'level of the lookup that faulted', ['0', '1', '2', '3']),
  },
);

export const SMMU_GFSR = layout(
  {
    name: 'SMMU_sGFSR',
    aliases: ['GFSR'],
    title: 'SMMUv2 Global Fault Status Register',
    reference: GLOBAL,
    width: 32,
  },
  {
    MULTI: bit(31, 'further faults came before this one was cleared', NO_YES),
    UUT: bit(8, 'unsupported upstream transaction', NO_YES),
    PF: bit(7, 'permission fault: a Non-secure access to Secure configuration', NO_YES),
    EF: bit(6, 'external fault', NO_YES),
    CAF: bit(5, 'configuration access fault', NO_YES),
    UCIF: bit(4, 'unimplemented context interrupt fault', NO_YES),
    UCBF: bit(3, 'unimplemented context bank fault', NO_YES),
    SMCF: bit(2, 'stream match conflict: several stream mapping entries match', NO_YES),
    USF: bit(1, 'unidentified stream: no stream mapping entry matches', NO_YES),
    ICF: bit(0, 'invalid context fault', NO_YES),
  },
);

export const SMMU_GFSYNR0 = layout(
  { name: 'SMMU_sGFSYNR0', title: 'SMMUv2 Global Fault Syndrome Register 0', reference: GLOBAL, width: 32 },
  {
    IND: bit(3, 'what was accessed', ['data', 'instruction']),
    PNU: bit(2, 'the access was', ['unprivileged', 'privileged']),
    WNR: bit(1, 'what the access did', ['read', 'write']),
  },
);

export const SMMU_GFSYNR1 = layout(
  { name: 'SMMU_sGFSYNR1', title: 'SMMUv2 Global Fault Syndrome Register 1', reference: GLOBAL, width: 32 },
  { StreamID: bits(15, 0, 'the stream of the transaction') },
);

export const SMMU_CBFRSYNRA = layout(
  {
    name: 'SMMU_CBFRSYNRAn',
    title: 'SMMUv2 context bank Fault Restricted Syndrome Register A',
    reference: 'IHI 0062 global address space 1',
    width: 32,
  },
  { StreamID: bits(15, 0, 'the stream of the transaction') },
);

export const SMMU_CBAR = layout(
  {
    name: 'SMMU_CBARn',
    title: 'SMMUv2 Context Bank Attribute Register',
    reference: 'IHI 0062 global address space 1',
    width: 32,
  },
  {
    TYPE: bits(17, 16, 'what the bank translates', [
      'stage 2',
      'stage 1, stage 2 bypassed',
      'stage 1, then a fault',
      'stage 1, then stage 2',
    ]),
  },
);

/** CBAR.TYPE. */
export const CBAR_TYPE = { stage2: 0, stage1: 1, stage1Fault: 2, nested: 3 } as const;

export const SMMU_CBA2R = layout(
  {
    name: 'SMMU_CBA2Rn',
    title: 'SMMUv2 Context Bank Attribute Register 2',
    reference: 'IHI 0062 global address space 1',
    width: 32,
  },
  { VA64: bit(0, 'descriptors of the bank', ['AArch32', 'AArch64']) },
);

export const SMMU_CB_SCTLR = layout(
  {
    name: 'SMMU_CBn_SCTLR',
    title: 'SMMUv2 context bank System Control Register',
    reference: BANK,
    width: 32,
  },
  {
    E: bit(4, 'endianness of tables', ENDIANNESS),
    AFE: bit(2, 'AP[0] of short descriptors is the access flag', ON),
    TRE: bit(1, 'memory types of short descriptors come from PRRR and NMRR', ON),
    M: bit(0, 'translation', ON),
  },
);

export const SMMU_CB_TCR = layout(
  {
    name: 'SMMU_CBn_TCR',
    title: 'SMMUv2 context bank Translation Control Register',
    reference: BANK,
    width: 32,
  },
  { EAE: bit(31, 'descriptors of AArch32', ['short', 'long']) },
);

export const SMMU_CB_TCR2 = layout(
  {
    name: 'SMMU_CBn_TCR2',
    title: 'SMMUv2 context bank Translation Control Register 2: of AArch64 stage 1',
    reference: BANK,
    width: 32,
  },
  {
    SEP: bits(17, 15, 'bit of an address that is extended upwards', [
      '31',
      '35',
      '39',
      '41',
      '43',
      '47',
      'reserved',
      'the top bit of the upstream bus',
    ]),
    TBI1: bit(6, 'top byte ignored below TTBR1', ON),
    TBI0: bit(5, 'top byte ignored below TTBR0', ON),
    AS: bit(4, 'an ASID has', ['8 bits', '16 bits']),
    PASize: bits(2, 0, 'output size, as TCR_EL1.IPS'),
  },
);
