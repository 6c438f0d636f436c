/** Where QEMU's CPU leaves the architecture with indirect permissions and in hardware updates. (DDI 0487 D8.4.1.3, D8.4.2.2, D8.5.2.) */
import type { CpuDeviation } from './deviations-cpu.ts';
import type { Case } from './probe.ts';
import { physicalAddress } from './view.ts';

/** TCR2_ELx.PIE and VTCR_EL2.S2PIE. */
const PIE = 1n << 1n;
const S2PIE = 1n << 36n;
/** AP[2] of a stage-1 leaf, S2AP[1] of a stage-2 leaf: writable-clean is 1, and 0. */
const DIRTY_BIT = 1n << 7n;

const isIndirect = ({ registers: { tcr2, vtcr } }: Case, stage: 1 | 2) =>
  stage === 1 ? (tcr2 & PIE) !== 0n : (vtcr & S2PIE) !== 0n;

const dirtyState: CpuDeviation = {
  name: 'writable-clean-is-written',
  since: 1100,
  section:
    'D8.4.1.3, D8.4.2.2 R_PPGMC: a write to writable-clean memory is a permission fault, or with HD = 1 makes it dirty',
  text: 'nDirty and Dirty do not count',
  view({ case: one, probe, result }) {
    if (probe.access !== 'write') return undefined;
    for (const step of result.steps) {
      const pa = physicalAddress(result.steps, step);
      const leaf = step.kind === 'page' || step.kind === 'block';
      if (!leaf || step.descriptor === undefined || pa === undefined || !isIndirect(one, step.stage))
        continue;
      const word = step.stage === 1 ? step.descriptor & ~DIRTY_BIT : step.descriptor | DIRTY_BIT;
      if (word !== step.descriptor) return { words: new Map([[pa, word]]) };
    }
    return undefined;
  },
};

/** HA and HD: of TCR with two ranges, of TCR_EL2 with one, of VTCR_EL2. */
const TWO_RANGES = { ha: 1n << 39n, hd: 1n << 40n };
const ONE_RANGE = { ha: 1n << 21n, hd: 1n << 22n };
const ACCESS_FLAG = 1n << 10n;

const noUpdates: CpuDeviation = {
  name: 'at-updates-nothing',
  since: 1100,
  section: 'D8.5.1, D8.5.2: AT may set the access flag, and a write makes writable-clean memory dirty',
  text: 'AT writes no descriptor: AF = 0 is passed with HA = 1, and what DBM = 1 would make writable is read-only',
  view({ case: one, result, changes }) {
    if (one.regime.startsWith('pl1')) return undefined;
    const { tcr, vtcr } = { ...one.registers, ...changes.registers };
    const first = one.regime === 'el2' ? ONE_RANGE : TWO_RANGES;
    if ((tcr & first.hd) !== 0n || (vtcr & ONE_RANGE.hd) !== 0n) {
      return { registers: { tcr: tcr & ~first.hd, vtcr: vtcr & ~ONE_RANGE.hd } };
    }
    for (const step of result.steps) {
      const { stage, kind, descriptor } = step;
      if (kind !== 'page' && kind !== 'block') continue;
      const updates = stage === 1 ? tcr & first.ha : vtcr & ONE_RANGE.ha;
      const pa = physicalAddress(result.steps, step);
      if (pa === undefined || descriptor === undefined || updates === 0n) continue;
      if ((descriptor & ACCESS_FLAG) === 0n) return { words: new Map([[pa, descriptor | ACCESS_FLAG]]) };
    }
    return undefined;
  },
};

/** Values of PIRE0_ELx that are reserved. */
const RESERVED = [0x4n, 0xbn, 0xdn, 0xfn];

const panAndReserved: CpuDeviation = {
  name: 'pan-passes-reserved-permissions',
  section:
    'D8.4.1.3 R_TBKKB: whether PAN applies where the field of PIRE0_ELx is reserved is IMPLEMENTATION DEFINED',
  text: 'it does not',
  view({ case: one, probe, changes }) {
    if (!probe.pan || !isIndirect(one, 1) || changes.registers?.pire0 !== undefined) return undefined;
    let { pire0 } = one.registers;
    for (let low = 0n; low < 64n; low += 4n) {
      if (RESERVED.includes((pire0 >> low) & 0xfn)) pire0 &= ~(0xfn << low);
    }
    return { registers: { pire0 } };
  },
};

/** TCR2_ELx.AIE; AttrIndx[3] of a leaf; APTable, UXNTable and PXNTable of a table. */
const AIE = 1n << 4n;
const ATTR_INDX_3 = 1n << 59n;
const TABLE_PERMISSIONS = 0xfn << 59n;

const aieKeepsHierarchy: CpuDeviation = {
  name: 'aie-keeps-hierarchical-permissions',
  since: 1100,
  section: 'D8.6.1 R_MJGNV: with attribute index extension, hierarchical permissions are disabled',
  text: 'permissions of table descriptors count, unless permission indirection is on too',
  view({ case: one, result, changes }) {
    const { tcr2, mair, mair2 } = { ...one.registers, ...changes.registers };
    if ((tcr2 & AIE) === 0n || (tcr2 & PIE) !== 0n) return undefined;
    const steps = result.steps.filter(({ stage }) => stage === 1);
    const hierarchical = steps.some(
      ({ kind, descriptor = 0n }) => kind === 'table' && (descriptor & TABLE_PERMISSIONS) !== 0n,
    );
    if (!hierarchical) return undefined;
    // Without AIE, and with the half of the memory types that the leaf chooses.
    const { descriptor = 0n } = steps.at(-1) ?? {};
    return { registers: { tcr2: tcr2 & ~AIE, mair: descriptor & ATTR_INDX_3 ? mair2 : mair } };
  },
};

/** Every rule about indirect permissions, and about hardware updates, on which they depend. */
export const indirectionDeviations: readonly CpuDeviation[] = [
  aieKeepsHierarchy,
  noUpdates,
  dirtyState,
  panAndReserved,
];
