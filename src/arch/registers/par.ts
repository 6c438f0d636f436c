/** PAR_EL1 and PAR: what an address translation instruction leaves. (DDI 0487 D24.2.142, G8.2.121.) */
import { bit, bits, layout } from '../field.ts';
import { CACHEABILITIES, NO_YES, SHAREABILITIES } from './values.ts';

const F = bit(0, 'the translation', ['succeeded', 'faulted']);
/** AArch64 has no other form, and calls the bit RES1. */
const LPAE = bit(11, 'RES1; in AArch32 it tells this 64-bit form from the short one');

export const PAR_FAULT = layout(
  {
    name: 'PAR_EL1',
    aliases: ['PAR'],
    title: 'Physical Address Register after an address translation instruction that faulted (F = 1)',
    reference: 'DDI 0487 D24.2.142',
    width: 64,
  },
  {
    LPAE,
    S: bit(9, 'stage of the fault', ['stage 1', 'stage 2']),
    PTW: bit(8, 'a stage-2 fault on the fetch of a stage-1 descriptor', NO_YES),
    FST: bits(6, 1, 'fault status code, as DFSC'),
    F,
  },
);

export const PAR_ADDRESS = layout(
  {
    name: 'PAR_EL1',
    title: 'Physical Address Register after a translation (F = 0)',
    reference: 'DDI 0487 D24.2.142',
    width: 64,
  },
  {
    ATTR: bits(63, 56, 'memory type, as a byte of MAIR'),
    PA: bits(51, 12, 'physical address', { name: 'PA[51:12]', address: 12 }),
    NSE: bit(
      11,
      'with NS the physical address space ({0, 0} Secure, {0, 1} Non-secure, {1, 0} Root, {1, 1} Realm): only for EL3 with FEAT_RME, else UNKNOWN. RES1 without FEAT_RME; in AArch32 it tells this 64-bit form from the short one',
    ),
    NS: bit(9, 'outside the memory of its own Security state; UNKNOWN for Non-secure state'),
    SH: bits(8, 7, 'shareability', SHAREABILITIES),
    F,
  },
);

const SHORT_LPAE = bit(11, 'format of this register', ['short, 32 bits', 'long, 64 bits']);

export const PAR_SHORT_FAULT = layout(
  {
    name: 'PAR',
    title:
      'Physical Address Register of AArch32 with short descriptors (LPAE = 0) after a translation that faulted (F = 1)',
    reference: 'DDI 0487 G8.2.121',
    width: 32,
  },
  { LPAE: SHORT_LPAE, FS: bits(6, 1, 'fault status, as DFSR.FS'), F },
);

export const PAR_SHORT = layout(
  {
    name: 'PAR',
    title:
      'Physical Address Register of AArch32 with short descriptors (LPAE = 0) after a translation (F = 0)',
    reference: 'DDI 0487 G8.2.121',
    width: 32,
  },
  {
    PA: bits(31, 12, 'physical address', { name: 'PA[31:12]', address: 12 }),
    LPAE: SHORT_LPAE,
    NOS: bit(10, 'with SH = 1 the memory is', ['outer shareable', 'inner shareable']),
    NS: bit(9, 'the address is in Non-secure memory'),
    SH: bit(7, 'the memory is shareable', NO_YES),
    Inner: bits(6, 4, 'inner cacheability, or the type of Device memory', {
      name: 'Inner[2:0]',
      values: {
        0: 'Non-cacheable',
        1: 'Device-nGnRnE',
        3: 'Device-nGnRE',
        5: 'Write-Back, Write-Allocate',
        6: 'Write-Through',
        7: 'Write-Back, no Write-Allocate',
      },
    }),
    Outer: bits(3, 2, 'outer cacheability', { name: 'Outer[1:0]', values: CACHEABILITIES }),
    SS: bit(1, 'a supersection: bits [23:16] are bits [39:32] of the address', NO_YES),
    F,
  },
);

/** PAR of a supersection, where the address is in two parts. */
export const PAR_SUPERSECTION = layout(
  {
    name: 'PAR',
    title: 'Physical Address Register of AArch32 for a supersection (SS = 1)',
    reference: 'DDI 0487 G8.2.121',
    width: 32,
  },
  {
    low: bits(31, 24, 'bits [31:24] of the physical address', { name: 'PA[31:24]', address: 24 }),
    high: bits(23, 16, 'bits [39:32] of the physical address', { name: 'PA[39:32]', address: 32 }),
  },
);
