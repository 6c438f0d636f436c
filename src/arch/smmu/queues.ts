/** Registers of the queues of an SMMUv3. (IHI 0070 G.b, 6.3.26 to 6.3.33, 6.3.95 to 6.3.98.) */
import { bit, bits, layout } from '../field.ts';
import { NO_YES } from '../registers/values.ts';

export const SMMU_QUEUE_BASE = layout(
  {
    name: 'SMMU_CMDQ_BASE',
    aliases: ['SMMU_EVENTQ_BASE', 'SMMU_PRIQ_BASE', 'CMDQ_BASE', 'EVENTQ_BASE', 'PRIQ_BASE'],
    title: 'SMMUv3 queue: where it is, and how large',
    reference: 'IHI 0070 6.3.26, 6.3.29',
    width: 64,
  },
  {
    RA: bit(62, 'a hint to allocate on reads (writes, for queues that the SMMU fills)', NO_YES),
    ADDR: bits(55, 5, 'physical address of the queue; aligned to its size', { address: 5 }),
    LOG2SIZE: bits(4, 0, 'the queue has 2^LOG2SIZE entries'),
  },
);

export const SMMU_EVENTQ_PROD = layout(
  {
    name: 'SMMU_EVENTQ_PROD',
    aliases: ['EVENTQ_PROD', 'SMMU_PRIQ_PROD', 'PRIQ_PROD'],
    title: 'SMMUv3 Event queue producer index',
    reference: 'IHI 0070 6.3.95, 6.3.97',
    width: 32,
  },
  {
    OVFLG: bit(31, 'toggled when an event is lost because the queue is full'),
    WR: bits(19, 0, 'the next entry that the SMMU writes, with the wrap bit above'),
  },
);

export const SMMU_EVENTQ_CONS = layout(
  {
    name: 'SMMU_EVENTQ_CONS',
    aliases: ['EVENTQ_CONS', 'SMMU_PRIQ_CONS', 'PRIQ_CONS'],
    title: 'SMMUv3 Event queue consumer index',
    reference: 'IHI 0070 6.3.96, 6.3.98',
    width: 32,
  },
  {
    OVACKFLG: bit(31, 'software sets it to OVFLG to acknowledge an overflow'),
    RD: bits(19, 0, 'the next entry that software reads, with the wrap bit above'),
  },
);

/** An entry of the PRI queue: its first word, and the second. (8.) */
export const PAGE_REQUEST = layout(
  {
    name: 'PRI_REQUEST',
    title: 'SMMUv3 page request of a device: who asks for what',
    reference: 'IHI 0070 8',
    width: 64,
  },
  {
    SSV: bit(63, 'a SubstreamID came with the request', NO_YES),
    Last: bit(62, 'the last request of its group', NO_YES),
    W: bit(61, 'to be written', NO_YES),
    R: bit(60, 'to be read', NO_YES),
    X: bit(59, 'to be executed', NO_YES),
    Priv: bit(58, 'for privileged accesses', NO_YES),
    SubstreamID: bits(51, 32, 'the PASID; of meaning with SSV = 1'),
    StreamID: bits(31, 0, 'the stream'),
  },
);

export const PAGE_REQUEST_ADDRESS = layout(
  {
    name: 'PRI_REQUEST_ADDRESS',
    title: 'SMMUv3 page request of a device: the page, and the group',
    reference: 'IHI 0070 8',
    width: 64,
  },
  {
    Address: bits(63, 12, 'the page', { address: 12 }),
    PRGIndex: bits(8, 0, 'the page request group'),
  },
);

/** CMDQ_CONS.ERR by name. (7.1.) */
export const COMMAND_ERRORS = { none: 0, illegal: 1, abort: 2, atcInvSync: 3 } as const;

/** log2 of the bytes of a command, and of an event record. */
export const COMMAND_LOG2 = 4;
export const EVENT_LOG2 = 5;
/** And of a page request. */
export const PRI_LOG2 = 4;

/** The most entries that a queue can have, as log2. */
export const QUEUE_LOG2_LIMIT = 19;
