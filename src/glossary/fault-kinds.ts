/**
 * What each kind of fault is, what usually causes it, and what to check. The rules are those of DDI 0487 D8.15 (MMU faults) and IHI
 * 0070 3.12 (faults of an SMMU); the causes are from practice with drivers and kernels, the most frequent first.
 */
import type { StatusKind } from './status.ts';

export interface FaultKindInfo {
  readonly title: string;
  readonly aliases: readonly string[];
  readonly meaning: string;
  readonly causes: readonly string[];
  readonly checks: readonly string[];
}

export const FAULT_KINDS: Readonly<Record<StatusKind, FaultKindInfo>> = {
  translation: {
    title: 'translation fault',
    aliases: ['TF', 'page fault'],
    meaning:
      'No valid descriptor was found: the entry at the reported level is invalid or reserved, the address is outside the range of TxSZ, or walks of this TTBR are disabled (EPD).',
    causes: [
      'nothing is mapped there: never mapped, or unmapped while still in use',
      'the access runs past the end of a mapping',
      'a wrong address: a physical address where an IOVA or virtual address belongs, or one cut to 32 bits',
      'an entry was written but not yet visible to the walker: a missing DSB, or a missing cache clean for a walker that is not coherent',
      'the table root, TxSZ or granule in the registers is not the one that the tables were made for (usually at the start level)',
    ],
    checks: [
      'walk the address through the tables that were in use, and look at the entry of the reported level',
      'compare the address with what was mapped last: its start, length and time of unmapping',
    ],
  },
  access_flag: {
    title: 'access flag fault',
    aliases: ['AFF', 'AF fault'],
    meaning: 'The page or block descriptor has AF = 0, and hardware does not set it (TCR.HA = 0, CD.HA = 0).',
    causes: [
      'the mapping was written without AF',
      'software clears AF to track use, and is expected to set it again in its handler',
      'the tables rely on hardware updates (HA) that this walker lacks or has not switched on',
    ],
    checks: ['bit 10 of the leaf descriptor', 'HA in TCR, VTCR, CD or STE'],
  },
  permission: {
    title: 'permission fault',
    aliases: ['PF', 'access denied'],
    meaning:
      'A page or block was found, but it (or a table above it, with APTable, XNTable, PXNTable) does not allow this access: a write to read-only memory, an execution of XN memory, an access by EL0 to memory of EL1.',
    causes: [
      'a write to a mapping that was made read-only: a DMA buffer mapped for the wrong direction, text, rodata, copy on write',
      'execution of memory that is execute-never: UXN or PXN, or WXN with a writable page',
      'an unprivileged access to a privileged page, or a privileged access to a page of EL0 with PAN',
      'stage 2 is narrower than stage 1: pages that a hypervisor write-protects to log them',
    ],
    checks: [
      'AP, UXN and PXN of the leaf (S2AP and XN at stage 2)',
      'the table bits above it',
      'WXN, PAN, EPAN',
    ],
  },
  address_size: {
    title: 'address size fault',
    aliases: ['ASF', 'output size fault'],
    meaning:
      'A descriptor (or TTBR, at level 0) holds an address with bits above the output size: IPS or PS of TCR, VTCR, CD or STE, or what the hardware implements.',
    causes: [
      'IPS or PS is smaller than the physical memory that the tables point at',
      'the entry is not a descriptor: the memory of a table was freed and reused, or never zeroed',
      'tables for one granule, or for LPA2, are read as if for another, with address bits in other places',
    ],
    checks: ['the address in the entry of the reported level', 'IPS, PS, DS and the granule'],
  },
  external_walk: {
    title: 'external abort on a table walk',
    aliases: [
      'external abort on walk',
      'synchronous external abort on translation table walk',
      'walk abort',
      'EABT',
    ],
    meaning:
      'The memory system answered the fetch (or the hardware update) of a descriptor with an error: there is no memory at that address, or no right to access it.',
    causes: [
      'a table pointer or TTBR leads to an address without RAM',
      'the memory of the table is Secure, powered down or behind a firewall',
      'an uncorrectable memory error (RAS)',
    ],
    checks: ['the table address of the level above (TTBR at the start level)', 'whether it lies in RAM'],
  },
  domain: {
    title: 'domain fault',
    aliases: [],
    meaning: 'Short descriptors: DACR gives the domain of the entry no access.',
    causes: ['DACR was not set for this domain', 'the first-level entry has the wrong domain'],
    checks: ['bits [8:5] of the first-level descriptor', 'two bits of DACR for that domain'],
  },
  external: {
    title: 'synchronous external abort',
    aliases: ['external abort', 'synchronous external abort, not on a table walk', 'SEA', 'bus error', 'EF'],
    meaning: 'The translation succeeded, and the memory system answered the access itself with an error.',
    causes: [
      'a device that is not clocked, powered or out of reset was accessed',
      'the physical address is wrong: nothing answers there',
      'an uncorrectable memory error (RAS), or memory that firmware protects',
    ],
    checks: ['where the address leads', 'clocks, power and reset of the device there'],
  },
  parity_walk: {
    title: 'parity or ECC error on a table walk',
    aliases: [],
    meaning: 'Memory that holds a translation table has an error that could not be corrected.',
    causes: ['broken or overheated memory'],
    checks: ['the RAS error records'],
  },
  parity: {
    title: 'parity or ECC error',
    aliases: ['ECC error'],
    meaning: 'The memory that was accessed has an error that could not be corrected.',
    causes: ['broken or overheated memory'],
    checks: ['the RAS error records'],
  },
  granule_walk: {
    title: 'granule protection fault on a table walk',
    aliases: ['GPF on walk'],
    meaning: 'The granule protection table does not let this physical address space read the table.',
    causes: ['a table was delegated to another world (Realm, Secure) while in use'],
    checks: ['the granule protection table entry of the table address'],
  },
  granule: {
    title: 'granule protection fault',
    aliases: ['GPF', 'GPC', 'granule_protection'],
    meaning: 'The granule protection table does not let this physical address space access the memory.',
    causes: ['memory was delegated to another world (Realm, Secure) while still mapped here'],
    checks: ['the granule protection table entry of the physical address'],
  },
  alignment: {
    title: 'alignment fault',
    aliases: [],
    meaning: 'The address is not aligned as the access needs: Device memory, exclusives, or SCTLR.A = 1.',
    causes: [
      'an unaligned access to memory that is mapped as Device, such as memcpy to device memory',
      'an access with the MMU off, when all data is Device memory',
    ],
    checks: ['the memory type of the page (AttrIndx and MAIR)', 'SCTLR.M and SCTLR.A'],
  },
  tag_check: {
    title: 'tag check fault',
    aliases: ['MTE fault'],
    meaning: 'The tag in the pointer does not match the tag of the memory (FEAT_MTE).',
    causes: ['use after free, or an access beyond an allocation', 'a pointer whose tag was lost'],
    checks: ['bits [59:56] of the address'],
  },
  tlb_conflict: {
    title: 'TLB conflict abort',
    aliases: ['TLBMCF'],
    meaning: 'Several TLB entries match the address.',
    causes: [
      'a mapping changed its size without break-before-make',
      'the Contiguous hint on entries that do not form a complete, aligned run of equal entries',
      'TLB maintenance is missing after a change',
    ],
    checks: ['updates that replace a table by a block, or a block by a table', 'runs of the Contiguous bit'],
  },
  hardware_update: {
    title: 'unsupported atomic hardware update',
    aliases: [],
    meaning: 'Hardware had to set AF or dirty state in a table whose memory does not support atomic updates.',
    causes: ['HA or HD is on, and tables lie in memory without hardware coherency'],
    checks: ['HA and HD', 'cacheability and shareability of table walks'],
  },
  serror: {
    title: 'SError',
    aliases: ['asynchronous external abort', 'asynchronous abort'],
    meaning:
      'An error of the memory system that was reported late: address and instruction are unrelated to it.',
    causes: [
      'a write to a device that is not clocked or powered',
      'a physical address where nothing answers',
    ],
    checks: ['the accesses to devices shortly before it'],
  },
  debug: {
    title: 'debug exception',
    aliases: [],
    meaning: 'A breakpoint, watchpoint or BKPT instruction: not a translation fault.',
    causes: ['a debugger'],
    checks: [],
  },
  cache_maintenance: {
    title: 'fault on instruction cache maintenance',
    aliases: [],
    meaning: 'An instruction cache maintenance operation met an address that does not translate.',
    causes: ['maintenance by address of memory that is no longer mapped'],
    checks: ['IFSR, which holds the cause'],
  },
  lockdown: {
    title: 'lockdown fault',
    aliases: [],
    meaning: 'IMPLEMENTATION DEFINED.',
    causes: [],
    checks: ["the core's manual"],
  },
  exclusive: {
    title: 'unsupported exclusive or atomic access',
    aliases: [],
    meaning: 'An exclusive or atomic access to memory that does not support it.',
    causes: ['a lock or atomic in Device or Non-cacheable memory'],
    checks: ['the memory type of the page'],
  },
};

/** What is known about a kind. Undefined for a kind that is not a fault status. */
export function faultKindInfo(kind: string): FaultKindInfo | undefined {
  return Object.hasOwn(FAULT_KINDS, kind) ? FAULT_KINDS[kind as StatusKind] : undefined;
}
