/** Where QEMU's SMMUv3 leaves the architecture. (IHI 0070 G.b; QEMU 7.2 and 10.0.) */
import type { SmmuResult } from '../../../src/smmu/index.ts';
import { configurationResults, configurationViews } from './smmu-deviations-configuration.ts';
import { configurationFirst, nestedResults, nestedViews } from './smmu-deviations-nested.ts';
import {
  ADDRESS_47_12,
  cdControl,
  faulted,
  faultStage,
  hierarchyDisabled,
  lastStep,
  leaves,
  outputBits,
  outputControl,
  type SmmuDeviation,
  type SmmuSituation,
  WIDEST,
  word,
} from './smmu-situation.ts';

const AFFD = 1n << 35n;

const accessFlag: SmmuDeviation = {
  name: 'access-flag-unchecked',
  before: 800,
  section: '7.3.15 F_ACCESS: AF = 0 faults unless CD.AFFD = 1',
  text: 'AF is not looked at',
  view(situation) {
    const control = cdControl(situation);
    if (situation.stream.cd === 0 || control & AFFD) return undefined;
    return { words: new Map([[situation.stream.cd, control | AFFD]]) };
  },
};

const outputSize: SmmuDeviation = {
  name: 'output-size-unchecked',
  section: '7.3.14 F_ADDR_SIZE: an output address beyond IPS or the OAS',
  text: 'a table is fetched wherever it points to, and a leaf goes out as it is (but see the next rule)',
  view(situation) {
    const { result, stream } = situation;
    if (result.ok || result.fault.kind !== 'address_size' || !('stage' in result.fault)) return undefined;
    const last = result.steps.at(-1);
    // Nested, a stage-1 table pointer is checked: see the rule about its class.
    const { stage } = result.fault;
    if (last === undefined || (stream.kind === 'nested' && stage === 1 && last.kind === 'table'))
      return undefined;
    const { pa, control, shift } = outputControl(situation, stage);
    if (situation.changes.wide && ((control >> shift) & 7n) === WIDEST) return undefined;
    return { wide: true, words: new Map([[pa, (control & ~(7n << shift)) | (WIDEST << shift)]]) };
  },
};

const leafSizeLast: SmmuDeviation = {
  name: 'leaf-size-checked-last',
  since: 800,
  section: '7.3.22: the output size of a leaf is checked before its access flag and permissions',
  text: 'the base of the leaf is checked, after them',
  result(situation) {
    const { result, changes } = situation;
    if (!changes.wide) return undefined;
    for (const { index, step, base } of leaves(situation)) {
      // A leaf that is at fault anyway.
      if (!result.ok && index === result.steps.length - 1 && faultStage(result) === step.stage)
        return undefined;
      if (base >> outputBits(situation, step.stage)) return leafFault(situation, index);
    }
    return undefined;
  },
};

/** An address size fault of the leaf at a step. */
function leafFault(situation: SmmuSituation, index: number): SmmuResult {
  const { result, stream, probe } = situation;
  const steps = result.steps.slice(0, index + 1);
  const step = result.steps[index];
  const { s1Level } = step ?? {};
  if (step?.stage !== 2) return faulted(situation, { kind: 'address_size', stage: 1, class: 'in' }, steps);
  if (s1Level !== undefined) {
    const ipa = result.steps[index + 1]?.address ?? 0n;
    const ptw = { ptw: true, s1Level } as const;
    return faulted(situation, { kind: 'address_size', stage: 2, class: 'tt', ipa, ...ptw }, steps);
  }
  const s1 = steps.findLast(({ stage }) => stage === 1);
  const ipa =
    stream.kind === 'nested' ? (s1?.output ?? 0n) + (probe.iova & ((s1?.size ?? 1n) - 1n)) : probe.iova;
  return faulted(situation, { kind: 'address_size', stage: 2, class: 'in', ipa }, steps);
}

