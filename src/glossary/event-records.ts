/** How an SMMUv3 event record is laid out: the common fields, put together for each event. (IHI 0070 7.3; 256 bits.) */
import type { Field } from '../descriptor/index.ts';
import { type RegisterLayout, rowsOf } from './register.ts';

/** Fields that events have in common, by what they are about. */
export type Part =
  | 'substream'
  | 'access'
  | 'input'
  | 'stall'
  | 'stage'
  | 'ipa'
  | 'fetch'
  | 'reason'
  | 'ttrnw'
  | 'request';

const NO_YES = ['no', 'yes'];
const EVENT_CLASSES = [
  'CD: the fetch of a CD',
  'TTD: the fetch of a stage-1 descriptor',
  'IN: the input address',
  'reserved',
];

function partFields(reference: string): Readonly<Record<Part, readonly Field[]>> {
  const r = rowsOf(reference);
  return {
    fetch: [r(247, 195, 'FetchAddr', 'physical address of the fetch, bits [55:3]')],
    ipa: [r(247, 204, 'IPA', 'intermediate physical address, bits [55:12]; of meaning with S2 = 1')],
    input: [r(191, 128, 'InputAddr', 'the address that the device used')],
    ttrnw: [r(108, 108, 'TTRnW', 'with CLASS TTD: what was done to the descriptor', ['write', 'read'])],
    stage: [
      r(105, 104, 'CLASS', 'what the SMMU was doing', EVENT_CLASSES),
      r(103, 103, 'S2', 'the fault is of', ['stage 1', 'stage 2']),
    ],
    access: [
      r(99, 99, 'RnW', 'what the device did', ['write', 'read']),
      r(98, 98, 'InD', 'what was accessed', ['data', 'instruction']),
      r(97, 97, 'PnU', 'the access was', ['unprivileged', 'privileged']),
    ],
    stall: [
      r(95, 95, 'Stall', 'the transaction', ['was terminated', 'waits for CMD_RESUME']),
      r(79, 64, 'STAG', 'token for CMD_RESUME'),
    ],
    reason: [r(79, 64, 'Reason', 'IMPLEMENTATION DEFINED')],
    request: [
      r(191, 140, 'InputAddr[63:12]', 'first page of the hint'),
      r(115, 108, 'Span', 'pages of 4K'),
      r(103, 103, 'pR', 'a privileged read is expected', NO_YES),
      r(102, 102, 'pW', 'a privileged write is expected', NO_YES),
      r(101, 101, 'pX', 'a privileged execution is expected', NO_YES),
      r(99, 99, 'uR', 'an unprivileged read is expected', NO_YES),
      r(98, 98, 'uW', 'an unprivileged write is expected', NO_YES),
      r(97, 97, 'uX', 'an unprivileged execution is expected', NO_YES),
    ],
    substream: [
      r(31, 12, 'SubstreamID', 'the PASID; of meaning with SSV = 1'),
      r(11, 11, 'SSV', 'a SubstreamID came with the transaction', NO_YES),
    ],
  };
}

const UPPER: readonly Part[] = [
  'fetch',
  'ipa',
  'request',
  'input',
  'ttrnw',
  'stage',
  'access',
  'stall',
  'reason',
];

/** The record of event `number`, from the parts that it has. @param section - of IHI 0070. */
export function eventRecordLayout(
  name: string,
  number: number,
  section: string,
  parts: readonly Part[],
): RegisterLayout {
  const reference = `IHI 0070 ${section}`;
  const r = rowsOf(reference);
  const fields = partFields(reference);
  return {
    name,
    title: `SMMUv3 event record ${name}`,
    reference,
    width: 256,
    fields: [
      ...UPPER.filter((part) => parts.includes(part)).flatMap((part) => fields[part]),
      r(63, 32, 'StreamID', 'the stream of the transaction'),
      ...(parts.includes('substream') ? fields.substream : []),
      r(7, 0, 'Number', 'event number', { [number]: name }),
    ],
  };
}
