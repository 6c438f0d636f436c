/** SCTLR_EL1, SCTLR_EL2, SCTLR_EL3: the bits of system control that translation depends on. (DDI 0487 D24.2.175 to D24.2.177.) */
import { bit, layout } from '../field.ts';
import { noYes, onOff } from './parts.ts';
import { ENDIANNESS, NO_YES, ON } from './values.ts';

const EPAN = onOff(57, 'PAN applies also to memory that EL0 may only execute (FEAT_PAN3)', 'FEAT_PAN3');
const SPAN = (level: string) =>
  bit(23, `an exception to ${level}`, {
    values: ['sets PSTATE.PAN', 'leaves PSTATE.PAN'],
    feature: 'FEAT_PAN',
  });
const ATA = noYes(43, 'allocation tags may be accessed', 'FEAT_MTE2');
const EE = bit(25, 'endianness of data and table walks', ENDIANNESS);
const WXN = bit(19, 'writable memory is execute-never', ON);
/** The lowest bits, which all three have. */
const LOWEST = {
  I: bit(12, 'instruction fetches may be cacheable', NO_YES),
  C: bit(2, 'data accesses and table walks may be cacheable', NO_YES),
  A: bit(1, 'unaligned accesses fault', NO_YES),
  M: bit(0, 'the MMU: stage-1 translation', ON),
};

export const SCTLR_EL1 = layout(
  {
    name: 'SCTLR_EL1',
    aliases: ['SCTLR'],
    title:
      'System Control Register: the bits that translation depends on; SCTLR_EL2 has M, C, I, WXN and EE in the same places',
    reference: 'DDI 0487 D24.2.175',
    width: 64,
  },
  {
    EPAN,
    ATA,
    ATA0: noYes(42, 'EL0 may access allocation tags', 'FEAT_MTE2'),
    EE,
    E0E: bit(24, 'endianness of data at EL0', ENDIANNESS),
    SPAN: SPAN('EL1'),
    WXN,
    ...LOWEST,
  },
);

export const SCTLR_EL2 = layout(
  {
    name: 'SCTLR_EL2',
    title:
      'System Control Register (EL2): the bits that translation depends on; EPAN, E0E and SPAN with HCR_EL2.E2H = 1',
    reference: 'DDI 0487 D24.2.176',
    width: 64,
  },
  { EPAN, ATA, EE, E0E: bit(24, 'endianness of data at EL0', ENDIANNESS), SPAN: SPAN('EL2'), WXN, ...LOWEST },
);

export const SCTLR_EL3 = layout(
  {
    name: 'SCTLR_EL3',
    title: 'System Control Register (EL3): the bits that translation depends on',
    reference: 'DDI 0487 D24.2.177',
    width: 64,
  },
  { ATA, EE, WXN, ...LOWEST },
);
