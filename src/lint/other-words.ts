/** What the rules of the lint say of MMUs that are not Arm's: their own words and sources, and none of DDI 0487. */
import { type MachineRegime, traitsOf } from '../arch/regimes.ts';
import { type Rule, type RuleName, ruleNamed } from './rules.ts';

type Words = Partial<Pick<Rule, 'summary' | 'why' | 'reference'>>;

const PRIVILEGED = 'RISC-V Privileged Architecture 1.13';
const TRANSLATION = `${PRIVILEGED}, "Virtual Address Translation Process"`;
const PROTECTION = `${PRIVILEGED}, "Addressing and Memory Protection"`;
const PBMT = `${PRIVILEGED}, "Svpbmt"`;

/** A rule that is not here says of RISC-V what it says of Arm. */
const RISCV: Partial<Record<RuleName, Words>> = {
  'register-fault': { reference: `${PRIVILEGED}, "satp"` },
  'register-unpredictable': { reference: `${PRIVILEGED}, "satp"` },
  'register-ignored': { reference: `${PRIVILEGED}, "satp"` },
  'illegal-block': {
    summary: 'an entry with V = 1 that is reserved',
    why: 'It is a page fault, whatever its other bits are: W without R, bits or a memory type that are reserved, a superpage that is not aligned, a pointer at the last level.',
  },
  'output-size': {
    why: 'The format has 56 physical address bits, and the hart fewer. An address beyond them gives an access fault.',
  },
  'outside-ram': {
    why: 'A walk through it ends with an access fault. In a dump, the memory may just be missing.',
  },
  'access-flag': {
    summary: 'a leaf with A = 0, which hardware does not set (Svade)',
    why: 'The first access is a page fault. An operating system that ages pages does this on purpose. In a driver it means that A was forgotten.',
    reference: `${PRIVILEGED}, "Svade"`,
  },
  'writable-executable': {
    why: 'Whoever can write there can run their own code. Firmware often maps all RAM like this.',
    reference: PROTECTION,
  },
  'writable-alias': {
    why: 'The memory is writable and executable all the same, at two addresses. It is normal that supervisor mode may write what user mode executes, so that is not reported.',
    reference: PROTECTION,
  },
  'execute-unreadable': {
    summary: 'memory that user mode may execute but not read',
    why: 'X = 1 with R = 0 is an execute-only page. With sstatus.MXR = 1 it can be read.',
    reference: PROTECTION,
  },
  'device-executable': {
    summary: 'I/O memory (PBMT = IO) that may be executed',
    why: 'Instructions may be fetched from it speculatively, and reading a device has side effects.',
    reference: PBMT,
  },
  'alias-attributes': {
    summary: 'physical memory that is mapped twice with different memory types',
    reference: PBMT,
  },
  'table-writable-el0': {
    summary: 'tables that user mode may write',
    why: 'User mode can then map any memory.',
    reference: PROTECTION,
  },
  'table-writable': {
    why: 'Whoever can write them can map anything. A kernel with a linear map does this for itself. For user mode see table-writable-el0.',
    reference: PROTECTION,
  },
};

/** Arm publishes no manual of Mali's MMU. */
const MALI = 'Linux io-pgtable-arm.c (ARM_MALI_LPAE), panfrost_regs.h';

/** A rule that is not here says of a Mali GPU what it says of Arm's CPUs. */
const MALI_WORDS: Partial<Record<RuleName, Words>> = {
  'illegal-block': {
    summary: 'an entry of a type that its level does not have',
    why: 'It is a TRANSLATION_FAULT, whatever its other bits are. Bits [1:0] of a leaf are 1 at every level, also at level 3; those of a table are 3.',
  },
  'output-size': {
    why: 'The GPU has fewer physical address bits. An address beyond them is an ADDR_SIZE_FAULT_OUT.',
  },
  'outside-ram': {
    why: 'A walk through it ends with a TRANSTAB_BUS_FAULT. In a dump, the memory may just be missing.',
  },
  'writable-executable': {
    summary: 'memory that jobs may write and execute',
    why: 'A job that writes there runs what it likes on the GPU. Bit 54 of the leaf forbids execution.',
  },
  'writable-alias': {
    why: 'The memory is writable and executable all the same, at two addresses.',
  },
  'device-executable': {
    why: 'Jobs may fetch instructions from it, and reading a device has side effects. Bit 54 of the leaf forbids execution.',
  },
  'alias-attributes': {
    why: 'One mapping may not see what was written through the other. The byte of AS_MEMATTR and SH have to be the same in both.',
  },
  'table-writable': { why: 'A job that can write them can map anything.' },
  'table-writable-el0': { summary: 'tables that jobs may write', why: 'A job can then map any memory.' },
};

/** A rule in the words of the architecture whose tables it looks at. */
export function ruleIn(name: RuleName, regime: MachineRegime): Rule {
  const rule = ruleNamed(name);
  switch (traitsOf(regime).architecture) {
    case 'RISC-V':
      return { ...rule, reference: TRANSLATION, ...RISCV[name] };
    case 'Mali':
      return { ...rule, reference: MALI, ...MALI_WORDS[name] };
    default:
      return rule;
  }
}
