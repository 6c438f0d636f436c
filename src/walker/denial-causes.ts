/** What may deny an access: fields of descriptors, and bits of registers and of PSTATE. (DDI 0487 D8.4, J1.1, J1.2; RISC-V Privileged "Sv39".) */

/** What denied an access. Fields of descriptors: `XN` and `XNTable` in regimes with one privilege level, in AArch32 and in stage 2. */
export type DenialCause =
  | 'AP'
  /** For short descriptors. */
  | 'AP[2:0]'
  | 'APTable'
  | 'XN'
  | 'XNTable'
  | 'UXN'
  | 'UXNTable'
  | 'PXN'
  | 'PXNTable'
  | 'S2AP'
  /** Read-only, and DBM would let hardware make it writable, but hardware does not manage dirty state. */
  | 'DBM'
  /** Writable, and SCTLR_ELx.WXN (UWXN: writable at EL0) makes it execute-never. */
  | 'WXN'
  | 'UWXN'
  /** EL1 never executes memory that EL0 may write. */
  | 'EL0-writable'
  /** PSTATE.PAN, and EL0 may access it (`EPAN`: may only execute it). */
  | 'PAN'
  | 'EPAN'
  /**
   * Root state, EL2 of Realm state, and Secure state with SCR_EL3.SIF execute nothing outside their own PA space. For EL1 and EL0 in
   * Realm state, stage 2 denies that, and also tables of stage 1 there.
   */
  | 'PA-space'
  /** TCR.E0PDn: EL0 may use no address of the range. */
  | 'E0PD'
  /** HCR.PTW: a stage-1 walk met Device memory. */
  | 'PTW'
  /** Indirect permissions (FEAT_S1PIE, FEAT_S2PIE): the field of PIR_ELx, PIRE0_ELx or S2PIR_EL2 that PIIndex chooses. */
  | 'PIR'
  | 'PIRE0'
  | 'S2PIR'
  /** Both registers allow an unsafe combination, which is taken away: EL1 executes (or uses as a Guarded Control Stack) memory that EL0 writes. */
  | 'PIR-PIRE0'
  /** Overlay permissions (FEAT_S1POE, FEAT_S2POE): the field of POR_ELx, POR_EL0 or S2POR_EL1 that POIndex chooses. */
  | 'POR'
  | 'POR_EL0'
  | 'S2POR'
  /** Writable-clean with indirect permissions, and hardware does not manage dirty state: nDirty = 1, or at stage 2 Dirty = 0. */
  | 'nDirty'
  | 'Dirty'
  /** With direct permissions, no memory is a Guarded Control Stack. */
  | 'GCS'
  /** FEAT_THE: stage 2 allows only assured translations to this memory; the first table of a walk may not be here. */
  | 'AssuredOnly'
  | 'TopLevel'
  /** VTCR_EL2.GCSH: a privileged Guarded Control Stack access to memory that is not AssuredOnly. */
  | 'GCSH'
  /** FEAT_MTE_PERM: a Tag Checked access to NoTagAccess memory. */
  | 'NoTagAccess'
  /** Mali: two bits as those of S2AP, and the upper bit of XN. */
  | 'AP[1:0]'
  | 'XN[1]'
  /**
   * RISC-V: a bit of the page table entry that is 0 (`U` = 1: supervisor mode never executes such a page), and a bit of sstatus:
   * SUM = 0, and MXR = 0, which does not let execute-only memory be read.
   */
  | 'R'
  | 'W'
  | 'X'
  | 'U'
  | 'SUM'
  | 'MXR';

/** Why hardware does not manage dirty state: TCR.HD or HA is 0, or the PE has no such hardware. */
export type DirtyStateOff = 'HD' | 'HA' | 'FEAT_HAFDBS';

/** What denied an access: a field of a descriptor, or a bit of a register or of PSTATE. */
export interface Denial {
  readonly by: DenialCause;
  readonly stage: 1 | 2;
  /** For a field of a descriptor: the descriptor's level. */
  readonly level?: number;
  /** The field's value, if it can deny in more than one way: AP[2:1], AP[2:0], APTable, S2AP, XN[1:0]. For E0PD the range, 0 or 1. */
  readonly value?: number;
  /** For indirect and overlay permissions: the PIIndex or POIndex. `value` is the register's field at that index. */
  readonly index?: number;
  /** With `PIR-PIRE0`: the field of PIRE0_ELx. */
  readonly value0?: number;
  /** The overlay allows writing and execution, and PrivWXN or UnprivWXN removes writing. */
  readonly wxn?: true;
  /** With `DBM`, `nDirty` and `Dirty`. */
  readonly dirtyOff?: DirtyStateOff;
}