const blocksAnywhere: SmmuDeviation = {
  name: 'smmu-block-at-any-level',
  section: 'DDI 0487 D8.3.1: a block at a level that has none is a translation fault',
  text: '0b01 is a block at every level above 3',
  view(situation) {
    const { result, stream, probe, changes } = situation;
    const last = lastStep(situation);
    if (result.ok || result.fault.kind !== 'translation' || last === undefined) return undefined;
    const { step, pa, descriptor } = last;
    if ((descriptor & 3n) !== 1n || step.level >= 3) return undefined;
    const granuleLog2 = BigInt(
      Math.round(Math.log2(Number(step.size)) + 3 * (3 - step.level)) / (4 - step.level),
    );
    const stride = granuleLog2 - 3n;
    const attributes = descriptor & ~ADDRESS_47_12 & ~3n;
    const base = descriptor & ADDRESS_47_12 & ~(step.size - 1n);
    const input = step.stage === 2 && 'ipa' in result.fault ? (result.fault.ipa ?? 0n) : probe.iova;
    const ia = input & (step.size - 1n);
    const words = new Map<number, bigint>();
    const firstBlock = granuleLog2 === 12n ? 1 : 2;
    const known = (changes.words.get(pa) ?? 0n) & ADDRESS_47_12;
    let at = pa;
    let size = step.size;
    let table = known === 0n ? freeScratch(situation, step.stage) : known;
    for (let level = step.level; level < firstBlock; level++) {
      words.set(at, table | 3n);
      size >>= stride;
      const shift = step.stage === 1 ? stream.scratch.pa - stream.scratch.address : 0;
      at = Number(table) + shift + Number((ia / size) % (1n << stride)) * 8;
      table += 1n << granuleLog2;
    }
    words.set(at, attributes | base | (ia & ~(size - 1n)) | 1n);
    return { words };
  },
};

/** Where tables that stand in for one more block may be, as a descriptor of the stage names it. */
function freeScratch({ stream, changes, ...rest }: SmmuSituation, stage: 1 | 2): bigint {
  if (stage === 1) return BigInt(stream.scratch.address);
  const situation = { stream, changes, ...rest };
  const taken = [...changes.words].filter(
    ([pa, now]) => (now & 3n) === 3n && (word(situation, pa) & 3n) === 1n && pa !== stream.cd,
  );
  return BigInt(stream.scratch2 + (taken.length % 8) * 2 ** 17);
}

const inputSize: SmmuDeviation = {
  name: 'input-beyond-ias',
  section: '3.4: with stage 1 bypassed, an input beyond the IAS is F_ADDR_SIZE',
  text: 'the transaction is terminated without an event',
  result({ result, stream, probe }) {
    const beyond = !result.ok && result.fault.kind === 'address_size' && result.steps.length === 0;
    if (stream.kind !== 'stage 2' || !beyond) return undefined;
    return {
      ok: false,
      ia: probe.iova,
      fault: { kind: 'abort' },
      event: undefined,
      response: 'abort',
      steps: [],
    };
  },
};

const AP_TABLE_READ_ONLY = 1n << 62n;

const tableStopsWrite: SmmuDeviation = {
  name: 'aptable-stops-write-at-table',
  section: '7.3.22: permissions are checked after the whole walk',
  text: 'a write ends with F_PERMISSION at the first table whose APTable[1] is set',
  result(situation) {
    const { result, probe, stream } = situation;
    if (stream.kind === 'stage 2' || probe.access !== 'write' || hierarchyDisabled(situation))
      return undefined;
    const stops = result.steps.findIndex(
      ({ stage, kind, descriptor = 0n }) =>
        stage === 1 && kind === 'table' && descriptor & AP_TABLE_READ_ONLY,
    );
    const same =
      !result.ok &&
      result.fault.kind === 'permission' &&
      'class' in result.fault &&
      result.fault.class === 'in' &&
      result.fault.stage === 1;
    if (stops < 0 || same) return undefined;
    return faulted(
      situation,
      { kind: 'permission', stage: 1, class: 'in' },
      result.steps.slice(0, stops + 1),
    );
  },
};

/** Rules that change what is walked come first. */
export const smmuDeviations: readonly SmmuDeviation[] = [
  accessFlag,
  blocksAnywhere,
  outputSize,
  ...configurationViews,
  ...nestedViews,
  leafSizeLast,
  ...nestedResults,
  inputSize,
  tableStopsWrite,
  configurationFirst,
  ...configurationResults,
];
