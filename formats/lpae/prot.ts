/** What each prot flag becomes in a long descriptor: Linux's arm_lpae_prot_to_pte, by the names of the declared fields. */
import type { Prot, Quirk } from '../../src/pagetable/format.ts';

/** Linux's use of MAIR: attribute 0 Non-cacheable, 1 Write-Back, 2 Device-nGnRE, 3 inner Non-cacheable outer Write-Back. */
const ATTR_INDEX = { noncacheable: 0, writeBack: 1, device: 2 } as const;

/**
 * MAIR_ELx as Linux computes it (DDI 0487 D24.2.110). Attributes 4 to 7 read 0xff: the C code ORs in `0xf4 << 24`, an int
 * whose sign bit spreads over the upper half.
 */
export const LINUX_MAIR = 0xffff_ffff_f404_ff44n;

const MEM_ATTR = { noncacheable: 0b0101, writeBack: 0b1111, device: 0b0001 } as const;
const SH = { outer: 2, inner: 3 } as const;

function memoryType(prot: Prot): keyof typeof ATTR_INDEX {
  if (prot.mmio) return 'device';
  return prot.cache ? 'writeBack' : 'noncacheable';
}

/** Stage 1: writable unless only `read` is asked; every mapping belongs to an ASID (nG). */
export function stage1Fields(prot: Prot, quirks: readonly Quirk[]): Record<string, number> {
  const readOnly = prot.read === true && !prot.write;
  return {
    nG: 1,
    AF: 1,
    'SH[1:0]': prot.cache ? SH.inner : SH.outer,
    'AP[2:1]': (readOnly ? 2 : 0) | (prot.priv ? 0 : 1),
    AttrIndx: ATTR_INDEX[memoryType(prot)],
    NS: quirks.includes('arm_ns') ? 1 : 0,
    DBM: quirks.includes('arm_hd') && !readOnly ? 1 : 0,
    XN: prot.noexec ? 1 : 0,
    PXN: prot.noexec ? 1 : 0,
  };
}

/**
 * Stage 2: read and write each have a bit; `priv` has none and is ignored, as in Linux. `noexec` sets both XN bits as
 * Linux does: execute-never where only XN[1] counts, but with FEAT_XNX 0b11 still lets EL1 execute (DDI 0487 table D8-78).
 */
export function stage2Fields(prot: Prot): Record<string, number> {
  return {
    AF: 1,
    'SH[1:0]': prot.cache ? SH.inner : SH.outer,
    S2AP: (prot.read ? 1 : 0) | (prot.write ? 2 : 0),
    MemAttr: MEM_ATTR[memoryType(prot)],
    'XN[1:0]': prot.noexec ? 3 : 0,
  };
}
