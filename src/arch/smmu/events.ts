/** Event records of an SMMUv3: their fields, in the parts that events have in common, and what each event is made of. (IHI 0070 G.b, 7.3.) */
import { type BitField, bit, bits, layout, type WordLayout } from '../field.ts';
import { NO_YES } from '../registers/values.ts';

/** CLASS by value: fetching a CD, fetching a stage-1 descriptor, or translating the input. 3 is reserved. */
export const EVENT_CLASSES = ['cd', 'tt', 'in'] as const;

/** What can stand in a record; of several fields with the same bits an event has one. */
export const EVENT = layout(
  { name: 'event record', title: 'SMMUv3 event record', reference: 'IHI 0070 7.3', width: 256 },
  {
    FetchAddr: bits(247, 195, 'physical address of the fetch, bits [55:3]', { address: 3 }),
    IPA: bits(247, 204, 'intermediate physical address, bits [55:12]; meaningful with S2 = 1', {
      address: 12,
    }),
    InputAddr: bits(191, 128, 'the address that the device used', { address: 0 }),
    FirstPage: bits(191, 140, 'first page of the hint', { name: 'InputAddr[63:12]', address: 12 }),
    Span: bits(115, 108, 'pages of 4K'),
    TTRnW: bit(108, 'with CLASS TTD: what was done to the descriptor', ['write', 'read']),
    CLASS: bits(105, 104, 'what the SMMU was doing', [
      'CD: the fetch of a CD',
      'TTD: the fetch of a stage-1 descriptor',
      'IN: the input address',
      'reserved',
    ]),
    S2: bit(103, 'the fault is of', ['stage 1', 'stage 2']),
    pR: bit(103, 'a privileged read is expected', NO_YES),
    pW: bit(102, 'a privileged write is expected', NO_YES),
    pX: bit(101, 'a privileged execution is expected', NO_YES),
    uR: bit(99, 'an unprivileged read is expected', NO_YES),
    uW: bit(98, 'an unprivileged write is expected', NO_YES),
    uX: bit(97, 'an unprivileged execution is expected', NO_YES),
    RnW: bit(99, 'what the device did', ['write', 'read']),
    InD: bit(98, 'what was accessed', ['data', 'instruction']),
    PnU: bit(97, 'the access was', ['unprivileged', 'privileged']),
    Stall: bit(95, 'the transaction', ['was terminated', 'waits for CMD_RESUME']),
    STAG: bits(79, 64, 'token for CMD_RESUME'),
    Reason: bits(79, 64, 'IMPLEMENTATION DEFINED'),
    StreamID: bits(63, 32, 'the stream of the transaction'),
    SubstreamID: bits(31, 12, 'the PASID; meaningful with SSV = 1'),
    INDEX: bits(31, 12, 'the PASID; 0 where CD 0 was wanted without one', { name: 'SubstreamID' }),
    SSV: bit(11, 'a SubstreamID came with the transaction', NO_YES),
    RES0: bits(10, 8, 'no event has them; if they are not 0, the words are not a record'),
    Number: bits(7, 0, 'event number'),
  },
);

/** Fields that events have in common, by what they are about. */
export type EventPart = keyof typeof PARTS;

const { fields } = EVENT;

/** In the order in which they stand in a record, from the highest bit down. */
const PARTS = {
  fetch: [fields.FetchAddr],
  ipa: [fields.IPA],
  request: [fields.FirstPage, fields.Span, fields.pR, fields.pW, fields.pX, fields.uR, fields.uW, fields.uX],
  input: [fields.InputAddr],
  ttrnw: [fields.TTRnW],
  stage: [fields.CLASS, fields.S2],
  access: [fields.RnW, fields.InD, fields.PnU],
  stall: [fields.Stall, fields.STAG],
  reason: [fields.Reason],
  stream: [fields.StreamID],
  substream: [fields.SubstreamID, fields.SSV],
  index: [fields.INDEX],
  number: [fields.Number],
} as const satisfies Readonly<Record<string, readonly BitField[]>>;

