/** Where QEMU's CPU leaves the architecture in Realm state, and in granule protection checks. (DDI 0487 D9, D8.2.6, D24.2.145.) */
import type { CpuDeviation } from './deviations-cpu.ts';
import { physicalAddress } from './view.ts';

const PAR_FST = 0x3fn << 1n;
const PAR_PTW = 1n << 8n;
const PAR_S = 1n << 9n;
const PAR_NS = 1n << 9n;
/** FST of a granule protection fault on the fetch of a descriptor, at level 0. */
const ON_WALK = 0b100100n;

const faultLevel: CpuDeviation = {
  name: 'granule-fault-is-of-stage-2',
  since: 801,
  section:
    'AArch64.S1Walk, S2Walk: FaultRecord.level, secondstage and s2fs1walk are those of the walk whose descriptor was not fetched',
  text: 'for the fetch of a stage-1 descriptor of EL1&0, with or without stage 2, FST has the level of the granule protection table, and S and PTW are 1',
  answer({ case: one, result }, answer) {
    if (result.ok || result.fault.kind !== 'granule_protection') return undefined;
    if (result.fault.stage === 2 || one.regime.startsWith('el2')) return undefined;
    const fst = ON_WALK | BigInt(result.fault.gptLevel ?? 0);
    return { ...answer, par: (answer.par & ~PAR_FST) | (fst << 1n) | PAR_S | PAR_PTW };
  },
};

const realmNs: CpuDeviation = {
  name: 'par-ns-of-realm-state',
  since: 801,
  section: 'AArch64.EncodePAR: in Realm state PAR_EL1.NS says whether the address is in Non-secure memory',
  text: 'it is 1 always',
  answer({ case: one, result }, answer) {
    if (!result.ok || one.security?.state !== 'realm') return undefined;
    return { ...answer, par: answer.par | PAR_NS };
  },
};

/** NS of a stage-2 leaf of Realm state. */
const LEAF_NS = 1n << 55n;

const realmTables: CpuDeviation = {
  name: 'realm-tables-in-non-secure-memory',
  since: 801,
  section:
    'D8.2.6 R_QMLYQ: a stage-1 table of Realm state in Non-secure memory is a stage-2 permission fault',
  text: 'it is read',
  view({ case: one, result, changes }) {
    if (one.security?.state !== 'realm') return undefined;
    for (const step of result.steps) {
      const pa = physicalAddress(result.steps, step);
      const leaf = step.stage === 2 && (step.kind === 'page' || step.kind === 'block');
      if (!leaf || step.s1Level === undefined || pa === undefined || changes.words?.has(pa)) continue;
      const word = step.descriptor ?? 0n;
      if (word & LEAF_NS) return { words: new Map([[pa, word & ~LEAF_NS]]) };
    }
    return undefined;
  },
};

const reservedNeighbours: CpuDeviation = {
  name: 'reserved-gpi-of-another-granule',
  since: 801,
  section:
    'D9.6.3, GPTWalk, GPTGranulesDescriptorValid: a reserved GPI anywhere in an entry is a GPT walk fault',
  text: "only the granule's own GPI counts",
  view({ case: one, result, changes }) {
    const { fault } = result.ok ? {} : result;
    if (fault?.gpc !== 'walk' || fault.pa === undefined || one.granuleEntry === undefined) return undefined;
    const { at, word, granuleLog2 } = one.granuleEntry(Number(fault.pa));
    // A contiguous entry has one GPI.
    if (changes.words?.has(at) || (word & 0xfn) === 1n) return undefined;
    const own = (word >> (((fault.pa >> BigInt(granuleLog2)) % 16n) * 4n)) & 0xfn;
    // The same for all 16.
    return { words: new Map([[at, own * 0x1111_1111_1111_1111n]]) };
  },
};

/** Every rule about Realm state and granules. */
export const granuleDeviations: readonly CpuDeviation[] = [
  reservedNeighbours,
  realmTables,
  faultLevel,
  realmNs,
];
