/** Page table entries of RISC-V, Sv39 and Sv48, with Svnapot and Svpbmt. (RISC-V Privileged Architecture 1.13: "Sv39", "Svnapot", "Svpbmt".) */
import { bit, bits, type Condition, form, hole } from './declare.ts';

const WORD = { width: 64, reference: 'RISC-V Privileged "Sv39"' } as const;
const SVNAPOT = 'RISC-V Privileged "Svnapot"';
const LAST = 3;

const isRun: Condition = ({ run }) => run === true;
const isLastAlone: Condition = ({ run, level }) => level === LAST && run !== true;
const isSuper: Condition = ({ level }) => level < LAST;

const V = bit(0, 'valid', { fixed: 1 });
const G = bit(5, 'global: in every address space');
const RSW = bits(9, 8, 'free for software', { software: true });
/** It counts pages of 4K. */
const PPN = bits(53, 10, 'physical page number', { name: 'PPN', address: 12, sized: true, countedFrom: 12 });
/** Of every entry. */
export const RISCV_RESERVED = hole(60, 54, 'res0', 'reserved: a page fault if set');

export const RISCV_POINTER = form(
  WORD,
  { PPN, RSW, G, XWR: bits(3, 1, 'no permission at all: a pointer to the next table', { fixed: 0 }), V },
  [
    hole(63, 61, 'res0', 'N and PBMT are for leaves: a page fault if set'),
    RISCV_RESERVED,
    hole(7, 6, 'res0', 'D and A are for leaves'),
    hole(4, 4, 'res0', 'U is for leaves'),
  ],
);

const NAPOT = 'one of a naturally aligned range of equal entries';

/** R is a type bit: it tells a leaf from a pointer, and no driver asks for memory that can be executed but not read. */
export const RISCV_LEAF = form(
  WORD,
  {
    N: bit(63, NAPOT, { fixed: 1, reference: SVNAPOT, when: isRun }),
    ALONE: bit(63, NAPOT, { name: 'N', fixed: 0, reference: SVNAPOT, when: isLastAlone }),
    PBMT: bits(62, 61, 'memory type', {
      values: { 0: 'PMA', 1: 'NC: main memory, not cached', 2: 'IO: not cached, strongly ordered' },
      reference: 'RISC-V Privileged "Svpbmt"',
    }),
    PPN,
    RANGE: bits(13, 10, 'how long the range is', {
      name: 'PPN[3:0]',
      fixed: 8,
      values: { 8: '64K' },
      reference: SVNAPOT,
      when: isRun,
    }),
    RSW,
    D: bit(7, 'dirty: was written'),
    A: bit(6, 'accessed'),
    G,
    U: bit(4, 'for user mode'),
    X: bit(3, 'executable'),
    W: bit(2, 'writable'),
    R: bit(1, 'readable', { fixed: 1 }),
    V,
  },
  [
    hole(63, 63, 'res0', 'N is for the last level', isSuper, SVNAPOT),
    RISCV_RESERVED,
    hole(52, 10, 'res0', 'a superpage starts at a multiple of its size', isSuper),
  ],
);

export const RISCV_INVALID = form(WORD, { V: bit(0, 'not valid', { fixed: 0 }) }, [
  hole(63, 1, 'ignored', 'free for software'),
]);
