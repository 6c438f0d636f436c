/** Registers of the Secure programming interface of an SMMUv3 that differ from those of the Non-secure one. (IHI 0070 G.b, 6.3.52, 6.3.53, 6.3.57, 6.3.63.) */
import { bit, bits, layout } from '../field.ts';
import { NO_YES, ON } from '../registers/values.ts';

export const SMMU_S_IDR0 = layout(
  {
    name: 'SMMU_S_IDR0',
    title: 'SMMUv3 identification: stalls of Secure streams',
    reference: 'IHI 0070 6.3.52',
    width: 32,
  },
  { STALL_MODEL: bits(25, 24, 'stalls', { 0: 'stall or terminate', 1: 'terminate', 2: 'stall' }) },
);

export const SMMU_S_IDR1 = layout(
  {
    name: 'SMMU_S_IDR1',
    title: 'SMMUv3 identification: the Secure programming interface',
    reference: 'IHI 0070 6.3.53',
    width: 32,
  },
  {
    SECURE_IMPL: bit(31, 'Secure streams', NO_YES),
    SEL2: bit(29, 'Secure EL2 and stage 2 of Secure streams', NO_YES),
    S_SIDSIZE: bits(5, 0, 'bits of the StreamID of a Secure stream'),
  },
);

export const SMMU_S_CR0 = layout(
  { name: 'SMMU_S_CR0', title: 'SMMUv3 control of Secure streams', reference: 'IHI 0070 6.3.57', width: 32 },
  {
    SIF: bit(5, 'instruction fetches from Non-secure memory', ['allowed', 'a stage-1 permission fault']),
    SMMUEN: bit(0, 'translation of Secure streams', ON),
  },
);

export const SMMU_S_GBPA = layout(
  {
    name: 'SMMU_S_GBPA',
    title: 'SMMUv3 bypass of Secure streams while translation is off',
    reference: 'IHI 0070 6.3.63',
    width: 32,
  },
  {
    ABORT: bit(20, 'transactions', ['pass', 'are aborted']),
    NSCFG: bits(15, 14, 'the address space', ['as it comes', 'reserved: as 0', 'Secure', 'Non-secure']),
  },
);
