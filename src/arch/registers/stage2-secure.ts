/** Stage 2 of Secure IPAs: VSTCR_EL2, VSTTBR_EL2. What they do not have, VTCR_EL2 says. (DDI 0487 D24.2.222, D24.2.223.) */
import { bit, bits, layout } from '../field.ts';
import { noYes } from './parts.ts';
import { VTCR_EL2 } from './stage2.ts';
import { TG0_VALUES } from './values.ts';

const SPACES = ['Secure', 'Non-secure'] as const;

export const VSTCR_EL2 = layout(
  {
    name: 'VSTCR_EL2',
    title: 'Virtualization Secure Translation Control Register: stage 2 of Secure IPAs',
    reference: 'DDI 0487 D24.2.222',
    width: 64,
  },
  {
    SL2: bit(33, VTCR_EL2.fields.SL2.meaning, { feature: 'FEAT_LPA2' }),
    SA: bit(30, 'outputs of the Secure IPA space; SW = 1 implies it', SPACES),
    SW: bit(29, 'tables of the Secure IPA space', SPACES),
    TG0: bits(15, 14, 'granule', TG0_VALUES),
    SL0: bits(7, 6, VTCR_EL2.fields.SL0.meaning, VTCR_EL2.fields.SL0.values ?? {}),
    T0SZ: bits(5, 0, 'the Secure IPA size is 2^(64-T0SZ) bytes'),
  },
);

export const VSTTBR_EL2 = layout(
  {
    name: 'VSTTBR_EL2',
    title: 'Virtualization Secure Translation Table Base Register: the root of stage 2 of Secure IPAs',
    reference: 'DDI 0487 D24.2.223',
    width: 64,
  },
  {
    BADDR: bits(47, 1, 'address bits [47:1] of the root, aligned to the whole of concatenated tables'),
    CnP: noYes(0, 'common not private: PEs may share TLB entries (FEAT_TTCNP)', 'FEAT_TTCNP'),
  },
);
