/**
 * The registers that report a fault of a CPU. (DDI 0487 D24.2.45 ESR_EL1, D24.2.76 HPFAR_EL2, D24.2.142 PAR_EL1, G8.2.47 DFSR,
 * G8.2.103 IFSR, G8.2.121 PAR.)
 */
import type { Field } from '../descriptor/index.ts';
import { type RegisterLayout, rowsOf } from './register.ts';

/** Exception classes, ESR_ELx.EC. */
export const EXCEPTION_CLASSES: Readonly<Record<number, string>> = {
  0: 'unknown reason: mostly an undefined instruction',
  1: 'trapped WFI or WFE',
  7: 'trapped floating point or SIMD',
  13: 'branch target exception',
  14: 'illegal execution state',
  17: 'SVC from AArch32',
  18: 'HVC from AArch32',
  19: 'SMC from AArch32',
  21: 'SVC',
  22: 'HVC',
  23: 'SMC',
  24: 'trapped MSR, MRS or system instruction',
  25: 'trapped SVE',
  26: 'trapped ERET',
  28: 'pointer authentication failure',
  29: 'trapped SME',
  30: 'granule protection check exception',
  32: 'instruction abort from a lower exception level',
  33: 'instruction abort from the same exception level',
  34: 'PC alignment fault',
  36: 'data abort from a lower exception level',
  37: 'data abort from the same exception level',
  38: 'SP alignment fault',
  39: 'memory copy or set exception',
  40: 'floating-point exception from AArch32',
  44: 'floating-point exception',
  47: 'SError',
  48: 'breakpoint from a lower exception level',
  49: 'breakpoint from the same exception level',
  50: 'software step from a lower exception level',
  51: 'software step from the same exception level',
  52: 'watchpoint from a lower exception level',
  53: 'watchpoint from the same exception level',
  56: 'BKPT from AArch32',
  60: 'BRK',
};

const esr = rowsOf('DDI 0487 D24.2.45');
const EC = esr(31, 26, 'EC', 'exception class', EXCEPTION_CLASSES);
const IL = esr(25, 25, 'IL', 'length of the instruction', ['16 bits', '32 bits']);
const FNV = esr(10, 10, 'FnV', 'FAR (with an external abort)', ['valid', 'not valid']);
const EA = esr(9, 9, 'EA', 'external abort type, IMPLEMENTATION DEFINED');
const S1PTW = esr(7, 7, 'S1PTW', "the fault is stage 2's, on", [
  'the access itself',
  'the fetch of a stage-1 descriptor',
]);

/** Of any class: the syndrome as one number. */
export const ESR: RegisterLayout = {
  name: 'ESR_ELx',
  title: 'Exception Syndrome Register',
  reference: 'DDI 0487 D24.2.45',
  width: 64,
  fields: [EC, IL, esr(24, 0, 'ISS', 'syndrome, as the class says')],
};

export const ESR_DATA: RegisterLayout = {
  name: 'ESR_ELx',
  aliases: ['ESR', 'ESR_EL1', 'ESR_EL2', 'HSR'],
  title: 'Exception Syndrome Register of a data abort (HSR in AArch32)',
  reference: 'DDI 0487 D24.2.45',
  width: 64,
  fields: [
    EC,
    IL,
    esr(24, 24, 'ISV', 'bits [23:14] describe the instruction (stage 2 only)', ['no', 'yes']),
    esr(23, 22, 'SAS', 'size of the access (with ISV)', ['byte', 'halfword', 'word', 'doubleword']),
    esr(20, 16, 'SRT', 'the register that is read or written (with ISV)'),
    FNV,
    EA,
    esr(8, 8, 'CM', 'a cache maintenance or address translation instruction', ['no', 'yes']),
    S1PTW,
    esr(6, 6, 'WnR', 'what the access did', ['read', 'write']),
    esr(5, 0, 'DFSC', 'data fault status code'),
  ],
};

export const ESR_INSTRUCTION: RegisterLayout = {
  name: 'ESR_ELx',
  title: 'Exception Syndrome Register of an instruction abort',
  reference: 'DDI 0487 D24.2.45',
  width: 64,
  fields: [EC, IL, FNV, EA, S1PTW, esr(5, 0, 'IFSC', 'instruction fault status code')],
};

const hpfar = rowsOf('DDI 0487 D24.2.76');
export const HPFAR_EL2: RegisterLayout = {
  name: 'HPFAR_EL2',
  aliases: ['HPFAR'],
  title: 'Hypervisor IPA Fault Address Register: the IPA of a stage-2 fault, shifted right by 8',
  reference: 'DDI 0487 D24.2.76',
  width: 64,
  fields: [
    hpfar(63, 63, 'NS', 'the IPA is in the Non-secure space (of a fault in Secure state)'),
    hpfar(
      47,
      4,
      'FIPA',
      'faulting IPA from bit 12 on: the register shifted left by 8, without the lowest 12 bits',
    ),
  ],
};

