/**
 * Registers that the translation chapters name (DDI 0487 D8, D9, F6.1; described in D24.2) and that are not taken apart here: what each is for, in a sentence.
 */

/** A family of registers, one for each exception level that is listed. */
export interface RegisterSentence {
  /** Without the exception level. */
  readonly name: string;
  /** The exception levels whose register the manual has; none: the name is whole. */
  readonly levels: string;
  readonly says: string;
}

const of = (name: string, levels: string, says: string): RegisterSentence => ({ name, levels, says });

export const REGISTER_SENTENCES: readonly RegisterSentence[] = [
  // Faults and exceptions.
  of('FAR', '123', 'The virtual address of a synchronous fault that was taken to this exception level.'),
  of('PFAR', '12', 'The physical address of an abort, where FEAT_PFAR records it.'),
  of('MFAR', '3', 'The physical address of a granule protection fault that was taken to EL3.'),
  of('AFSR0', '123', 'More about a fault, IMPLEMENTATION DEFINED.'),
  of('AFSR1', '123', 'More about a fault, IMPLEMENTATION DEFINED.'),
  of('ELR', '123', 'Where an exception that was taken to this level returns to.'),
  of('SPSR', '123', 'PSTATE as it was when an exception was taken to this level.'),
  of('DSPSR', '0', 'PSTATE as it was when Debug state was entered.'),
  of('VBAR', '123', 'The base of the exception vectors.'),
  of('SP', '0123', 'The stack pointer of the exception level.'),
  of('VDISR', '23', 'The deferred virtual SError that an ESB instruction records.'),
  of('VSESR', '23', 'The syndrome of a virtual SError.'),
  of('ISS2', '', 'Bits [55:32] of ESR_ELx: more about a fault, such as Overlay and DirtyBit.'),
  of('PSTATE', '', 'Process state: exception level, PAN, UAO, TCO and the flags.'),
  of('CPSR', '', 'Process state of AArch32.'),
  // Control of translation.
  of('SCTLR2', '123', 'More control of the exception level, such as EMEC: memory encryption contexts.'),
  of('AMAIR', '123', 'Auxiliary memory attributes, IMPLEMENTATION DEFINED, by AttrIndx as in MAIR_ELx.'),
  of('AMAIR2', '123', 'Auxiliary memory attributes beside MAIR2_ELx, IMPLEMENTATION DEFINED.'),
  of('ACTLR', '123', 'Auxiliary control, IMPLEMENTATION DEFINED.'),
  of(
    'CONTEXTIDR',
    '12',
    'The number of a process, for debug and trace. In short-descriptor AArch32 it holds the ASID.',
  ),
  of('MECIDR', '2', 'How many bits the identifiers of memory encryption contexts have.'),
  of('VNCR', '2', 'The page in memory that holds register values of a guest hypervisor (FEAT_NV2).'),
  of(
    'HDBSSBR',
    '2',
    'The buffer into which hardware writes stage-2 pages that became dirty: base and size (FEAT_HDBSS).',
  ),
  of('HDBSSPROD', '2', 'How far the buffer of dirty pages is filled (FEAT_HDBSS).'),
  of('HACDBSBR', '2', 'The list of pages whose dirty state hardware cleans: base and size (FEAT_HACDBS).'),
  of('HACDBSCONS', '2', 'How far that list was worked off, and what stopped it (FEAT_HACDBS).'),
  of('RCWMASK', '1', 'Which bits of a descriptor RCW instructions may change (FEAT_THE).'),
  of('RCWSMASK', '1', 'Which bits of a Protected descriptor RCWS instructions may change (FEAT_THE).'),
  ...['SCTLR', 'SCTLR2', 'TCR', 'TCR2', 'CPACR', 'ACTLR'].flatMap((name) => [
    of(`${name}MASK`, '12', `Which bits of ${name}_ELx software of this level may not change (FEAT_SRMASK).`),
    of(`${name}ALIAS`, '1', `${name}_EL1, of which the masked bits can be written too (FEAT_SRMASK).`),
  ]),
  of('CPTRMASK', '2', 'Which bits of CPTR_EL2 software of this level may not change (FEAT_SRMASK).'),
  of('GCSCR', '123', 'Control of the guarded control stack (FEAT_GCS).'),
  of('GCSCRE0', '1', 'Control of the guarded control stack of EL0 (FEAT_GCS).'),
  of('GCSPR', '0123', 'The pointer of the guarded control stack (FEAT_GCS).'),
  of('TFSR', '123', 'Tag check faults that were recorded, not taken (FEAT_MTE2).'),
  of('TFSRE0', '1', 'Tag check faults of EL0 that were recorded, not taken (FEAT_MTE2).'),
  of('CTR', '0', 'What caches are like: their lines, and whether maintenance is needed for coherence.'),
  of('CLIDR', '1', 'Which levels of cache there are.'),
  // Traps and virtualization.
  of('CPACR', '1', 'Traps of EL0 and EL1 for floating point, SVE and SME.'),
  of('CPTR', '23', 'Traps to this level for floating point, SVE, SME and trace.'),
  of('HSTR', '2', 'Traps to EL2 of AArch32 System registers.'),
  of('HFGRTR', '2', 'Fine-grained traps to EL2 of reads.'),
  of('HFGRTR2', '2', 'Fine-grained traps to EL2 of reads, continued.'),
  of('HFGWTR', '2', 'Fine-grained traps to EL2 of writes, those of TTBRs and TCR among them.'),
  of('HFGWTR2', '2', 'Fine-grained traps to EL2 of writes, continued.'),
  of('HFGITR', '2', 'Fine-grained traps to EL2 of instructions, TLBI and AT among them.'),
  of('HFGITR2', '2', 'Fine-grained traps to EL2 of instructions, continued.'),
  of('HDFGRTR', '2', 'Fine-grained traps to EL2 of reads of debug, trace and profiling registers.'),
  of(
    'HDFGRTR2',
    '2',
    'Fine-grained traps to EL2 of reads of debug, trace and profiling registers, continued.',
  ),
  of('HDFGWTR', '2', 'Fine-grained traps to EL2 of writes of debug, trace and profiling registers.'),
  of(
    'HDFGWTR2',
    '2',
    'Fine-grained traps to EL2 of writes of debug, trace and profiling registers, continued.',
  ),
  of('HAFGRTR', '2', 'Fine-grained traps to EL2 of reads of activity monitors.'),
  of('VPIDR', '2', 'What MIDR_EL1 reads as at EL1 under a hypervisor.'),
  of('VMPIDR', '2', 'What MPIDR_EL1 reads as at EL1 under a hypervisor.'),
  of('TPIDR', '0123', "A word for software's own use: the current thread or CPU, as a rule."),
  // Timers, debug, trace, profiling, resource control: named where a guest hypervisor's accesses go to memory.
  of('CNTKCTL', '1', 'What EL0 may do with timers and counters.'),
  of('CNTHCTL', '2', 'What EL0 and EL1 may do with timers and counters.'),
  of('CNTVCT', '0', 'The virtual count of the timer.'),
  of('CNTVOFF', '2', 'The difference between physical and virtual count.'),
  of('CNTPOFF', '2', 'The offset of the physical count that EL0 and EL1 see.'),
  of('EDSCR', '', 'Status and control of external debug.'),
  of('MDSCR', '1', 'Control of self-hosted debug, software step among it.'),
  of('BRBCR', '12', 'Control of the branch record buffer.'),
  of('TRFCR', '12', 'Which exception levels may be traced.'),
  of('TRCITECR', '12', 'Control of instrumentation trace.'),
  of('PMSCR', '12', 'Control of statistical profiling.'),
  of(
    'PMBPTR',
    '1',
    "Where the profiling buffer's next record goes: a virtual address, translated in the owning regime.",
  ),
  of('PMBLIMITR', '1', 'The limit of the profiling buffer, and whether it is on.'),
  of('PMBSR', '123', 'Why the profiling buffer stopped: a fault of its translation, or full.'),
  of('PMSICR', '1', 'The interval counter of statistical profiling.'),
  of('PMSIRR', '1', 'The interval of statistical profiling.'),
  of('PMSLATFR', '1', 'Filter of statistical profiling by latency.'),
  of('PMSEVFR', '1', 'Filter of statistical profiling by event.'),
  of('PMSNEVFR', '1', 'Inverted filter of statistical profiling by event.'),
  of('PMSDSFR', '1', 'Filter of statistical profiling by data source.'),
  of('SPMACCESSR', '123', 'Which system performance monitors this level may use.'),
  of('ZCR', '123', 'The vector length of SVE.'),
  of('SMCR', '123', 'The vector length and features of SME.'),
  of('SMPRIMAP', '2', 'Priorities of streaming execution of a guest.'),
  of('SCXTNUM', '0123', 'A number of the software context, which keeps branch predictions apart.'),
  of('MPAM0', '1', 'Resource partition of EL0: of its accesses, and of its table walks.'),
  of('MPAM1', '1', 'Resource partition of EL1.'),
  of('MPAM2', '2', 'Resource partition of EL2.'),
  of('MPAM3', '3', 'Resource partition of EL3.'),
  of('MPAMBW1', '1', 'Bandwidth limit of EL1.'),
  of('MPAMBW2', '2', 'Bandwidth limit of EL2.'),
  of('MPAMBWCAP', '2', 'Bandwidth limit that a hypervisor sets its guest.'),
  of('MPAMHCR', '2', "Control of a guest's resource partitions."),
  of('MPAMVPMV', '2', "Which of the guest's partition numbers are mapped."),
  ...[...'01234567'].map((n) =>
    of(`MPAMVPM${n}`, '2', "Four of the guest's partition numbers, as the machine's."),
  ),
];
