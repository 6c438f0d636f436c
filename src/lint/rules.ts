/** The rules of the table lint: what each looks for, how bad it is, and where the architecture says so. */

export const SEVERITIES = ['error', 'warning', 'info'] as const;
/** `error`: hardware does not do what was meant. `warning`: allowed, and mostly a mistake. `info`: worth knowing. */
export type Severity = (typeof SEVERITIES)[number];

/** What a rule of the lint looks for, and why. */
export interface Rule {
  readonly name: string;
  readonly severity: Severity;
  /** What is found, in a few words. */
  readonly summary: string;
  /** Why it matters, or when it is all right. */
  readonly why: string;
  readonly reference: string;
}

const rule = <N extends string>(
  name: N,
  severity: Severity,
  summary: string,
  why: string,
  reference: string,
): Rule & { readonly name: N } => ({ name, severity, summary, why, reference });

/** All rules, in the order in which findings are listed. */
export const RULES = [
  rule(
    'register-fault',
    'error',
    'a register value with which nothing translates',
    'Every access of the range, the stage or the stream faults, whatever the tables say.',
    'DDI 0487 D8.1, D8.2; IHI 0070 5.2, 5.4',
  ),
  rule(
    'register-unpredictable',
    'warning',
    'a register value of which hardware may make what it likes',
    'The answers here follow one of the permitted choices; other hardware may take another.',
    'DDI 0487 D8.1, D24.2',
  ),
  rule(
    'register-ignored',
    'info',
    'a register field that has no effect',
    'What it was to bring about does not happen, for the reason that is given.',
    'DDI 0487 D24.2',
  ),
  rule(
    'unused-range',
    'warning',
    'a range of input addresses that is enabled, with nothing behind it',
    'Accesses there, speculative ones too, begin walks at whatever address the base register holds. EPDn = 1 switches a range off that is not in use.',
    'DDI 0487 D8.2.4',
  ),
  rule(
    'illegal-block',
    'error',
    'a valid descriptor of a type that its level does not have',
    'It is a translation fault, whatever else it says: no blocks at level 0 of 4K without 52-bit addresses, none at level 3.',
    'DDI 0487 D8.3, table D8-48',
  ),
  rule(
    'misaligned-output',
    'error',
    "a block or page whose output address has bits inside the leaf's own size",
    'Hardware drops these bits, so that every access goes below where it was meant to. Smaller leaves, or an address that is a multiple of the size, would do.',
    'DDI 0487 D8.3.1.2',
  ),
  rule(
    'block-nt',
    'warning',
    'a block with nT set',
    'It is meant for the moments of a change of size (FEAT_BBM level 1): until it is cleared every access may walk the tables, or fault. Bit 16 of an address that a block cannot hold sets it too.',
    'DDI 0487 D8.7.3, D8.17.2',
  ),
  rule(
    'reserved-bits',
    'warning',
    'bits that must be 0 are set',
    'Hardware ignores them today, and may give them a meaning tomorrow. PXN, nG and NS are such bits in regimes that have no use for them: what they were to forbid is allowed.',
    'DDI 0487 D8.3.1',
  ),
  rule(
    'reserved-ones',
    'info',
    'bits that must be 1 are 0',
    'AP[1] is RES1 where the regime has one privilege level: hardware ignores it today.',
    'DDI 0487 D8.3.1, Table D8-52',
  ),
  rule(
    'output-size',
    'error',
    'an address beyond the output size',
    'The output size is what TCR.IPS (or VTCR.PS) and the implementation allow; beyond it is an address size fault.',
    'DDI 0487 D8.1.10',
  ),
  rule(
    'outside-ram',
    'error',
    'a table descriptor leads to where no RAM is',
    'A walk that comes there ends with an external abort; in a dump the memory may only be missing.',
    'DDI 0487 D8.15.1',
  ),
  rule(
    'contiguous-run',
    'error',
    'a contiguous run that does not keep its promise',
    'A TLB may take the whole run for one entry: all of it must be marked, alike, aligned and adjacent.',
    'DDI 0487 D8.7.1',
  ),
  rule(
    'cycle',
    'error',
    'a table that leads to itself',
    'On purpose it is a recursive mapping, which makes tables visible at a fixed address; else it is corruption.',
    'DDI 0487 D8.2',
  ),
  rule(
    'level-mix',
    'error',
    'a table that is used at two levels',
    'The same words mean different things at different levels.',
    'DDI 0487 D8.2',
  ),
  rule(
    'shared-table',
    'info',
    'a table that several entries lead to',
    'What changes in it changes everywhere, and an unmap in one place must not free it.',
    'DDI 0487 D8.2',
  ),
  rule(
    'empty-table',
    'info',
    'a table without a valid entry',
    'It costs memory and a level of each miss.',
    'DDI 0487 D8.2',
  ),
  rule(
    'unreachable-table',
    'info',
    'memory of the image that looks like a table and that no entry leads to',
    'A leaked table, or one of another address space.',
    'DDI 0487 D8.2',
  ),
  rule(
    'access-flag',
    'info',
    'a leaf whose access flag is 0, with no hardware that sets it',
    'The first access faults. An operating system that ages pages does this on purpose; a driver that forgot AF does not.',
    'DDI 0487 D8.5.1',
  ),
  rule(
    'writable-executable',
    'warning',
    'memory that one privilege level may write and execute',
    'Whoever can write there can run what was written. Firmware often maps all RAM so. Not asked of stage 2 alone, nor of an SMMU, whose devices fetch no instructions as a rule.',
    'DDI 0487 D8.4',
  ),
  rule(
    'writable-alias',
    'warning',
    'executable memory that another mapping lets the same or a lower privilege level write',
    'It is writable and executable all the same, at two addresses. That EL1 may write what EL0 executes is usual, and not reported.',
    'DDI 0487 D8.4',
  ),
  rule(
    'execute-unreadable',
    'warning',
    'memory that EL0 may execute and not read',
    'Kernel text and data without UXN (or XN) are so: unprivileged software can run them. Execute-only memory of EL0 is so on purpose, with PXN set.',
    'DDI 0487 D8.4.1',
  ),
  rule(
    'device-executable',
    'warning',
    'Device memory that may be executed',
    'Instructions may be fetched from it speculatively, and reads of a device have side effects. Not asked of an SMMU.',
    'DDI 0487 D8.4.1, B2.15.2',
  ),
  rule(
    'alias-attributes',
    'warning',
    'physical memory that is mapped twice with different memory types or shareability',
    'Mismatched aliases lose coherency, and what one wrote the other may not see. Allocation hints and tags do not count.',
    'DDI 0487 B2.16',
  ),
  rule(
    'walk-attributes',
    'warning',
    'tables that are mapped with other memory attributes than those of the walks',
    'Accesses with mismatched attributes lose coherency: a walk may not see what software wrote. Set IRGN, ORGN and SH of the control register as the tables are mapped, or clean the cache after each write.',
    'DDI 0487 D8.2, RXGXKR; B2.16',
  ),
  rule(
    'table-writable',
    'info',
    'tables that lie in memory which is itself mapped writable',
    'Whoever may write them may map anything. A kernel with a linear map does this for itself; for EL0 see table-writable-el0.',
    'DDI 0487 D8.4',
  ),
  rule(
    'table-writable-el0',
    'warning',
    'tables that unprivileged software may write',
    'Unprivileged software may then map any memory. Firmware that never leaves its exception level gets away with it.',
    'DDI 0487 D8.4',
  ),
] as const;

/** The name of a rule, such as `reserved-bits`. */
export type RuleName = (typeof RULES)[number]['name'];

/** The rule of that name: its severity, what it looks for, and where the architecture says so. */
export function ruleNamed(name: RuleName): Rule {
  return RULES.find((one) => one.name === name)!;
}
