/** Fault status in AArch32: DFSR and IFSR in both forms. (DDI 0487 G8.2.47, G8.2.103.) */
import { bit, bits, layout } from '../field.ts';
import { NO_YES } from './values.ts';

const LPAE = bit(9, 'descriptor format', ['short', 'long']);
const ExT = bit(12, 'external abort type, IMPLEMENTATION DEFINED');
/** The status of short descriptors, in two parts. */
const FS = {
  high: bit(10, 'fault status, bit 4', { name: 'FS[4]' }),
  low: bits(3, 0, 'fault status, bits 3 to 0', { name: 'FS[3:0]' }),
};

const DATA = {
  FnV: bit(16, 'DFAR (with an external abort)', ['valid', 'not valid']),
  AET: bits(15, 14, 'state of the PE after an SError', {
    values: ['uncontainable', 'unrecoverable', 'restartable', 'recoverable'],
    feature: 'FEAT_RAS',
  }),
  CM: bit(13, 'a cache maintenance instruction', NO_YES),
  ExT,
  WnR: bit(11, 'what the access did', ['read', 'write']),
};

export const DFSR_SHORT = layout(
  {
    name: 'DFSR',
    aliases: ['FSR'],
    title: 'Data Fault Status Register (AArch32) with short descriptors',
    reference: 'DDI 0487 G8.2.47',
    width: 32,
  },
  {
    ...DATA,
    FS4: FS.high,
    LPAE,
    Domain: bits(7, 4, 'domain of the entry, where the level that faulted has one'),
    FS: FS.low,
  },
);

export const DFSR_LONG = layout(
  {
    name: 'DFSR',
    title: 'Data Fault Status Register (AArch32) with long descriptors',
    reference: 'DDI 0487 G8.2.47',
    width: 32,
  },
  { ...DATA, LPAE, STATUS: bits(5, 0, 'fault status code, as DFSC of AArch64') },
);

const FETCH = { FnV: bit(16, 'IFAR (with an external abort)', ['valid', 'not valid']), ExT };

export const IFSR_SHORT = layout(
  {
    name: 'IFSR',
    title: 'Instruction Fault Status Register (AArch32) with short descriptors',
    reference: 'DDI 0487 G8.2.103',
    width: 32,
  },
  { ...FETCH, FS4: FS.high, LPAE, FS: FS.low },
);

export const IFSR_LONG = layout(
  {
    name: 'IFSR',
    title: 'Instruction Fault Status Register (AArch32) with long descriptors',
    reference: 'DDI 0487 G8.2.103',
    width: 32,
  },
  { ...FETCH, LPAE, STATUS: bits(5, 0, 'fault status code, as IFSC of AArch64') },
);

/** The five bits of FS, of which DFSR and IFSR have the highest apart. */
export const SHORT_STATUS = layout(
  { name: 'FS', title: 'Fault status of short descriptors', reference: 'DDI 0487 G8.2.47', width: 5 },
  { high: bit(4, 'bit 4'), low: bits(3, 0, 'bits 3 to 0') },
);
