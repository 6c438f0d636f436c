/** STE, the stream table entry. Its bits count through all 512. (IHI 0070 G.b, 5.2.) */
import { bit, bits, layout } from '../field.ts';
import {
  CACHEABILITIES,
  ENDIANNESS,
  NO_YES,
  ON,
  OUTPUT_SIZES,
  SHAREABILITIES,
  TG0_VALUES,
} from '../registers/values.ts';
import { S2POI_DECLARATIONS } from './permissions.ts';

/** S2HWU59 and its neighbours. */
const hardwareUse = (descriptorBit: number) =>
  bit(descriptorBit + 13, `hardware may use bit ${descriptorBit} of stage-2 leaves for its own purposes`, {
    values: NO_YES,
    feature: 'SMMU_IDR3.PBHA',
  });

/** Stage 2 of Secure streams. */
const SEL2 = 'SMMU_S_IDR1.SEL2';
const SPACES = ['Secure', 'Non-secure'] as const;

/** S2POI: the 64-bit word of the STE that holds it, in the places of S2POR_EL1. */
export const S2POI_WORD = 7;

export const STE = layout(
  {
    name: 'STE',
    title: 'Stream Table Entry: what an SMMUv3 does with the transactions of a StreamID',
    reference: 'IHI 0070 5.2',
    width: 512,
  },
  {
    ...S2POI_DECLARATIONS,
    S_S2TTB: bits(439, 388, 'root of stage 2 of Secure IPAs, address bits [55:4]', {
      address: 4,
      feature: SEL2,
    }),
    S_S2SL0_2: bit(386, 'as S2SL0_2, of Secure IPAs', { feature: SEL2 }),
    S2SA: bit(385, 'outputs of the Secure IPA space; S2SW = 1 implies it', { values: SPACES, feature: SEL2 }),
    S2SW: bit(384, 'tables of the Secure IPA space', { values: SPACES, feature: SEL2 }),
    TL1: bit(331, 'check of TopLevel 1 at stage 2, as VTCR_EL2.TL1', {
      values: ON,
      feature: 'SMMU_IDR3.THE',
    }),
    TL0: bit(330, 'check of TopLevel 0 at stage 2, as VTCR_EL2.TL0', {
      values: ON,
      feature: 'SMMU_IDR3.THE',
    }),
    AssuredOnly: bit(329, 'AssuredOnly checks at stage 2, as VTCR_EL2.AssuredOnly', {
      values: ON,
      feature: 'SMMU_IDR3.THE',
    }),
    S_S2TG: bits(303, 302, 'granule of stage 2 of Secure IPAs, with the codes of TG0', {
      values: TG0_VALUES,
      feature: SEL2,
    }),
    S_S2SL0: bits(295, 294, 'start level of stage 2 of Secure IPAs', { feature: SEL2 }),
    S_S2T0SZ: bits(293, 288, 'the Secure IPA size is 2^(64-S_S2T0SZ) bytes', { feature: SEL2 }),
    S2TTB: bits(247, 196, 'root of stage 2, address bits [55:4]', { address: 4 }),
    S2DS: bit(195, '52-bit addresses with 4K and 16K at stage 2, as VTCR_EL2.DS', ON),
    S2SL0_2: bit(194, 'as VTCR_EL2.SL2'),
    S2NSA: bit(193, 'outputs of the Non-secure IPA space of a Secure stream', {
      values: SPACES,
      feature: SEL2,
    }),
    S2NSW: bit(192, 'tables of the Non-secure IPA space of a Secure stream', {
      values: SPACES,
      feature: SEL2,
    }),
    S2POE: bit(189, 'permission overlays at stage 2', { values: ON, feature: 'SMMU_IDR3.S2PO' }),
    S2PIE: bit(188, 'permissions of stage 2', {
      values: ['direct', 'indirect'],
      feature: 'SMMU_IDR3.S2PI',
    }),
    S2HAFT: bit(187, 'hardware sets the access flag of table descriptors at stage 2', {
      values: ON,
      feature: 'SMMU_IDR0.HTTU = 3',
    }),
    S2R: bit(186, 'stage-2 faults leave an event', NO_YES),
    S2S: bit(185, 'stage-2 faults stall the transaction', NO_YES),
    S2HA: bit(184, 'hardware sets the access flag at stage 2', ON),
    S2HD: bit(183, 'hardware manages dirty state at stage 2', ON),
    S2PTW: bit(182, 'a stage-1 walk through Device memory of stage 2', [
      'allowed',
      'a stage-2 permission fault',
    ]),
    S2AFFD: bit(181, 'access flag faults of stage 2', ['taken', 'disabled']),
    S2ENDI: bit(180, 'endianness of stage-2 tables', ENDIANNESS),
    S2AA64: bit(179, 'format of stage-2 tables', ['VMSAv8-32 LPAE', 'VMSAv8-64']),
    S2PS: bits(178, 176, 'output size of stage 2, as VTCR_EL2.PS', OUTPUT_SIZES),
    S2TG: bits(175, 174, 'granule of stage 2, with the codes of TG0', TG0_VALUES),
    S2SH0: bits(173, 172, 'shareability of stage-2 walks', SHAREABILITIES),
    S2OR0: bits(171, 170, 'outer cacheability of stage-2 walks', CACHEABILITIES),
    S2IR0: bits(169, 168, 'inner cacheability of stage-2 walks', CACHEABILITIES),
    S2SL0: bits(167, 166, 'start level of stage 2, as VTCR_EL2.SL0'),
    S2T0SZ: bits(165, 160, 'the IPA size is 2^(64-S2T0SZ) bytes'),
    S2VMID: bits(143, 128, 'virtual machine of TLB entries'),
    INSTCFG: bits(115, 114, 'what reads count as', ['as they come', 'reserved: as 0', 'data', 'instruction']),
    PRIVCFG: bits(113, 112, 'what transactions count as', [
      'as they come',
      'reserved: as 0',
      'unprivileged',
      'privileged',
    ]),
    NSCFG: bits(111, 110, 'the address space of a Secure stream that bypasses stage 1', [
      'as it comes',
      'reserved: as 0',
      'Secure',
      'Non-secure',
    ]),
    STRW: bits(95, 94, 'translation regime of stage 1', [
      'NS-EL1',
      'EL3 (Secure streams)',
      'EL2, with E2H or without',
      'reserved',
    ]),
    EATS: bits(93, 92, 'PCIe ATS', ['refused', 'full', 'split-stage: only stage 1', 'full, with DPT checks']),
    S1STALLD: bit(91, 'stalls of stage 1', ['allowed', 'forbidden']),
    S2FWB: bit(89, 'stage-2 MemAttr overrides stage 1, as HCR_EL2.FWB', ON),
    S1PIE: bit(88, 'CD.PIE counts', { values: NO_YES, feature: 'SMMU_IDR3.S1PI' }),
    MEV: bit(83, 'similar events may be merged into one', NO_YES),
    S2HWU62: hardwareUse(62),
    S2HWU61: hardwareUse(61),
    S2HWU60: hardwareUse(60),
    S2HWU59: hardwareUse(59),
    S1DSS: bits(65, 64, 'what a transaction without a SubstreamID does where there are several CDs', [
      'is terminated, F_STREAM_DISABLED',
      'bypasses stage 1',
      'uses CD 0',
      'reserved: as 0',
    ]),
    S1CDMax: bits(63, 59, 'there are 2^S1CDMax CDs; 0: no substreams'),
    S1ContextPtr: bits(55, 6, 'address of the CD, or of the table of CDs', { address: 6 }),
    S1Fmt: bits(5, 4, 'table of CDs', [
      'linear',
      'two levels, 4K leaves',
      'two levels, 64K leaves',
      'reserved',
    ]),
    Config: bits(3, 1, 'which stages translate', {
      0: 'none: abort, without an event',
      4: 'none: bypass',
      5: 'stage 1',
      6: 'stage 2',
      7: 'stage 1 and 2',
    }),
    V: bit(0, 'the STE is valid; else C_BAD_STE', NO_YES),
  },
);

/** Config: bit 2, traffic passes at all; bits 1 and 0, stage 2 and stage 1 translate. */
export const STE_CONFIG = { abort: 0, bypass: 4, stage1: 5, stage2: 6, nested: 7 } as const;

/** S1DSS: what becomes of a transaction without a SubstreamID. */
export const S1DSS = { terminate: 0, bypass: 1, cd0: 2 } as const;

/** S1Fmt by value: log2 of the CDs in a leaf of a table of two levels; 0, a linear table. */
export const CD_LEAF_LOG2 = [0, 6, 10, 0] as const;

/** INSTCFG and PRIVCFG where they override what comes. */
export const INSTCFG = { data: 2, instruction: 3 } as const;
export const PRIVCFG = { unprivileged: 2, privileged: 3 } as const;

/** EATS other than 0: ATS is refused. */
export const EATS = { full: 1, splitStage: 2, permissionTable: 3 } as const;

/** STRW. Only Secure streams have EL3. */
export const STRW = { el1: 0, el3: 1, el2: 2 } as const;

/** NSCFG where it overrides what comes. */
export const NSCFG = { secure: 2, nonSecure: 3 } as const;
