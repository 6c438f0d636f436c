/** SCR_EL3: the Security state below EL3. (DDI 0487 D24.2.169.) */
import { bit, layout } from '../field.ts';
import { noYes, onOff } from './parts.ts';

export const SCR_EL3 = layout(
  {
    name: 'SCR_EL3',
    aliases: ['SCR'],
    title: 'Secure Configuration Register: the bits that translation depends on',
    reference: 'DDI 0487 D24.2.169',
    width: 64,
  },
  {
    NSE: bit(62, 'with NS the Security state below EL3: {1, 1} Realm, {1, 0} reserved', {
      feature: 'FEAT_RME',
    }),
    AIEn: noYes(46, 'MAIR2_EL1 and MAIR2_EL2 have effect; 0: they are treated as 0', 'FEAT_AIE'),
    PIEn: bit(45, 'the registers of permission indirection and overlays below EL3', {
      values: ['trapped', 'not trapped'],
      feature: 'FEAT_S1PIE',
    }),
    TCR2En: noYes(43, 'TCR2_EL1 and TCR2_EL2 have effect; 0: they are treated as 0', 'FEAT_TCR2'),
    HXEn: noYes(38, 'HCRX_EL2 has effect; 0: it is treated as 0', 'FEAT_HCX'),
    EEL2: onOff(18, 'EL2 in Secure state', 'FEAT_SEL2'),
    SIF: bit(9, 'Secure state executes from Non-secure memory', ['allowed', 'a permission fault']),
    NS: bit(0, 'the Security state below EL3', ['Secure', 'Non-secure']),
  },
);
