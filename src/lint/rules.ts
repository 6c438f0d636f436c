/** The rules of the table lint: what each one looks for, how bad it is, and the section of the manual. */

export const SEVERITIES = ['error', 'warning', 'info'] as const;
/** `error`: hardware does not do what was meant. `warning`: allowed, but usually a mistake. `info`: worth knowing. */
export type Severity = (typeof SEVERITIES)[number];

/** What a rule of the lint looks for, and why. */
export interface Rule {
  readonly name: string;
  readonly severity: Severity;
  /** What it finds, in a few words. */
  readonly summary: string;
  /** Why it matters, or when it is acceptable. */
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
    'a register value that stops all translation',
    'Every access of the range, the stage or the stream faults, whatever the tables say.',
    'DDI 0487 D8.1, D8.2; IHI 0070 5.2, 5.4',
  ),
  rule(
    'register-unpredictable',
    'warning',
    'a register value for which hardware may choose its behaviour',
    'The answers here follow one of the permitted choices. Other hardware may choose differently.',
    'DDI 0487 D8.1, D24.2',
  ),
  rule(
    'register-ignored',
    'info',
    'a register field that has no effect',
    'It does not do what it was meant to do. The finding says why.',
    'DDI 0487 D24.2',
  ),
  rule(
    'unused-range',
    'warning',
    'a range of input addresses that is enabled but has no tables',
    'Accesses there, even speculative ones, start walks at whatever address the base register holds. EPDn = 1 switches off an unused range.',
    'DDI 0487 D8.2.4',
  ),
  rule(
    'illegal-block',
    'error',
    'a valid descriptor of a type that its level does not have',
    'It is a translation fault, whatever its other bits are. There are no blocks at level 3, nor at level 0 of 4K without 52-bit addresses.',
    'DDI 0487 D8.3, table D8-48',
  ),
  rule(
    'misaligned-output',
    'error',
    "a block or page whose output address has bits inside the leaf's own size",
    'Hardware ignores these bits, so every access goes to a lower address than was meant. Use smaller leaves, or an address that is a multiple of the size.',
    'DDI 0487 D8.3.1.2',
  ),
  rule(
    'block-nt',
    'warning',
    'a block with nT set',
    'It is meant for the short time of a size change (FEAT_BBM level 1). Until it is cleared, every access may walk the tables, or fault. Bit 16 of an address that does not fit into a block sets it too.',
    'DDI 0487 D8.7.3, D8.17.2',
  ),
  rule(
    'reserved-bits',
    'warning',
    'bits that must be 0 are set',
    'Hardware ignores them now, and may give them a meaning later. PXN, nG and NS are such bits in regimes that do not use them: what they were meant to forbid is allowed.',
    'DDI 0487 D8.3.1',
  ),
  rule(
    'reserved-ones',
    'info',
    'bits that must be 1 are 0',
    'AP[1] is RES1 in a regime with one privilege level. Hardware ignores it now.',
    'DDI 0487 D8.3.1, Table D8-52',
  ),
  rule(
    'output-size',
    'error',
    'an address beyond the output size',
    'TCR.IPS (or VTCR.PS) and the implementation limit the output size. An address beyond it gives an address size fault.',
    'DDI 0487 D8.1.10',
  ),
  rule(
    'outside-ram',
    'error',
    'a table descriptor leads to an address without RAM',
    'A walk through it ends with an external abort. In a dump, the memory may just be missing.',
    'DDI 0487 D8.15.1',
  ),
  rule(
    'contiguous-run',
    'error',
    'a contiguous run whose entries do not belong together',
    'A TLB may hold the whole run as one entry, so its entries must all be marked, alike, aligned and adjacent.',
    'DDI 0487 D8.7.1',
  ),
  rule(
    'cycle',
    'error',
    'a table that leads to itself',
    'It may be a deliberate recursive mapping, which makes tables visible at a fixed address. Otherwise it is corruption.',
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
    'A change in it takes effect everywhere, and an unmap in one place must not free it.',
    'DDI 0487 D8.2',
  ),
  rule(
    'empty-table',
    'info',
    'a table without a valid entry',
    'It costs memory, and one more level in every TLB miss.',
    'DDI 0487 D8.2',
  ),
  rule(
    'unreachable-table',
    'info',
    'memory of the image that looks like a table but that no entry leads to',
    'It may be a leaked table, or one of another address space.',
    'DDI 0487 D8.2',
  ),
  rule(
    'access-flag',
    'info',
    'a leaf whose access flag is 0, and hardware does not set it',
    'The first access faults. An operating system that ages pages does this on purpose. In a driver it means that AF was forgotten.',
    'DDI 0487 D8.5.1',
  ),
  rule(
    'no-access',
    'warning',
    'a leaf whose PIIndex grants nobody any access',
    'PIR and PIRE0 (or S2PIR) have no right for this index, so that every access faults. An invalid entry says the same, and is not cached.',
    'DDI 0487 D8.4.1.3, D8.4.2.2',
  ),
  rule(
    'reserved-permission',
    'error',
    'a leaf whose PIIndex or POIndex chooses a reserved value',
    'Hardware treats reserved values as no access. The same holds where EL1 may execute what EL0 may write or use as a Guarded Control Stack.',
    'DDI 0487 D8.4.1.3, RVFPJF; tables D8-68, D8-74, D8-82',
  ),
  rule(
    'overlay-ineffective',
    'warning',
    'a leaf with a POIndex that limits nothing',
    'No overlay is on, or none applies to the permissions of its PIIndex, whose value in PIR or PIRE0 has bit 3 set. Bits [62:60] may also be page-based hardware attributes, where TCR.HWUnn are set.',
    'DDI 0487 D8.4.1.4, table D8-68',
  ),
  rule(
    'writable-executable',
    'warning',
    'memory that one privilege level may write and execute',
    'Whoever can write there can run their own code. Firmware often maps all RAM like this. Not checked for stage 2 on its own, nor for an SMMU, because devices rarely fetch instructions.',
    'DDI 0487 D8.4',
  ),
  rule(
    'writable-alias',
    'warning',
    'executable memory that is writable through another mapping, at the same or a lower privilege level',
    'The memory is writable and executable all the same, at two addresses. It is normal that EL1 may write what EL0 executes, so that is not reported.',
    'DDI 0487 D8.4',
  ),
  rule(
    'execute-unreadable',
    'warning',
    'memory that EL0 may execute but not read',
    'Kernel text and data without UXN (or XN) look like this: unprivileged software can run them. Execute-only memory for EL0 is deliberate, and has PXN set.',
    'DDI 0487 D8.4.1',
  ),
  rule(
    'device-executable',
    'warning',
    'Device memory that may be executed',
    'Instructions may be fetched from it speculatively, and reading a device has side effects. Not checked for an SMMU.',
    'DDI 0487 D8.4.1, B2.15.2',
  ),
  rule(
    'alias-attributes',
    'warning',
    'physical memory that is mapped twice with different memory types or shareability',
    'Mismatched aliases lose coherency: a write through one may not be seen through the other. Allocation hints and tags do not count.',
    'DDI 0487 B2.16',
  ),
  rule(
    'walk-attributes',
    'warning',
    'tables that are mapped with memory attributes different from those of the walks',
    'Accesses with mismatched attributes lose coherency: a walk may not see what software wrote. Set IRGN, ORGN and SH of the control register to match the mapping of the tables, or clean the cache after each write.',
    'DDI 0487 D8.2, RXGXKR; B2.16',
  ),
  rule(
    'table-writable',
    'info',
    'tables in memory that is itself mapped writable',
    'Whoever can write them can map anything. A kernel with a linear map does this for itself. For EL0 see table-writable-el0.',
    'DDI 0487 D8.4',
  ),
  rule(
    'table-writable-el0',
    'warning',
    'tables that unprivileged software may write',
    'Unprivileged software can then map any memory. It does no harm in firmware that never leaves its exception level.',
    'DDI 0487 D8.4',
  ),
  rule(
    'gpt-invalid',
    'warning',
    'a granule protection table entry that is not valid',
    'Every access to these physical addresses is a GPT walk fault, or an abort, which EL3 takes. Addresses that nobody may access have a GPI of 0.',
    'DDI 0487 D9.4, D9.6',
  ),
  rule(
    'gpt-contiguous',
    'error',
    'a contiguous region of the granule protection table whose entries differ',
    'Hardware may take any of their values for the whole region.',
    'DDI 0487 D9.6.4, RSPLJH',
  ),
  rule(
    'gpt-exposed',
    'error',
    'a granule protection table in memory that others than Root may access',
    'Whoever may write it owns all memory.',
    'DDI 0487 D9.1, D9.6.5',
  ),
  rule(
    'granule-denied',
    'warning',
    'a mapping to physical addresses that its accesses may not go to',
    'Every access is a granule protection fault, though the tables translate it.',
    'DDI 0487 D9.4',
  ),
] as const;

/** The name of a rule, such as `reserved-bits`. */
export type RuleName = (typeof RULES)[number]['name'];

/** The rule with this name: its severity, what it looks for, and the section of the manual. */
export function ruleNamed(name: RuleName): Rule {
  return RULES.find((one) => one.name === name)!;
}
