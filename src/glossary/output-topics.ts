/** Names that answers print and that are no field, register or fault: regimes, formats, rules of the lint, memory types, rights and error codes. A sentence or two each. */
import { formats } from '../../formats/index.ts';
import { machineRegimes, traitsOf } from '../arch/regimes.ts';
import { RULES } from '../lint/rules.ts';
import type { Topic } from './topic.ts';

/** A short name as answers print it, other names of the same, and what it says. */
type Word = readonly [name: string, aliases: readonly string[], says: string, reference: string];

const MEMORY: readonly Word[] = [
  [
    'WB',
    ['Write-Back', 'writeback'],
    'Normal memory, cached: a write stays in the cache until its line is written back.',
    'DDI 0487 B2.10',
  ],
  [
    'WT',
    ['Write-Through', 'writethrough'],
    'Normal memory, cached: a write goes to memory at once.',
    'DDI 0487 B2.10',
  ],
  ['NC', ['Non-cacheable'], 'Normal memory that is not cached.', 'DDI 0487 B2.10'],
  [
    'WB/IMP',
    [],
    "A Mali GPU's attribute byte: Write-Back, with allocation as the GPU chooses.",
    'Linux, drivers/iommu/io-pgtable-arm.c',
  ],
  [
    'RW-allocate',
    ['R-allocate', 'W-allocate', 'no allocate'],
    'Hints of Normal memory: whether a read or write that misses fills the cache.',
    'DDI 0487 B2.10',
  ],
  [
    'nGnRnE',
    ['Device-nGnRnE', 'Strongly-ordered'],
    'Device memory: no gathering, no reordering, no early acknowledgement. The strictest type, and AttrIndx 0 of a MAIR of 0.',
    'DDI 0487 B2.10.2',
  ],
  [
    'nGnRE',
    ['Device-nGnRE'],
    'Device memory: no gathering and no reordering; a write may be acknowledged early. What drivers mean by device memory as a rule.',
    'DDI 0487 B2.10.2',
  ],
  ['nGRE', ['Device-nGRE'], 'Device memory: no gathering; accesses may be reordered.', 'DDI 0487 B2.10.2'],
  [
    'GRE',
    ['Device-GRE'],
    'Device memory: accesses may be merged, reordered and acknowledged early.',
    'DDI 0487 B2.10.2',
  ],
  [
    'ISH',
    ['inner shareable', 'inner-shareable'],
    'Coherent among the PEs (and devices) of the Inner Shareable domain: what one operating system runs on.',
    'DDI 0487 B2.10.1',
  ],
  [
    'OSH',
    ['outer shareable', 'outer-shareable'],
    'Coherent in the Outer Shareable domain, which holds Inner Shareable ones. Device and Non-cacheable memory always is.',
    'DDI 0487 B2.10.1',
  ],
  ['NSH', ['non-shareable'], 'Coherent for one PE only: others may see old data.', 'DDI 0487 B2.10.1'],
  ['Tagged', [], 'Normal Write-Back memory with allocation tags (FEAT_MTE2).', 'DDI 0487 D8.6, D10'],
  [
    'rwx',
    [],
    'Rights: read, write, execute. Two groups are privileged and unprivileged rights, in this order; one group is that of a regime without EL0.',
    'DDI 0487 D8.4',
  ],
];

const ERRORS: readonly Word[] = [
  [
    'EINVAL',
    ['-22'],
    'An argument is refused: misaligned, empty, or beyond what the table can hold.',
    'Linux, errno',
  ],
  ['ERANGE', ['-34'], 'Addresses beyond the input or output size of the table.', 'Linux, errno'],
  ['EEXIST', ['-17'], 'Something is mapped there already.', 'Linux, errno'],
  ['ENOENT', ['-2'], 'Nothing is mapped there.', 'Linux, errno'],
  ['ENOMEM', ['-12'], 'No frame is left for a table, or no IOVA for a list.', 'Linux, errno'],
];

/** Regimes, formats, lint rules, memory types, rights and error codes. */
export function outputTopics(): Topic[] {
  return [
    ...machineRegimes.map(regimeTopic),
    ...formats.map(({ name, title }) => ({
      name,
      group: 'word' as const,
      aliases: [],
      summary: `A format of page tables: ${title}.`,
    })),
    ...RULES.map(({ name, severity, summary, why, reference }) => ({
      name,
      group: 'lint rule' as const,
      aliases: [],
      summary: `Of severity ${severity}: ${summary}. ${why}`,
      reference,
    })),
    ...[...MEMORY, ...ERRORS].map(([name, aliases, summary, reference]) => ({
      name,
      group: 'word' as const,
      aliases,
      summary,
      reference,
    })),
  ];
}

function regimeTopic(regime: (typeof machineRegimes)[number]): Topic {
  const { architecture, el, stage1, stage2, ranges, unprivileged, descriptors, registers, aliases } =
    traitsOf(regime);
  const stages = stage1 && stage2 ? 'stage 1 under stage 2' : stage1 ? 'stage 1' : 'stage 2 alone';
  const facts = [
    architecture === 'SMMU' ? 'a stream of an SMMUv3' : architecture,
    ...(el === undefined ? [] : [`controlled from EL${el}`]),
    stages,
    `${descriptors} descriptors`,
    ...(stage1 ? [ranges === 2 ? 'two ranges of addresses' : 'one range of addresses'] : []),
    unprivileged ? 'privileged and unprivileged accesses' : 'only privileged accesses',
  ];
  const read = Object.values(registers);
  return {
    name: regime,
    group: 'regime',
    aliases,
    summary: `A translation regime: ${facts.join(', ')}.${read.length > 0 ? ` It reads ${read.join(', ')}.` : ''}`,
    ...(architecture === 'AArch64' && { reference: 'DDI 0487 D8.1.2' }),
  };
}
