/** Commands of an SMMUv3, 128 bits each: opcode, fields, and what an SMMU must have to take them. (IHI 0070 G.b, 4; opcodes: 4.1.1.) */
import { bit, bits, layout, type WordLayout } from '../field.ts';
import { NO_YES } from '../registers/values.ts';
import {
  ASID,
  type CommandTraits,
  command,
  IPA,
  LEVEL_HINT,
  Leaf,
  LeafL1,
  NS,
  SPAN,
  SSec,
  SSV,
  StreamID,
  SubstreamID,
  VA,
  VMID,
} from './command-fields.ts';

/** Every command by its name without `CMD_`. CFGI_ALL is CFGI_STE_RANGE with Range = 31. (4.3.6.) */
export const COMMANDS = {
  PREFETCH_CONFIG: command(0x01, '4.2.1', 'hint: the configuration of a stream will be used', [], {
    StreamID,
    SubstreamID,
    SSV,
    SSec,
  }),
  PREFETCH_ADDR: command(0x02, '4.2.2', 'hint: addresses of a stream will be used', [], {
    Address: VA,
    Stride: bits(73, 69, 'one address each 2^(12 + Stride) bytes'),
    Size: bits(68, 64, '2^Size addresses'),
    StreamID,
    SubstreamID,
    SSV,
    SSec,
  }),
  CFGI_STE: command(0x03, '4.3.1', 'invalidates a cached STE, and the CDs of its stream', [], {
    Leaf: LeafL1('L1STD'),
    StreamID,
    SSec,
  }),
  CFGI_STE_RANGE: command(
    0x04,
    '4.3.2',
    'invalidates cached STEs, L1STDs and CDs of 2^(Range + 1) streams',
    [],
    {
      Range: bits(68, 64, '2^(Range + 1) StreamIDs; 31: all of them (CMD_CFGI_ALL)'),
      StreamID,
      SSec,
    },
  ),
  CFGI_CD: command(0x05, '4.3.3', 'invalidates a cached CD of a stream', ['S1P'], {
    Leaf: LeafL1('L1CD'),
    StreamID,
    SubstreamID: bits(31, 12, 'index of the CD; 0 without substreams'),
    SSec,
  }),
  CFGI_CD_ALL: command(0x06, '4.3.4', 'invalidates all cached CDs and L1CDs of a stream', ['S1P'], {
    StreamID,
    SSec,
  }),
  CFGI_VMS_PIDM: command(0x07, '4.3.5', 'invalidates the cached PARTID_MAP of a virtual machine', ['MPAM'], {
    VMID,
    SSec,
  }),
  TLBI_NH_ALL: command(0x10, '4.4.2.1', 'invalidates stage-1 entries of EL1, by VMID', ['S1P'], { VMID }),
  TLBI_NH_ASID: command(
    0x11,
    '4.4.2.2',
    'invalidates non-global stage-1 entries of EL1, by VMID and ASID',
    ['S1P'],
    {
      ASID,
      VMID,
    },
  ),
  TLBI_NH_VA: command(
    0x12,
    '4.4.2.4',
    'invalidates stage-1 entries of EL1, by VMID, VA and ASID or global',
    ['S1P'],
    {
      Address: VA,
      ...LEVEL_HINT,
      Leaf,
      ASID,
      VMID,
      ...SPAN,
    },
  ),
  TLBI_NH_VAA: command(
    0x13,
    '4.4.2.3',
    'invalidates stage-1 entries of EL1, by VMID and VA, of every ASID',
    ['S1P'],
    {
      Address: VA,
      ...LEVEL_HINT,
      Leaf,
      VMID,
      ...SPAN,
    },
  ),
  TLBI_EL3_ALL: command(0x18, '4.4.2.5', 'invalidates all entries of EL3', ['Secure', 'S1P']),
  TLBI_EL3_VA: command(0x1a, '4.4.2.6', 'invalidates entries of EL3, by VA', ['Secure', 'S1P'], {
    Address: VA,
    ...LEVEL_HINT,
    Leaf,
    ...SPAN,
  }),
  TLBI_EL2_ALL: command(0x20, '4.4.2.7', 'invalidates all entries of EL2', ['S1P', 'Hyp']),
  TLBI_EL2_ASID: command(
    0x21,
    '4.4.2.10',
    'invalidates non-global entries of EL2-E2H, by ASID',
    ['S1P', 'Hyp'],
    {
      ASID,
    },
  ),
  TLBI_EL2_VA: command(
    0x22,
    '4.4.2.8',
    'invalidates entries of EL2, by VA; with SMMU_CR2.E2H by ASID too',
    ['S1P', 'Hyp'],
    {
      Address: VA,
      ...LEVEL_HINT,
      Leaf,
      ASID,
      ...SPAN,
    },
  ),
  TLBI_EL2_VAA: command(0x23, '4.4.2.9', 'invalidates entries of EL2, by VA, of every ASID', ['S1P', 'Hyp'], {
    Address: VA,
    ...LEVEL_HINT,
    Leaf,
    ...SPAN,
  }),
  TLBI_S12_VMALL: command(0x28, '4.4.3.2', 'invalidates entries of EL1 of both stages, by VMID', ['S2P'], {
    VMID,
  }),
  TLBI_S2_IPA: command(
    0x2a,
    '4.4.3.1',
    'invalidates stage-2 entries, by VMID and IPA; entries of both stages may stay',
    ['S2P'],
    {
      Address: IPA,
      ...LEVEL_HINT,
      Leaf,
      VMID,
      ...SPAN,
    },
  ),
  TLBI_NSNH_ALL: command(
    0x30,
    '4.4.4.1',
    'invalidates all Non-secure entries but those of EL2, of every VMID',
  ),
  ATC_INV: command(0x40, '4.5.1', "invalidates translations in a device's cache (PCIe ATS)", ['ATS'], {
    Address: VA,
    Size: bits(69, 64, 'the span is 4096 * 2^Size bytes; 52: all'),
    StreamID,
    SubstreamID,
    SSV,
    Global: bit(9, 'entries of all PASIDs', NO_YES),
  }),
  PRI_RESP: command(0x41, '4.5.2', 'answers a page request group of a device (PCIe PRI)', ['PRI'], {
    Resp: bits(77, 76, 'answer', ['ResponseFailure', 'InvalidRequest', 'Success', 'reserved: CERROR_ILL']),
    PRGIndex: bits(72, 64, 'the page request group'),
    StreamID,
    SubstreamID,
    SSV,
  }),
  RESUME: command(0x44, '4.7.1', 'retries or ends a stalled transaction', ['stalls'], {
    STAG: bits(79, 64, 'token of the transaction, from its event record'),
    StreamID,
    Ab: bit(13, 'if it ends, the device sees', ['RAZ/WI', 'an abort']),
    Ac: bit(12, 'the transaction', ['ends', 'is retried']),
    SSec,
  }),
  STALL_TERM: command(0x45, '4.7.2', 'ends all stalled transactions of a stream', ['stalls'], {
    StreamID,
    SSec,
  }),
  SYNC: command(0x46, '4.7.3', 'is consumed when all commands before it are complete', [], {
    MSIAddress: bits(119, 66, 'where an MSI is written; 0: none', { address: 2 }),
    MSIData: bits(63, 32, 'what the MSI writes'),
    MSIAttr: bits(27, 24, 'memory type of the MSI, as STE.MemAttr'),
    MSH: bits(23, 22, 'shareability of the MSI', [
      'non-shareable',
      'reserved: as 0',
      'outer shareable',
      'inner shareable',
    ]),
    CS: bits(13, 12, 'signal when it completes', [
      'none',
      'interrupt',
      'event (SEV)',
      'reserved: CERROR_ILL',
    ]),
  }),
  TLBI_S_EL2_ALL: command(0x50, '4.4.2.11', 'invalidates all entries of S-EL2', ['Secure', 'S1P']),
  TLBI_S_EL2_ASID: command(
    0x51,
    '4.4.2.14',
    'invalidates non-global entries of S-EL2-E2H, by ASID',
    ['Secure', 'S1P'],
    {
      ASID,
    },
  ),
  TLBI_S_EL2_VA: command(0x52, '4.4.2.12', 'invalidates entries of S-EL2, by VA', ['Secure', 'S1P'], {
    Address: VA,
    ...LEVEL_HINT,
    Leaf,
    ASID,
    ...SPAN,
  }),
  TLBI_S_EL2_VAA: command(
    0x53,
    '4.4.2.13',
    'invalidates entries of S-EL2, by VA, of every ASID',
    ['Secure', 'S1P'],
    {
      Address: VA,
      ...LEVEL_HINT,
      Leaf,
      ...SPAN,
    },
  ),
  TLBI_S_S12_VMALL: command(
    0x58,
    '4.4.3.4',
    'invalidates Secure entries of both stages, by VMID',
    ['Secure', 'S2P'],
    {
      VMID,
    },
  ),
  TLBI_S_S2_IPA: command(
    0x5a,
    '4.4.3.3',
    'invalidates Secure stage-2 entries, by VMID and IPA',
    ['Secure', 'S2P'],
    {
      Address: IPA,
      ...LEVEL_HINT,
      NS,
      Leaf,
      VMID,
      ...SPAN,
    },
  ),
  TLBI_SNH_ALL: command(0x60, '4.4.4.2', 'invalidates all Secure entries but those of S-EL2', [
    'Secure',
    'S2P',
  ]),
  DPTI_ALL: command(0x70, '4.6.1', 'invalidates all cached DPT information', ['DPT']),
  /** The manual's text gives its fields (SIZE, Leaf, Physical Address), but not where they lie. */
  DPTI_PA: command(0x73, '4.6.2', 'invalidates cached DPT information of a region', ['DPT']),
} as const satisfies Readonly<Record<string, CommandTraits>>;

/** A command by its name without `CMD_`. */
export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** The first byte of every command. */
export const OPCODE = bits(7, 0, 'which command');

const BY_OPCODE = new Map<number, CommandName>(COMMAND_NAMES.map((name) => [COMMANDS[name].opcode, name]));

/** Undefined: Reserved, or IMPLEMENTATION DEFINED (0x80 to 0x8f). */
export function commandWithOpcode(opcode: number): CommandName | undefined {
  return BY_OPCODE.get(opcode);
}

/** CFGI_STE_RANGE.Range of CMD_CFGI_ALL. (4.3.6.) */
export const ALL_STREAMS = 31;

const LAYOUTS = new Map<CommandName, WordLayout>();

/** The fields of a command, with the opcode. */
export function commandLayout(name: CommandName): WordLayout {
  let made = LAYOUTS.get(name);
  if (made === undefined) {
    const { opcode, section, title, fields }: CommandTraits = COMMANDS[name];
    const word = { name: `CMD_${name}`, title, reference: `IHI 0070 ${section}`, width: 128 };
    made = layout(word, { ...fields, Opcode: { ...OPCODE, values: { [opcode]: `CMD_${name}` } } });
    LAYOUTS.set(name, made);
  }
  return made;
}
