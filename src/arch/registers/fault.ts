/** Registers that report a fault of a CPU: ESR_ELx, HPFAR_EL2. (DDI 0487 D24.2.45 ESR_EL1, D24.2.76 HPFAR_EL2.) */
import { bit, bits, layout } from '../field.ts';
import { NO_YES } from './values.ts';

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

/** EC of a granule protection check exception, which EL3 takes. (FEAT_RME.) */
export const GPC_CLASS = 30;

/** The classes of aborts. One more, the lowest bit, where the exception level stays the same. */
export const ABORT_CLASSES = {
  instructionFromLower: 32,
  instruction: 33,
  pcAlignment: 34,
  dataFromLower: 36,
  data: 37,
  spAlignment: 38,
  serror: 47,
} as const;

const REFERENCE = 'DDI 0487 D24.2.45';
const EC = bits(31, 26, 'exception class', EXCEPTION_CLASSES);
const IL = bit(25, 'length of the instruction', ['16 bits', '32 bits']);
const FnV = bit(10, 'FAR (with an external abort)', ['valid', 'not valid']);
const EA = bit(9, 'external abort type, IMPLEMENTATION DEFINED');
const S1PTW = bit(7, "the fault is stage 2's, on", [
  'the access itself',
  'the fetch of a stage-1 descriptor',
]);

/** Of any class: the syndrome as one number. */
export const ESR = layout(
  { name: 'ESR_ELx', title: 'Exception Syndrome Register', reference: REFERENCE, width: 64 },
  { EC, IL, ISS: bits(24, 0, 'syndrome, in the form of the class') },
);

export const ESR_DATA = layout(
  {
    name: 'ESR_ELx',
    aliases: ['ESR', 'ESR_EL1', 'ESR_EL2', 'ESR_EL3', 'HSR'],
    title: 'Exception Syndrome Register of a data abort (HSR in AArch32)',
    reference: REFERENCE,
    width: 64,
  },
  {
    EC,
    IL,
    ISV: bit(24, 'bits [23:14] describe the instruction (stage 2 only)', NO_YES),
    SAS: bits(23, 22, 'size of the access (with ISV)', ['byte', 'halfword', 'word', 'doubleword']),
    SSE: bit(21, 'the value that is read is sign-extended (with ISV)', NO_YES),
    SRT: bits(20, 16, 'the register that is read or written (with ISV)'),
    SF: bit(15, 'width of that register (with ISV)', ['32 bits', '64 bits']),
    AR: bit(14, 'acquire or release (with ISV)', NO_YES),
    FnV,
    EA,
    CM: bit(8, 'a cache maintenance or address translation instruction', NO_YES),
    S1PTW,
    WnR: bit(6, 'what the access did', ['read', 'write']),
    DFSC: bits(5, 0, 'data fault status code'),
  },
);

export const ESR_INSTRUCTION = layout(
  {
    name: 'ESR_ELx',
    title: 'Exception Syndrome Register of an instruction abort',
    reference: REFERENCE,
    width: 64,
  },
  { EC, IL, FnV, EA, S1PTW, IFSC: bits(5, 0, 'instruction fault status code') },
);

/** Bits [55:32] of ESR_ELx, as a word of their own. */
const ISS2 = { name: 'ISS2', reference: REFERENCE, width: 24 } as const;
const HDBSSF = bit(11, 'caused by the hardware dirty state tracking structure', NO_YES);
const AssuredOnly = bit(7, 'caused by AssuredOnly', NO_YES);
const Overlay = bit(6, 'caused by permission overlays', NO_YES);

export const ISS2_DATA = layout(
  { ...ISS2, title: 'ESR_ELx[55:32] of a data abort' },
  {
    HDBSSF,
    TnD: bit(10, 'a write of an allocation tag to Canonically Tagged memory', NO_YES),
    TagAccess: bit(9, 'caused by the NoTagAccess memory attribute', NO_YES),
    GCS: bit(8, 'a Guarded Control Stack access', NO_YES),
    AssuredOnly,
    Overlay,
    DirtyBit: bit(5, 'caused by dirty state', NO_YES),
    Xs: bits(4, 0, 'the register of a 64-byte load or store (FEAT_LS64)'),
  },
);

export const ISS2_INSTRUCTION = layout(
  { ...ISS2, title: 'ESR_ELx[55:32] of an instruction abort' },
  { HDBSSF, AssuredOnly, Overlay },
);

/** DFSC of an SError that the RAS extension describes: only with it AET, EA and the others count. */
export const ASYNCHRONOUS_ERROR = 17;

export const ESR_SERROR = layout(
  {
    name: 'ESR_ELx',
    title: 'Exception Syndrome Register of an SError',
    reference: REFERENCE,
    width: 64,
  },
  {
    EC,
    IL,
    IDS: bit(24, 'bits [23:0] are', ['as the architecture says', 'IMPLEMENTATION DEFINED']),
    IESB: bit(13, 'the error was taken at an implicit error synchronization (with IDS = 0)', NO_YES),
    AET: bits(12, 10, 'state of the PE after the error (with IDS = 0 and DFSC = 0x11)', {
      0: 'uncontainable (UC)',
      1: 'unrecoverable (UEU)',
      2: 'restartable (UEO)',
      3: 'recoverable (UER)',
      6: 'corrected (CE)',
    }),
    EA,
    WnRV: bit(7, 'WnR is valid (FEAT_RASv2)', NO_YES),
    WnR: bit(6, 'what the access did (with WnRV = 1)', ['read', 'write']),
    DFSC: bits(5, 0, 'status code (with IDS = 0)', { 0: 'uncategorized error', 17: 'asynchronous SError' }),
  },
);

export const ESR_GPC = layout(
  {
    name: 'ESR_ELx',
    title: 'Exception Syndrome Register of a granule protection check exception (FEAT_RME)',
    reference: REFERENCE,
    width: 64,
  },
  {
    EC,
    IL,
    S2PTW: bit(21, 'the access was of a stage-2 walk', NO_YES),
    InD: bit(20, 'what was accessed', ['data', 'instruction']),
    GPCSC: bits(19, 14, 'granule protection check status code', {
      0: 'GPT address size fault at level 0',
      4: 'GPT walk fault at level 0',
      5: 'GPT walk fault at level 1',
      12: 'granule protection fault at level 0',
      13: 'granule protection fault at level 1',
      20: 'synchronous external abort on a GPT fetch at level 0',
      21: 'synchronous external abort on a GPT fetch at level 1',
    }),
    VNCR: bit(13, 'the access was made through VNCR_EL2', NO_YES),
    CM: bit(8, 'a cache maintenance or address translation instruction', NO_YES),
    S1PTW: bit(7, 'the access was of the stage-2 translation of a stage-1 walk', NO_YES),
    WnR: bit(6, 'what the access did', ['read', 'write']),
    xFSC: bits(5, 0, 'fault status code'),
  },
);

export const HPFAR_EL2 = layout(
  {
    name: 'HPFAR_EL2',
    aliases: ['HPFAR'],
    title: 'Hypervisor IPA Fault Address Register: the IPA of a stage-2 fault, shifted right by 8',
    reference: 'DDI 0487 D24.2.76',
    width: 64,
  },
  {
    NS: bit(63, 'the IPA is in the Non-secure space (for a fault in Secure state)'),
    FIPA: bits(
      47,
      4,
      'bits of the faulting IPA from 12 up: the register shifted left by 8, without the lowest 12 bits',
      { address: 12 },
    ),
  },
);
