/** Commands of an SMMUv3 and TLB maintenance instructions, with the fields of their operands. (IHI 0070 4; DDI 0487 D8.17.5.) */
import { fieldsOf, type WordLayout } from '../arch/field.ts';
import { TLBI_IPA, TLBI_RANGE, TLBI_VA } from '../arch/registers/tlbi.ts';
import {
  COMMAND_NAMES,
  COMMANDS,
  type CommandName,
  type CommandNeed,
  type CommandTraits,
  commandLayout,
} from '../arch/smmu/index.ts';
import { capitalised } from '../text/sentence.ts';
import { fieldOf } from './fault-topics.ts';
import type { Topic, TopicField } from './topic.ts';

export function maintenanceTopics(): Topic[] {
  return [...COMMAND_NAMES.map(commandTopic), ALL, ...instructions().map(instructionTopic), CLEANS, TLBI];
}

const NEEDS: Readonly<Record<CommandNeed, string>> = {
  S1P: 'stage 1 (SMMU_IDR0.S1P)',
  S2P: 'stage 2 (SMMU_IDR0.S2P)',
  Hyp: 'EL2 (SMMU_IDR0.Hyp)',
  ATS: 'ATS (SMMU_IDR0.ATS)',
  PRI: 'PRI (SMMU_IDR0.PRI)',
  MPAM: 'MPAM (SMMU_IDR3.MPAM)',
  DPT: 'a device permission table (SMMU_IDR3.DPT)',
  stalls: 'stalls (SMMU_IDR0.STALL_MODEL)',
  Secure: 'the Secure Command queue',
};

/** 4.8: what it means that a command was consumed. */
function consumption(name: CommandName): string {
  if (name === 'SYNC') return '';
  if (name === 'RESUME' || name === 'STALL_TERM') return ' Once it is consumed, it will be done.';
  if (name.startsWith('PREFETCH') || name === 'PRI_RESP') return '';
  return ' That it was consumed means nothing: CMD_SYNC completes it (4.8).';
}

/** The manual's text names the fields of CMD_DPTI_PA, but not their bits. */
const UNPLACED = ' Where its fields (SIZE, Leaf, Physical Address) lie is not known here.';

function commandTopic(name: CommandName): Topic {
  const { title, needs, section }: CommandTraits = COMMANDS[name];
  const without = needs.map((need) => NEEDS[need]);
  const illegal = without.length === 0 ? '' : ` CERROR_ILL without ${without.join(' and ')}.`;
  return {
    name: `CMD_${name}`,
    group: 'SMMUv3 command',
    aliases: [name],
    summary: `${capitalised(title)}.${illegal}${consumption(name)}${name === 'DPTI_PA' ? UNPLACED : ''}`,
    reference: `IHI 0070 ${section}`,
    fields: fieldsOf(commandLayout(name)).map(fieldOf),
  };
}

const ALL: Topic = {
  name: 'CMD_CFGI_ALL',
  group: 'SMMUv3 command',
  aliases: ['CFGI_ALL'],
  summary: `Invalidates all cached configuration: CMD_CFGI_STE_RANGE with Range = 31.${consumption('CFGI_STE_RANGE')}`,
  reference: 'IHI 0070 4.3.6',
  see: ['CMD_CFGI_STE_RANGE'],
};

interface Instruction {
  readonly name: string;
  readonly says: string;
  readonly operand?: readonly TopicField[];
  /** Default: on this PE, IS and OS, each with nXS too. */
  readonly qualifiers?: readonly string[];
}

const named = (layout: WordLayout, without: readonly string[] = []): readonly TopicField[] =>
  fieldsOf(layout)
    .filter(({ name }) => !without.includes(name))
    .map(fieldOf);

