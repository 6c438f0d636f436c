/** SCR_EL3: the Security state below EL3. (DDI 0487 D24.2.169.) */
import { bit, layout } from '../field.ts';
import { ON } from './values.ts';

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
    EEL2: bit(18, 'EL2 in Secure state', { values: ON, feature: 'FEAT_SEL2' }),
    SIF: bit(9, 'Secure state executes from Non-secure memory', ['allowed', 'a permission fault']),
    NS: bit(0, 'the Security state below EL3', ['Secure', 'Non-secure']),
  },
);
