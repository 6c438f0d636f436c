/** What a PE says of itself: the fields of ID_AA64* registers that translation depends on. (DDI 0487 D24.2.88 to D24.2.95, A2.2.) */
import { bits, layout, type WordLayout } from '../field.ts';

function identification<Name extends string>(
  name: string,
  fields: Readonly<Record<Name, readonly [high: number, low: number, meaning: string]>>,
) {
  const declared = Object.entries<readonly [number, number, string]>(fields).map(
    ([field, [high, low, meaning]]) => [field, bits(high, low, meaning)] as const,
  );
  return layout<Name>(
    { name, title: 'What the PE implements', reference: 'DDI 0487 D24.2.88', width: 64 },
    Object.fromEntries(declared) as Parameters<typeof layout<Name>>[1],
  );
}

export const ID_AA64MMFR0_EL1 = identification('ID_AA64MMFR0_EL1', {
  TGran4_2: [43, 40, '4K granule at stage 2; 0: as TGran4, 1: none, 3: with 52-bit addresses'],
  TGran64_2: [39, 36, '64K granule at stage 2; 0: as TGran64, 1: none'],
  TGran16_2: [35, 32, '16K granule at stage 2; 0: as TGran16, 1: none, 3: with 52-bit addresses'],
  TGran4: [31, 28, '4K granule; 1: with 52-bit addresses, 15: none'],
  TGran64: [27, 24, '64K granule; 15: none'],
  TGran16: [23, 20, '16K granule; 0: none, 2: with 52-bit addresses'],
  PARange: [3, 0, 'physical address size'],
});

export const ID_AA64MMFR1_EL1 = identification('ID_AA64MMFR1_EL1', {
  XNX: [31, 28, 'stage-2 execute-never by exception level'],
  PAN: [23, 20, 'privileged access never; 3: EPAN'],
  HPDS: [15, 12, 'hierarchical permission disables'],
  HAFDBS: [3, 0, 'hardware updates; 2: of dirty state too, 3: of table descriptors too'],
});

export const ID_AA64MMFR2_EL1 = identification('ID_AA64MMFR2_EL1', {
  E0PD: [63, 60, 'TCR.E0PDn'],
  BBM: [55, 52, 'FEAT_BBM level'],
  FWB: [43, 40, 'stage-2 forced Write-Back'],
  ST: [31, 28, 'small translation tables'],
  NV: [27, 24, 'nested virtualization'],
  VARange: [19, 16, '52-bit input addresses'],
});

export const ID_AA64MMFR3_EL1 = identification('ID_AA64MMFR3_EL1', {
  AIE: [27, 24, 'MAIR2_ELx'],
  S2POE: [23, 20, 'permission overlays of stage 2'],
  S1POE: [19, 16, 'permission overlays of stage 1'],
  S2PIE: [15, 12, 'permission indirection of stage 2'],
  S1PIE: [11, 8, 'permission indirection of stage 1'],
});

export const ID_AA64MMFR4_EL1 = identification('ID_AA64MMFR4_EL1', {
  RMEGDI: [31, 28, 'granular data isolation'],
  ASID2: [11, 8, 'an ASID for each range'],
});

export const ID_AA64PFR0_EL1 = identification('ID_AA64PFR0_EL1', {
  RME: [55, 52, 'realm management; 2: FEAT_RME_GPC2, 3: FEAT_RME_GPC3'],
  SEL2: [39, 36, 'Secure EL2'],
});

export const ID_AA64PFR1_EL1 = identification('ID_AA64PFR1_EL1', {
  THE: [51, 48, 'translation hardening'],
  GCS: [47, 44, 'Guarded Control Stacks'],
  MTE: [11, 8, 'memory tagging; 2: with tags in memory'],
  BT: [3, 0, 'guarded pages'],
});

export const ID_AA64PFR2_EL1 = identification('ID_AA64PFR2_EL1', {
  MTEPERM: [3, 0, 'NoTagAccess'],
});

/** All of them. */
export const IDENTIFICATION: readonly WordLayout[] = [
  ID_AA64MMFR0_EL1,
  ID_AA64MMFR1_EL1,
  ID_AA64MMFR2_EL1,
  ID_AA64MMFR3_EL1,
  ID_AA64MMFR4_EL1,
  ID_AA64PFR0_EL1,
  ID_AA64PFR1_EL1,
  ID_AA64PFR2_EL1,
];
