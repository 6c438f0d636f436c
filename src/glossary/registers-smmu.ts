/**
 * What configures and reports in an SMMU: STE and CD of SMMUv3 (IHI 0070 5.2, 5.4), context fault and global fault registers of
 * SMMUv2 (IHI 0062). Bits of an STE or CD count through all of its 512.
 */

import { type RegisterLayout, rowsOf } from './register.ts';
import { OUTPUT_SIZES, TG0_VALUES, TG1_VALUES } from './registers-control.ts';

const NO_YES = ['no', 'yes'];
const ON = ['off', 'on'];

const ste = rowsOf('IHI 0070 5.2');
export const STE: RegisterLayout = {
  name: 'STE',
  title: 'Stream Table Entry: what an SMMUv3 does with the transactions of a StreamID',
  reference: 'IHI 0070 5.2',
  width: 512,
  fields: [
    ste(247, 196, 'S2TTB', 'root of stage 2, address bits [55:4]'),
    ste(195, 195, 'S2DS', '52-bit addresses with 4K and 16K at stage 2, as VTCR_EL2.DS', ON),
    ste(194, 194, 'S2SL0_2', 'as VTCR_EL2.SL2'),
    ste(186, 186, 'S2R', 'stage-2 faults leave an event', NO_YES),
    ste(185, 185, 'S2S', 'stage-2 faults stall the transaction', NO_YES),
    ste(184, 184, 'S2HA', 'hardware sets the access flag at stage 2', ON),
    ste(183, 183, 'S2HD', 'hardware manages dirty state at stage 2', ON),
    ste(182, 182, 'S2PTW', 'a stage-1 walk through Device memory of stage 2', [
      'allowed',
      'a stage-2 permission fault',
    ]),
    ste(181, 181, 'S2AFFD', 'access flag faults of stage 2', ['taken', 'disabled']),
    ste(180, 180, 'S2ENDI', 'endianness of stage-2 tables', ['little', 'big']),
    ste(179, 179, 'S2AA64', 'format of stage-2 tables', ['VMSAv8-32 LPAE', 'VMSAv8-64']),
    ste(178, 176, 'S2PS', 'output size of stage 2, as VTCR_EL2.PS', OUTPUT_SIZES),
    ste(175, 174, 'S2TG', 'granule of stage 2, with the codes of TG0', TG0_VALUES),
    ste(167, 166, 'S2SL0', 'start level of stage 2, as VTCR_EL2.SL0'),
    ste(165, 160, 'S2T0SZ', 'the IPA size is 2^(64-S2T0SZ) bytes'),
    ste(143, 128, 'S2VMID', 'virtual machine of TLB entries'),
    ste(95, 94, 'STRW', 'translation regime of stage 1', [
      'NS-EL1',
      'EL3 (Secure streams)',
      'EL2, with E2H or without',
      'reserved',
    ]),
    ste(93, 92, 'EATS', 'PCIe ATS', [
      'refused',
      'full',
      'split-stage: stage 1 alone',
      'full, with DPT checks',
    ]),
    ste(91, 91, 'S1STALLD', 'stalls of stage 1', ['allowed', 'forbidden']),
    ste(89, 89, 'S2FWB', 'stage-2 MemAttr overrides stage 1, as HCR_EL2.FWB', ON),
    ste(65, 64, 'S1DSS', 'what a transaction without a SubstreamID does where there are several CDs', [
      'is terminated, F_STREAM_DISABLED',
      'bypasses stage 1',
      'uses CD 0',
      'reserved: as 0',
    ]),
    ste(63, 59, 'S1CDMax', 'there are 2^S1CDMax CDs; 0: no substreams'),
    ste(55, 6, 'S1ContextPtr', 'address of the CD, or of the table of CDs'),
    ste(5, 4, 'S1Fmt', 'table of CDs', [
      'linear',
      'two levels, 4K leaves',
      'two levels, 64K leaves',
      'reserved',
    ]),
    ste(3, 1, 'Config', 'which stages translate', {
      0: 'none: abort, without an event',
      4: 'none: bypass',
      5: 'stage 1',
      6: 'stage 2',
      7: 'stage 1 and 2',
    }),
    ste(0, 0, 'V', 'the STE is valid; else C_BAD_STE', NO_YES),
  ],
};

