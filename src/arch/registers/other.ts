/**
 * Registers of MMUs that are not VMSA's. Arm publishes no manual of a Mali GPU's: the fields are those that Linux's drivers write
 * and read (panfrost_regs.h, panthor_regs.h). (RISC-V Privileged Architecture 1.13, "satp".)
 */
import { bit, bits, layout } from '../field.ts';
import { byNumber, numberedFields } from './parts.ts';

const MALI = 'Linux panfrost_regs.h';

export const AS_TRANSTAB = layout(
  {
    name: 'AS_TRANSTAB',
    title: 'Translation table of an address space of a Mali GPU',
    reference: MALI,
    width: 64,
  },
  {
    BASE: bits(51, 12, 'address of the root table', { address: 12 }),
    SHARE_OUTER: bit(4, 'table walks are outer shareable', ['no', 'yes']),
    READ_INNER: bit(2, 'table walks go through the inner cache', ['no', 'yes']),
    MODE: bits(1, 0, 'address mode', { 0: 'unmapped', 2: 'identity', 3: 'table' }),
  },
);

export const AS_MEMATTR = layout(
  {
    name: 'AS_MEMATTR',
    title: 'Memory types of an address space of a Mali GPU, one of which AttrIndx in a descriptor chooses',
    reference: MALI,
    width: 64,
  },
  numberedFields('ATTR', 8, (n) => bits(n * 8 + 7, n * 8, `memory type of AttrIndx = ${n}`)),
);
/** The byte that AttrIndx chooses. */
export const MALI_ATTRIBUTES = byNumber(AS_MEMATTR, 'ATTR');

/** A byte of AS_MEMATTR. */
export const MALI_MEMORY_TYPE = layout(
  { name: 'ATTR<n>', title: 'A memory type of a Mali GPU', reference: MALI, width: 8 },
  {
    outer: bits(7, 4, 'the cache outside the GPU', { 4: 'none', 8: 'as implemented' }),
    inner: bits(3, 0, "the GPU's own cache", { 8: 'as implemented', 13: 'allocates', 15: 'allocates' }),
  },
);

export const AS_FAULTSTATUS = layout(
  {
    name: 'AS_FAULTSTATUS',
    title: 'Fault status of an address space of a Mali GPU',
    reference: MALI,
    width: 32,
  },
  {
    SOURCE_ID: bits(31, 16, 'the unit of the GPU that made the access'),
    DECODER: bit(10, 'who found the fault', ['slave', 'decoder']),
    ACCESS_TYPE: bits(9, 8, 'the access', ['atomic', 'execute', 'read', 'write']),
    EXCEPTION_TYPE: bits(7, 0, 'the kind of fault, and its level'),
  },
);

/**
 * The exception types of AS_FAULTSTATUS by the kind of fault: the first, its name, and the levels that count up from it. There are no
 * leaves at level 0, which is what GPUs report if they do not know the level.
 */
export const MALI_EXCEPTIONS = [
  { first: 0xc0, kind: 'translation', name: 'TRANSLATION_FAULT', levels: [0, 1, 2, 3] },
  { first: 0xc8, kind: 'permission', name: 'PERM_FAULT', levels: [1, 2, 3] },
  { first: 0xd0, kind: 'external_walk', name: 'TRANSTAB_BUS_FAULT', levels: [0, 1, 2, 3] },
  { first: 0xd8, kind: 'access_flag', name: 'ACCESS_FLAG', levels: [1, 2, 3] },
  { first: 0xe0, kind: 'address_size', name: 'ADDR_SIZE_FAULT_IN', levels: [] },
  { first: 0xe4, kind: 'address_size', name: 'ADDR_SIZE_FAULT_OUT', levels: [0, 1, 2, 3] },
  { first: 0xe8, kind: 'other', name: 'MEM_ATTR_FAULT', levels: [0, 1, 2, 3] },
] as const;

export const SATP = layout(
  {
    name: 'satp',
    title: 'Supervisor Address Translation and Protection: mode, ASID and root table of a RISC-V hart',
    reference: 'RISC-V Privileged Architecture, satp',
    width: 64,
  },
  {
    MODE: bits(63, 60, 'address translation', { 0: 'Bare: none', 8: 'Sv39', 9: 'Sv48', 10: 'Sv57' }),
    ASID: bits(59, 44, 'address space of entries that are not global'),
    PPN: bits(43, 0, 'page number of the root table: its address shifted right by 12', { address: 12 }),
  },
);
