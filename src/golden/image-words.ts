/**
 * The words of golden images that are not compared: members that are information only, and features that are not modelled yet. A feature that is
 * modelled later moves from its list here to the schema. A word that is in neither is refused. (pgtable-golden/1, kind image.)
 */
import type { Beside, Words } from './members.ts';

/** The members of the file that are read. */
export const MEMBERS = [
  'schema',
  'kind',
  'name',
  'regime',
  'security',
  'cpu',
  'ram',
  'elsewhere',
  'registers',
  'memory',
  'translations',
  'pagemap',
  'pagemap_prot_none',
] as const;

/** More members of the file. */
export const FILE: Beside = {
  information: {
    producer: 'who made the file',
    asked_with: 'how the producer was asked',
    note: 'for readers',
    notes: 'for readers',
    comment: 'for readers',
    seed: 'what the tables were made from',
    streams: "where an SMMU's structures lie; its registers lead there too",
    pagemap_in_domain_without_access: "pages that the operating system's own tables have and DACR forbids",
    pagemap_not_in_hardware_table: "pages that only the operating system's tables have",
  },
  notYet: {},
};

/** Every member that a golden image may have. */
export const imageMembers: readonly string[] = [...MEMBERS, ...Object.keys(FILE.information)];

/** More members of `cpu`, `ram`, a frame of memory, an update, and a row of a page map. */
export const PART: Beside = { information: {}, notYet: {} };

/** More members of a row, or of `arm`, `arm_or` and `arm_unprivileged`. */
export const ROW: Beside = {
  information: {
    esr: "the producer's raw ESR, which fault says in the architecture's terms",
    qemu_attr: 'what QEMU answered where it differs from the architecture',
    qemu_sh: 'what QEMU answered where it differs from the architecture',
    error: 'QEMU gave up on the probe; arm is the answer',
    verified: 'how the producer made sure of its answer',
    by: 'which command of the producer answered',
    producer_cache: 'that the producer answered from a cache of its own',
    supersection: 'which sort of entry the producer aimed at',
    bypass: 'that the producer aimed at a stream that bypasses',
    note: 'for readers',
    comment: 'for readers',
  },
  notYet: {},
};

/** More members of a fault. */
export const FAULT: Beside = {
  information: {},
  notYet: {},
};

/** Members of a hit that a fault does not have. */
export const HIT_MEMBERS = ['attr', 'sh', 'ns', 'xs', 'pas', 'level', 's2_level', 'ipa', 'ipas'] as const;

const D128 = '128-bit descriptors (FEAT_D128)';

/** Registers that walks use. An SMMU's file may also give ttbr0, tcr, mair … in CPU layout. */
export const REGISTERS: readonly string[] = [
  ...['ttbr0', 'ttbr1', 'tcr', 'mair', 'sctlr', 'vttbr', 'vtcr', 'hcr', 'dacr', 'scr_el3', 'sstatus'],
  ...['vsttbr', 'vstcr', 'gpccr_el3', 'gptbr_el3', 'gpcbw_el3'],
  ...['tcr2', 'pir', 'pire0', 'por', 'por0', 'mair2', 's2pir', 's2por', 'hcrx'],
  ...['tcr2_el1', 'tcr2_el2', 'pir_el1', 'pir_el2', 'pir_el3', 'pire0_el1', 'pire0_el2', 'hcrx_el2'],
  ...['por_el0', 'por_el1', 'por_el2', 'por_el3', 'mair2_el1', 'mair2_el2', 'mair2_el3'],
  ...['s2pir_el2', 's2por_el1'],
  ...['ste', 'cd'].flatMap((name) => Array.from({ length: 8 }, (_, i) => `${name}${i}`)),
  ...[
    'strtab_base',
    'strtab_base_cfg',
    'cr0',
    'cr2',
    'gbpa',
    's2pii',
    'idr0',
    'idr1',
    'idr3',
    'idr5',
    's_idr0',
    's_idr1',
  ],
];

/** More registers, which walks do not use. */
export const REGISTER: Beside = {
  information: {
    contextidr: 'the ASID of short descriptors: of TLBs',
    id_mmfr0: 'what the CPU has; cpu says it',
    id_mmfr3: 'what the CPU has; cpu says it',
    vbar: 'where the prober took its exceptions',
    cd: 'the IPA of the context descriptor, which STE.S1ContextPtr says too',
    ...Object.fromEntries(
      ['idr2', 'idr4', 'iidr', 'aidr', 'cr0ack', 'cr1', 'irq_ctrl', 'gerror', 'gerrorn']
        .concat(['cmdq_base', 'cmdq_prod', 'cmdq_cons', 'eventq_base', 'eventq_prod', 'eventq_cons'])
        .map((name) => [name, 'queues and interrupts of the SMMU: no walk reads it']),
    ),
  },
  notYet: {
    ...Object.fromEntries(['ttbr0_hi', 'ttbr1_hi', 'vttbr_hi'].map((name) => [name, D128])),
  },
};

/** Whether a golden image may name the register, even if its value is then refused. All other registers change no walk. */
export function isGoldenRegister(name: string): boolean {
  return (
    REGISTERS.includes(name) ||
    [REGISTER.information, REGISTER.notYet].some((words) => Object.hasOwn(words, name))
  );
}

/** Values of `security`; a regime may not have all of them. Physical address spaces have the same names. */
export const SECURITY_STATES: readonly string[] = ['secure', 'nonsecure', 'realm', 'root'];

/** An SMMU whose stream table entries say which stages it has. */
export const ANY_STAGES = 'smmuv3';

/** Kinds of faults: in a walk, and in an SMMU's configuration. */
export const FAULT_KINDS: readonly string[] = [
  ...['translation', 'access_flag', 'permission', 'address_size', 'external_walk', 'domain'],
  'granule_protection',
  ...['c_bad_streamid', 'f_ste_fetch', 'c_bad_ste', 'c_bad_substreamid', 'f_stream_disabled'],
  ...['f_cd_fetch', 'c_bad_cd', 'abort'],
];
export const FAULT_KIND_NOT_YET: Words = {
  unreached: 'transactions that never reach the SMMU',
};