const cd = rowsOf('IHI 0070 5.4');
export const CD: RegisterLayout = {
  name: 'CD',
  title: 'Context Descriptor: stage 1 of an SMMUv3 stream or substream',
  reference: 'IHI 0070 5.4',
  width: 512,
  fields: [
    cd(255, 224, 'MAIR1', 'memory types of AttrIndx 4 to 7'),
    cd(223, 192, 'MAIR0', 'memory types of AttrIndx 0 to 3'),
    cd(186, 186, 'DS', '52-bit addresses with 4K and 16K, as TCR.DS', ON),
    cd(183, 132, 'TTB1', 'root of the upper range, address bits [55:4]'),
    cd(129, 129, 'HAD1', 'ignore APTable, XNTable and PXNTable below TTB1', NO_YES),
    cd(119, 68, 'TTB0', 'root of the lower range, address bits [55:4]'),
    cd(65, 65, 'HAD0', 'ignore APTable, XNTable and PXNTable below TTB0', NO_YES),
    cd(63, 48, 'ASID', 'address space of TLB entries'),
    cd(46, 46, 'A', 'a terminated transaction', ['reads as zero, ignores writes', 'is aborted']),
    cd(45, 45, 'R', 'stage-1 faults leave an event', NO_YES),
    cd(44, 44, 'S', 'stage-1 faults stall the transaction', NO_YES),
    cd(43, 43, 'HA', 'hardware sets the access flag', ON),
    cd(42, 42, 'HD', 'hardware manages dirty state', ON),
    cd(41, 41, 'AA64', 'table format', ['VMSAv8-32 LPAE', 'VMSAv8-64']),
    cd(40, 40, 'PAN', 'privileged data accesses to what EL0 may access fault', ON),
    cd(39, 39, 'TBI1', 'top byte ignored below TTB1', ON),
    cd(38, 38, 'TBI0', 'top byte ignored below TTB0', ON),
    cd(36, 36, 'WXN', 'what is writable is execute-never', ON),
    cd(35, 35, 'AFFD', 'access flag faults', ['taken', 'disabled']),
    cd(34, 32, 'IPS', 'output size, as TCR.IPS', OUTPUT_SIZES),
    cd(31, 31, 'V', 'the CD is valid; else C_BAD_CD', NO_YES),
    cd(30, 30, 'EPD1', 'walks of TTB1', ['allowed', 'disabled: F_TRANSLATION']),
    cd(23, 22, 'TG1', 'granule of TTB1; other codes than TG0', TG1_VALUES),
    cd(21, 16, 'T1SZ', 'input size of TTB1: the top 2^(64-T1SZ) bytes'),
    cd(15, 15, 'ENDI', 'endianness of tables', ['little', 'big']),
    cd(14, 14, 'EPD0', 'walks of TTB0', ['allowed', 'disabled: F_TRANSLATION']),
    cd(7, 6, 'TG0', 'granule of TTB0', TG0_VALUES),
    cd(5, 0, 'T0SZ', 'the input size of TTB0 is 2^(64-T0SZ) bytes'),
  ],
};

const V2 = 'IHI 0062 stage 1 and 2 context banks';
const fsr = rowsOf(V2);
export const SMMU_FSR: RegisterLayout = {
  name: 'SMMU_CBn_FSR',
  aliases: ['FSR', 'CB_FSR'],
  title: 'SMMUv2 context bank Fault Status Register',
  reference: V2,
  width: 32,
  fields: [
    fsr(31, 31, 'MULTI', 'further faults came before this one was cleared', NO_YES),
    fsr(30, 30, 'SS', 'the transaction is stalled', NO_YES),
    fsr(10, 9, 'FORMAT', 'table format', ['VMSAv8-32 short', 'VMSAv8-32 LPAE', 'VMSAv8-64', 'reserved']),
    fsr(8, 8, 'UUT', 'unsupported upstream transaction', NO_YES),
    fsr(7, 7, 'ASF', 'address size fault', NO_YES),
    fsr(6, 6, 'TLBLKF', 'TLB lock fault', NO_YES),
    fsr(5, 5, 'TLBMCF', 'TLB match conflict fault', NO_YES),
    fsr(4, 4, 'EF', 'external fault', NO_YES),
    fsr(3, 3, 'PF', 'permission fault', NO_YES),
    fsr(2, 2, 'AFF', 'access flag fault', NO_YES),
    fsr(1, 1, 'TF', 'translation fault', NO_YES),
  ],
};

export const SMMU_FSYNR0: RegisterLayout = {
  name: 'SMMU_CBn_FSYNR0',
  aliases: ['FSYNR', 'FSYNR0'],
  title: 'SMMUv2 context bank Fault Syndrome Register 0',
  reference: V2,
  width: 32,
  fields: [
    fsr(23, 16, 'S1CBNDX', 'stage-1 context bank of a stage-2 fault in a nested translation'),
    fsr(11, 11, 'AFR', 'the fault is asynchronous', NO_YES),
    fsr(10, 10, 'PTWF', 'a walk fault: on the fetch of a descriptor', NO_YES),
    fsr(9, 9, 'ATOF', 'of an address translation operation', NO_YES),
    fsr(8, 8, 'NSATTR', 'the transaction is Non-secure', NO_YES),
    fsr(6, 6, 'IND', 'what was accessed', ['data', 'instruction']),
    fsr(5, 5, 'PNU', 'the access was', ['unprivileged', 'privileged']),
    fsr(4, 4, 'WNR', 'what the access did', ['read', 'write']),
    fsr(1, 0, 'PLVL', 'level of the lookup that faulted', ['0', '1', '2', '3']),
  ],
};

const gfsr = rowsOf('IHI 0062 global address space');
export const SMMU_GFSR: RegisterLayout = {
  name: 'SMMU_sGFSR',
  aliases: ['GFSR'],
  title: 'SMMUv2 Global Fault Status Register',
  reference: 'IHI 0062 global address space',
  width: 32,
  fields: [
    gfsr(31, 31, 'MULTI', 'further faults came before this one was cleared', NO_YES),
    gfsr(8, 8, 'UUT', 'unsupported upstream transaction', NO_YES),
    gfsr(7, 7, 'PF', 'permission fault: a Non-secure access to Secure configuration', NO_YES),
    gfsr(6, 6, 'EF', 'external fault', NO_YES),
    gfsr(5, 5, 'CAF', 'configuration access fault', NO_YES),
    gfsr(4, 4, 'UCIF', 'unimplemented context interrupt fault', NO_YES),
    gfsr(3, 3, 'UCBF', 'unimplemented context bank fault', NO_YES),
    gfsr(2, 2, 'SMCF', 'stream match conflict: several stream mapping entries match', NO_YES),
    gfsr(1, 1, 'USF', 'unidentified stream: no stream mapping entry matches', NO_YES),
    gfsr(0, 0, 'ICF', 'invalid context fault', NO_YES),
  ],
};
