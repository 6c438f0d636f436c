/** Stage 2 in AArch64: VTCR_EL2, VTTBR_EL2, HCR_EL2. (DDI 0487 D24.2.224, D24.2.225, D24.2.62.) */
import { bit, bits, layout } from '../field.ts';
import { d128Field, haftField, hardwareUseFields, noYes, onOff, updateFields, walkFields } from './parts.ts';
import { NO_YES, ON, OUTPUT_SIZES, TG0_VALUES } from './values.ts';

export const VTCR_EL2 = layout(
  {
    name: 'VTCR_EL2',
    aliases: ['VTCR'],
    title: 'Virtualization Translation Control Register: stage 2',
    reference: 'DDI 0487 D24.2.224',
    width: 64,
  },
  {
    HDBSS: onOff(45, 'pages that become dirty are written to a list', 'FEAT_HDBSS'),
    HAFT: haftField(44),
    TL0: noYes(41, 'the TopLevel0 attribute of stage 2 is checked', 'FEAT_THE'),
    GCSH: noYes(40, 'Guarded Control Stack accesses need AssuredOnly in stage 2', 'FEAT_THE'),
    D128: d128Field(38, ' of stage 2'),
    S2POE: onOff(37, 'permission overlays of stage 2', 'FEAT_S2POE'),
    S2PIE: noYes(36, 'permissions of stage 2 come from S2PIR_EL2, by index', 'FEAT_S2PIE'),
    TL1: noYes(35, 'the TopLevel1 attribute of stage 2 is checked', 'FEAT_THE'),
    AssuredOnly: noYes(34, 'bit 58 of leaves is the AssuredOnly attribute', 'FEAT_THE'),
    SL2: bit(33, 'with DS = 1 and 4K: SL0 0 starts at level -1', { feature: 'FEAT_LPA2' }),
    DS: onOff(32, 'FEAT_LPA2: 52-bit addresses with 4K and 16K', 'FEAT_LPA2'),
    NSA: bit(30, 'outputs of the Non-secure IPA space in Secure state', {
      values: ['Secure', 'Non-secure'],
      feature: 'FEAT_SEL2',
    }),
    NSW: bit(29, 'tables of the Non-secure IPA space in Secure state', {
      values: ['Secure', 'Non-secure'],
      feature: 'FEAT_SEL2',
    }),
    ...hardwareUseFields(28, '', undefined),
    ...updateFields(22),
    VS: bit(19, 'size of the VMID', { values: ['8 bits', '16 bits'], feature: 'FEAT_VMID16' }),
    PS: bits(18, 16, 'output size: an output address beyond it is an address size fault', OUTPUT_SIZES),
    TG0: bits(15, 14, 'granule', TG0_VALUES),
    ...walkFields(8, '0'),
    SL0: bits(7, 6, 'start level, which must fit T0SZ, or every access is a translation fault at level 0', {
      0: 'level 2 with 4K, level 3 with 16K and 64K',
      1: 'level 1 with 4K, level 2 with 16K and 64K',
      2: 'level 0 with 4K, level 1 with 16K and 64K',
      3: 'level 3 with 4K (FEAT_TTST), level 0 with 16K (FEAT_LPA2), reserved with 64K',
    }),
    T0SZ: bits(5, 0, 'the IPA size is 2^(64-T0SZ) bytes'),
  },
);

export const VTTBR_EL2 = layout(
  {
    name: 'VTTBR_EL2',
    aliases: ['VTTBR'],
    title: 'Virtualization Translation Table Base Register: the root of stage 2, and a VMID',
    reference: 'DDI 0487 D24.2.225',
    width: 64,
  },
  {
    VMID: bits(63, 48, 'the virtual machine of TLB entries: 8 bits, or 16 with VTCR_EL2.VS'),
    BADDR: bits(47, 1, 'address bits [47:1] of the root, aligned to the whole of concatenated tables'),
    CnP: noYes(0, 'common not private: PEs may share TLB entries (FEAT_TTCNP)', 'FEAT_TTCNP'),
  },
);

const TRAPPED = ['not trapped', 'trapped to EL2'] as const;

export const HCR_EL2 = layout(
  {
    name: 'HCR_EL2',
    aliases: ['HCR'],
    title: 'Hypervisor Configuration Register: the bits that translation depends on',
    reference: 'DDI 0487 D24.2.62',
    width: 64,
  },
  {
    DCT: noYes(57, 'with DC = 1 the memory of stage 1 is Tagged', 'FEAT_MTE2'),
    ATA: noYes(56, 'EL1 and EL0 may access allocation tags', 'FEAT_MTE2'),
    TTLBOS: bit(55, 'TLB maintenance at EL1 of the outer shareable domain', {
      values: TRAPPED,
      feature: 'FEAT_EVT',
    }),
    TTLBIS: bit(54, 'TLB maintenance at EL1 of the inner shareable domain', {
      values: TRAPPED,
      feature: 'FEAT_EVT',
    }),
    GPF: bit(48, 'granule protection faults of EL0 and EL1', {
      values: ['taken as ever', 'taken to EL2'],
      feature: 'FEAT_RME',
    }),
    FWB: onOff(
      46,
      'FEAT_S2FWB: stage-2 MemAttr overrides stage 1 instead of being combined with it',
      'FEAT_S2FWB',
    ),
    NV2: noYes(45, 'with NV = 1: accesses of EL1 to registers of EL2 become accesses to memory', 'FEAT_NV2'),
    AT: bit(44, 'address translation instructions at EL1', { values: TRAPPED, feature: 'FEAT_NV' }),
    NV1: noYes(
      43,
      'with NV = 1: EL1 hosts a guest hypervisor without E2H; descriptors mean other permissions',
      'FEAT_NV',
    ),
    NV: onOff(42, 'nested virtualization: EL1 runs a guest hypervisor', 'FEAT_NV'),
    E2H: onOff(
      34,
      'EL2 hosts an operating system: the EL2&0 regime, TCR_EL2 with the layout of TCR_EL1',
      'FEAT_VHE',
    ),
    ID: bit(33, 'stage 2 makes instruction fetches Non-cacheable', ON),
    CD: bit(32, 'stage 2 makes data accesses Non-cacheable', ON),
    RW: bit(31, 'EL1 runs in', ['AArch32', 'AArch64']),
    TRVM: bit(30, 'reads of the translation registers at EL1', TRAPPED),
    TGE: bit(27, 'exceptions of EL0 go to EL2; stage 2 is off for them', ON),
    TVM: bit(26, 'writes of the translation registers at EL1', TRAPPED),
    TTLB: bit(25, 'TLB maintenance at EL1', TRAPPED),
    DC: bit(12, 'default cacheable: stage 1 off, stage 2 on', ON),
    BSU: bits(11, 10, 'barriers at EL1 and EL0 reach at least', [
      'what they say',
      'the inner shareable domain',
      'the outer shareable domain',
      'the full system',
    ]),
    FB: bit(9, 'TLB and instruction cache maintenance at EL1 is for the inner shareable domain', NO_YES),
    PTW: bit(2, 'a stage-1 walk through Device memory of stage 2', ['allowed', 'a stage-2 permission fault']),
    VM: bit(0, 'stage-2 translation', ON),
  },
);