const par = rowsOf('DDI 0487 D24.2.142');
export const PAR_FAULT: RegisterLayout = {
  name: 'PAR_EL1',
  aliases: ['PAR'],
  title: 'Physical Address Register after an address translation instruction that faulted (F = 1)',
  reference: 'DDI 0487 D24.2.142',
  width: 64,
  fields: [
    par(9, 9, 'S', 'stage of the fault', ['stage 1', 'stage 2']),
    par(8, 8, 'PTW', 'a stage-2 fault on the fetch of a stage-1 descriptor', ['no', 'yes']),
    par(6, 1, 'FST', 'fault status code, as DFSC'),
    par(0, 0, 'F', 'the translation', ['succeeded', 'faulted']),
  ],
};

export const PAR_ADDRESS: RegisterLayout = {
  name: 'PAR_EL1',
  title: 'Physical Address Register after a translation (F = 0)',
  reference: 'DDI 0487 D24.2.142',
  width: 64,
  fields: [
    par(63, 56, 'ATTR', 'memory type, as a byte of MAIR'),
    par(51, 12, 'PA[51:12]', 'physical address'),
    par(9, 9, 'NS', 'the address is in Non-secure memory'),
    par(8, 7, 'SH', 'shareability', ['non-shareable', 'reserved', 'outer shareable', 'inner shareable']),
    par(0, 0, 'F', 'the translation', ['succeeded', 'faulted']),
  ],
};

const par32 = rowsOf('DDI 0487 G8.2.121');
export const PAR_SHORT: RegisterLayout = {
  name: 'PAR',
  title: 'Physical Address Register of AArch32 with short descriptors (LPAE = 0)',
  reference: 'DDI 0487 G8.2.121',
  width: 32,
  fields: [
    par32(31, 12, 'PA[31:12]', 'physical address (F = 0)'),
    par32(11, 11, 'LPAE', 'format of this register', ['short, 32 bits', 'long, 64 bits']),
    par32(6, 1, 'FS', 'fault status, as DFSR.FS (F = 1)'),
    par32(0, 0, 'F', 'the translation', ['succeeded', 'faulted']),
  ],
};

const dfsr = rowsOf('DDI 0487 G8.2.47');
const common: Field[] = [
  dfsr(16, 16, 'FnV', 'DFAR (with an external abort)', ['valid', 'not valid']),
  dfsr(13, 13, 'CM', 'a cache maintenance instruction', ['no', 'yes']),
  dfsr(12, 12, 'ExT', 'external abort type, IMPLEMENTATION DEFINED'),
  dfsr(11, 11, 'WnR', 'what the access did', ['read', 'write']),
];
const LPAE = dfsr(9, 9, 'LPAE', 'descriptor format', ['short', 'long']);

export const DFSR_SHORT: RegisterLayout = {
  name: 'DFSR',
  aliases: ['FSR'],
  title: 'Data Fault Status Register (AArch32) with short descriptors',
  reference: 'DDI 0487 G8.2.47',
  width: 32,
  fields: [
    ...common,
    dfsr(10, 10, 'FS[4]', 'fault status, bit 4'),
    LPAE,
    dfsr(7, 4, 'Domain', 'domain of the entry, where the level that faulted has one'),
    dfsr(3, 0, 'FS[3:0]', 'fault status, bits 3 to 0'),
  ],
};

export const DFSR_LONG: RegisterLayout = {
  name: 'DFSR',
  title: 'Data Fault Status Register (AArch32) with long descriptors',
  reference: 'DDI 0487 G8.2.47',
  width: 32,
  fields: [...common, LPAE, dfsr(5, 0, 'STATUS', 'fault status code, as DFSC of AArch64')],
};

const ifsr = rowsOf('DDI 0487 G8.2.103');
export const IFSR_SHORT: RegisterLayout = {
  name: 'IFSR',
  title: 'Instruction Fault Status Register (AArch32) with short descriptors',
  reference: 'DDI 0487 G8.2.103',
  width: 32,
  fields: [
    ifsr(12, 12, 'ExT', 'external abort type, IMPLEMENTATION DEFINED'),
    ifsr(10, 10, 'FS[4]', 'fault status, bit 4'),
    ifsr(9, 9, 'LPAE', 'descriptor format', ['short', 'long']),
    ifsr(3, 0, 'FS[3:0]', 'fault status, bits 3 to 0'),
  ],
};

export const IFSR_LONG: RegisterLayout = {
  name: 'IFSR',
  title: 'Instruction Fault Status Register (AArch32) with long descriptors',
  reference: 'DDI 0487 G8.2.103',
  width: 32,
  fields: [
    ifsr(12, 12, 'ExT', 'external abort type, IMPLEMENTATION DEFINED'),
    ifsr(9, 9, 'LPAE', 'descriptor format', ['short', 'long']),
    ifsr(5, 0, 'STATUS', 'fault status code, as IFSC of AArch64'),
  ],
};