/** Every operation without its qualifiers IS, OS and nXS. */
function instructions(): Instruction[] {
  const plain: Instruction[] = [
    { name: 'ALLE1', says: 'all entries of EL1&0, both stages, of every VMID' },
    { name: 'ALLE2', says: 'all entries of EL2, or of EL2&0 where HCR_EL2.E2H is 1' },
    { name: 'ALLE3', says: 'all entries of EL3' },
    { name: 'VMALLE1', says: 'all stage-1 entries of EL1&0, of the current VMID' },
    { name: 'VMALLS12E1', says: 'all entries of EL1&0, both stages, of the current VMID' },
    {
      name: 'ASIDE1',
      says: 'non-global stage-1 entries of EL1&0 by ASID, of the current VMID',
      operand: named(TLBI_VA, ['TTL', 'VA[55:12]']),
    },
    { name: 'PAALL', says: 'all cached granule protection information (FEAT_RME)', qualifiers: ['', 'OS'] },
    {
      name: 'RPA',
      says: 'cached granule protection information over a range of physical addresses (FEAT_RME)',
      qualifiers: ['OS'],
    },
    {
      name: 'RPAL',
      says: 'the same, only of the last level of the granule protection tables (FEAT_RME)',
      qualifiers: ['OS'],
    },
  ];
  return [...plain, ...byAddress()];
}

function byAddress(): Instruction[] {
  const kinds = [
    {
      type: 'VA',
      el: 1,
      what: 'stage-1 entries of EL1&0 by VA and ASID, global ones too, of the current VMID',
    },
    { type: 'VA', el: 2, what: 'entries of EL2 by VA, and of EL2&0 by ASID too' },
    { type: 'VA', el: 3, what: 'entries of EL3 by VA' },
    { type: 'VAA', el: 1, what: 'stage-1 entries of EL1&0 by VA, of every ASID, of the current VMID' },
    {
      type: 'IPAS2',
      el: 1,
      what: 'stage-2 entries by IPA; those of both stages combined may stay and need TLBI VMALLE1',
    },
  ];
  return kinds.flatMap(({ type, el, what }) =>
    ['', 'R'].flatMap((range) =>
      ['', 'L'].map((last) => {
        const layout = range === 'R' ? TLBI_RANGE : type === 'IPAS2' ? TLBI_IPA : TLBI_VA;
        const without = type === 'VA' && el < 3 ? [] : ['ASID'];
        const span = range === 'R' ? ', over a range (FEAT_TLBIRANGE)' : '';
        const level = last === 'L' ? ', only of the last level: cached table descriptors stay' : '';
        return {
          name: `${range}${type}${last}E${el}`,
          says: `${what}${span}${level}`,
          operand: named(layout, without),
        };
      }),
    ),
  );
}

const QUALIFIERS = ['', 'IS', 'OS', 'NXS', 'ISNXS', 'OSNXS'];

function instructionTopic({ name, says, operand, qualifiers = QUALIFIERS }: Instruction): Topic {
  const [first = ''] = qualifiers;
  return {
    name: `TLBI ${name}${first}`,
    group: 'TLB maintenance',
    aliases: qualifiers.flatMap((one) => [`TLBI ${name}${one}`, `${name}${one}`]),
    summary: `Invalidates ${says}. A DSB before it makes the change of the tables visible, a DSB after it completes it.`,
    reference: 'DDI 0487 D8.17.5',
    ...(operand !== undefined && { fields: operand }),
  };
}

const CLEANS: Topic = {
  name: 'TLBI VMALLWS2E1',
  group: 'TLB maintenance',
  aliases: QUALIFIERS.flatMap((one) => [`TLBI VMALLWS2E1${one}`, `VMALLWS2E1${one}`]),
  summary: 'Makes writable-dirty stage-2 entries of the current VMID writable-clean. None has to go.',
  reference: 'DDI 0487 D8.17.5',
};

const TLBI: Topic = {
  name: 'TLBI',
  group: 'TLB maintenance',
  aliases: [],
  summary:
    'TLB maintenance: TLBI <operation>{IS|OS}{nXS} invalidates entries on this PE, or in a shareability domain. A DSB completes it.',
  reference: 'DDI 0487 D8.17',
};
