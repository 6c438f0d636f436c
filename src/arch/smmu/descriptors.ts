/** Level 1 descriptors: of a stream table and of a table of CDs. (IHI 0070 G.b, 5.1, 5.3.) */
import { bit, bits, layout } from '../field.ts';
import { NO_YES } from '../registers/values.ts';

export const L1STD = layout(
  {
    name: 'L1STD',
    title: 'Level 1 Stream Table Descriptor: where the STEs of a part of the StreamIDs are',
    reference: 'IHI 0070 5.1',
    width: 64,
  },
  {
    L2Ptr: bits(55, 6, 'address of the second level', { address: 6 }),
    Span: bits(4, 0, 'the second level has 2^(Span-1) STEs; 0, and above 11: none'),
  },
);

/** Spans above are reserved, and count as 0. */
export const LARGEST_SPAN = 11;

export const L1CD = layout(
  {
    name: 'L1CD',
    title: 'Level 1 Context Descriptor: where the CDs of a part of the SubstreamIDs are',
    reference: 'IHI 0070 5.3',
    width: 64,
  },
  {
    L2Ptr: bits(55, 12, 'address of the second level, an IPA where there is a stage 2', { address: 12 }),
    V: bit(0, 'the descriptor is valid; else C_BAD_SUBSTREAMID', NO_YES),
  },
);
