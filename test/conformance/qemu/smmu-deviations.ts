/**
 * Where QEMU's SMMUv3 leaves the architecture: one table, one rule a deviation, each saying exactly what QEMU answers.
 * (IHI 0070 G.b; QEMU 7.2 and 10.0.)
 */
import type { PhysicalMemory } from '../../../src/memory/index.ts';
import { eventRecord, type SmmuResult } from '../../../src/smmu/index.ts';
import type { WalkStep } from '../../../src/walker/index.ts';
import type { StreamCase } from './smmu-cases.ts';
import type { SmmuChanges } from './smmu-expectation.ts';
import { type SmmuProbe, streamOf } from './smmu-machine.ts';
import { physicalAddress } from './view.ts';

/** A transaction, and its translation under the changes so far. */
export interface SmmuSituation {
  readonly stream: StreamCase;
  readonly probe: SmmuProbe;
  readonly result: SmmuResult;
  readonly changes: SmmuChanges;
  readonly memory: PhysicalMemory;
}

export interface SmmuDeviation {
  readonly name: string;
  readonly since?: number;
  readonly before?: number;
  readonly section: string;
  readonly text: string;
  /** What QEMU sees instead; undefined where the rule does not apply or has been applied. */
  view?(situation: SmmuSituation): Partial<SmmuChanges> | undefined;
  /** What QEMU answers instead. */
  result?(situation: SmmuSituation): SmmuResult | undefined;
}

const ADDRESS_47_12 = 0xffff_ffff_f000n;
const AFFD = 1n << 35n;

function word({ memory }: SmmuSituation, pa: number): bigint {
  const value = memory.read64(BigInt(pa));
  return typeof value === 'bigint' ? value : 0n;
}

/** The CD's first word as it is now seen. */
const cdControl = (situation: SmmuSituation): bigint =>
  situation.changes.words.get(situation.stream.cd) ?? word(situation, situation.stream.cd);

/** The word that holds IPS or S2PS, as it is now seen, and its PA. */
function outputControl(situation: SmmuSituation): readonly [pa: number, word: bigint] {
  const { stream, changes } = situation;
  if (stream.kind === 'stage 1') return [stream.cd, cdControl(situation)];
  const pa = stream.ste + 16;
  return [pa, changes.words.get(pa) ?? word(situation, pa)];
}

/** The last step of a walk that ended in a fault, and its PA. */
function lastStep({ result }: SmmuSituation): { readonly step: WalkStep; readonly pa: number } | undefined {
  const step = result.steps.at(-1);
  const pa = step === undefined ? undefined : physicalAddress(result.steps, step);
  return step === undefined || pa === undefined ? undefined : { step, pa };
}

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
    const { result, stream, changes } = situation;
    if (result.ok || result.fault.kind !== 'address_size' || changes.wide) return undefined;
    if (result.steps.length === 0) return undefined;
    const [pa, control] = outputControl(situation);
    const shift = stream.kind === 'stage 1' ? 32n : 48n;
    return { wide: true, words: new Map([[pa, (control & ~(7n << shift)) | (5n << shift)]]) };
  },
};

const OUTPUT_BITS = [32, 36, 40, 42, 44, 44, 44, 44] as const;

/** Base of the leaf in QEMU's eyes: it may be a block where the architecture has none. */
function leafBase(situation: SmmuSituation): bigint {
  const { result } = situation;
  for (const step of result.steps) {
    const pa = physicalAddress(result.steps, step) ?? 0;
    const original = word(situation, pa);
    if (step.kind === 'table' && (original & 3n) === 1n) return original & ADDRESS_47_12 & ~(step.size - 1n);
  }
  return result.ok ? result.leafBase : 0n;
}

const leafSizeLast: SmmuDeviation = {
  name: 'leaf-size-checked-last',
  since: 800,
  section: '7.3.22: the output size of a leaf is checked before its access flag and permissions',
  text: 'the base of the leaf is checked, after them',
  result(situation) {
    const { result, stream, changes } = situation;
    if (!result.ok || !changes.wide) return undefined;
    const size =
      stream.kind === 'stage 1' ? word(situation, stream.cd) >> 32n : word(situation, stream.ste + 16) >> 48n;
    const bits = OUTPUT_BITS[Number(size & 7n)] ?? 44;
    return leafBase(situation) >> BigInt(bits) === 0n ? undefined : faulted(situation, 'address_size');
  },
};