/** An event: its number, where it is described, and what its record has beside number and StreamID. */
export interface EventTraits {
  readonly number: number;
  /** Of IHI 0070. */
  readonly section: string;
  readonly parts: readonly EventPart[];
}

const FETCH = ['substream', 'fetch', 'reason'] as const;
const FAULT = ['substream', 'input', 'access', 'stage', 'stall', 'ipa'] as const;

/** Every event, by its name in the manual. */
export const EVENTS = {
  F_UUT: { number: 0x01, section: '7.3.2', parts: ['substream', 'input', 'access', 'reason'] },
  C_BAD_STREAMID: { number: 0x02, section: '7.3.3', parts: ['substream'] },
  F_STE_FETCH: { number: 0x03, section: '7.3.4', parts: FETCH },
  C_BAD_STE: { number: 0x04, section: '7.3.5', parts: ['substream'] },
  F_BAD_ATS_TREQ: { number: 0x05, section: '7.3.6', parts: ['substream'] },
  F_STREAM_DISABLED: { number: 0x06, section: '7.3.7', parts: [] },
  F_TRANSL_FORBIDDEN: { number: 0x07, section: '7.3.8', parts: ['input', 'access'] },
  C_BAD_SUBSTREAMID: { number: 0x08, section: '7.3.9', parts: ['index'] },
  F_CD_FETCH: { number: 0x09, section: '7.3.10', parts: FETCH },
  C_BAD_CD: { number: 0x0a, section: '7.3.11', parts: ['substream'] },
  F_WALK_EABT: {
    number: 0x0b,
    section: '7.3.12',
    parts: ['substream', 'input', 'access', 'stage', 'fetch', 'reason'],
  },
  F_TRANSLATION: { number: 0x10, section: '7.3.13', parts: FAULT },
  F_ADDR_SIZE: { number: 0x11, section: '7.3.14', parts: FAULT },
  F_ACCESS: { number: 0x12, section: '7.3.15', parts: FAULT },
  F_PERMISSION: { number: 0x13, section: '7.3.16', parts: [...FAULT, 'ttrnw'] },
  F_TLB_CONFLICT: {
    number: 0x20,
    section: '7.3.17',
    parts: ['substream', 'input', 'access', 'stage', 'ipa', 'reason'],
  },
  F_CFG_CONFLICT: { number: 0x21, section: '7.3.18', parts: ['substream', 'reason'] },
  E_PAGE_REQUEST: { number: 0x24, section: '7.3.19', parts: ['substream', 'request'] },
  F_VMS_FETCH: { number: 0x25, section: '7.3.20', parts: FETCH },
} as const satisfies Readonly<Record<string, EventTraits>>;

/** The manual's name of an event. */
export type EventName = keyof typeof EVENTS;

/** The fields of an event's record. */
export function eventLayout(name: EventName): WordLayout {
  const { number, section, parts }: EventTraits = EVENTS[name];
  const reference = `IHI 0070 ${section}`;
  const has = (part: string) => ['stream', 'number', ...parts].includes(part);
  const own = Object.entries<readonly BitField[]>(PARTS).flatMap(([part, found]) => (has(part) ? found : []));
  const named = (field: BitField): BitField =>
    field === fields.Number ? { ...field, values: { [number]: name } } : field;
  return {
    name,
    title: `SMMUv3 event record ${name}`,
    reference,
    width: EVENT.width,
    fields: Object.fromEntries(own.map((field) => [field.name, { ...named(field), reference }])),
  };
}

/** A record whose event is not known: IMPLEMENTATION DEFINED, or of a later version. */
export const UNKNOWN_EVENT: WordLayout = {
  ...EVENT,
  title: 'SMMUv3 event record of an unknown event',
  fields: { StreamID: fields.StreamID, Number: fields.Number },
};

/** Numbers of IMPLEMENTATION DEFINED events. (7.3.21.) */
export const IMPLEMENTATION_DEFINED_EVENTS = { first: 0xe0, last: 0xef } as const;