const blocksAnywhere: SmmuDeviation = {
  name: 'block-at-any-level',
  section: 'DDI 0487 D8.3.1: a block at a level that has none is a translation fault',
  text: '0b01 is a block at every level above 3',
  view(situation) {
    const { result, stream, probe } = situation;
    const last = lastStep(situation);
    if (result.ok || result.fault.kind !== 'translation' || last === undefined) return undefined;
    const { step, pa } = last;
    const descriptor = step.descriptor ?? 0n;
    if ((descriptor & 3n) !== 1n || step.level >= 3 || step.kind !== 'invalid') return undefined;
    const granuleLog2 = BigInt(
      Math.round(Math.log2(Number(step.size)) + 3 * (3 - step.level)) / (4 - step.level),
    );
    const stride = granuleLog2 - 3n;
    const attributes = descriptor & ~ADDRESS_47_12 & ~3n;
    const base = descriptor & ADDRESS_47_12 & ~(step.size - 1n);
    const ia = probe.iova & (step.size - 1n);
    const words = new Map<number, bigint>();
    const firstBlock = granuleLog2 === 12n ? 1 : 2;
    let at = pa;
    let size = step.size;
    let table = stream.scratch.pa;
    for (let level = step.level; level < firstBlock; level++) {
      words.set(at, BigInt(table) | 3n);
      size >>= stride;
      at = table + Number((ia / size) % (1n << stride)) * 8;
      table += 2 ** Number(granuleLog2);
    }
    words.set(at, attributes | base | (ia & ~(size - 1n)) | 1n);
    return { words };
  },
};

const inputSize: SmmuDeviation = {
  name: 'input-beyond-ias',
  section: '3.4: with stage 1 bypassed, an input beyond the IAS is F_ADDR_SIZE',
  text: 'the transaction is terminated without an event',
  result({ result, stream, probe }) {
    const beyond = !result.ok && result.fault.kind === 'address_size' && result.steps.length === 0;
    if (stream.kind !== 'stage 2' || !beyond) return undefined;
    return { ok: false, ia: probe.iova, fault: { kind: 'abort' }, event: undefined, steps: [] };
  },
};

const AP_TABLE_READ_ONLY = 1n << 62n;

const tableStopsWrite: SmmuDeviation = {
  name: 'aptable-stops-write-at-table',
  section: '7.3.22: permissions are checked after the whole walk',
  text: 'a write ends with F_PERMISSION at the first table whose APTable[1] is set',
  result(situation) {
    const { result, probe, stream } = situation;
    if (stream.kind !== 'stage 1' || probe.access !== 'write' || hierarchyDisabled(situation))
      return undefined;
    const stops = result.steps.findIndex(
      ({ stage, kind, descriptor = 0n }) =>
        stage === 1 && kind === 'table' && descriptor & AP_TABLE_READ_ONLY,
    );
    if (stops < 0 || (!result.ok && result.fault.kind === 'permission')) return undefined;
    return faulted(situation, 'permission');
  },
};

/** A fault of the input's translation, in place of another answer. */
function faulted({ stream, probe, result }: SmmuSituation, kind: 'permission' | 'address_size'): SmmuResult {
  const alone = stream.kind === 'stage 2';
  const fault = {
    kind,
    level: 0,
    stage: alone ? 2 : 1,
    class: 'in',
    ...(alone && { ipa: probe.iova }),
  } as const;
  const context = {
    streamId: streamOf(stream.device),
    substreamId: undefined,
    ia: probe.iova,
    privileged: true,
  };
  const event = eventRecord(fault, { ...context, access: probe.access });
  return { ok: false, ia: probe.iova, fault, event, steps: result.steps };
}

/** CD.HAD0 or HAD1, by the half of the address. */
function hierarchyDisabled(situation: SmmuSituation): boolean {
  const { stream, probe } = situation;
  const upper = (probe.iova >> 55n) & 1n;
  return (word(situation, stream.cd + (upper ? 16 : 8)) & 2n) !== 0n;
}

/** Rules that change what is walked come first. */
export const smmuDeviations: readonly SmmuDeviation[] = [
  accessFlag,
  blocksAnywhere,
  outputSize,
  leafSizeLast,
  inputSize,
  tableStopsWrite,
];
