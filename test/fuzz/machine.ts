/** One random machine, PE or SMMU, and the walks it makes: all of it follows from a seed and an index. (DDI 0487 D8, G5; IHI 0070.) */
import { createSmmu, createStream, type SmmuResult, type Transaction } from '../../src/smmu/index.ts';
import {
  type Access,
  type CpuFeatures,
  cpuModels,
  createWalker,
  regimes,
  type WalkResult,
} from '../../src/walker/index.ts';
import { Random } from '../support/random.ts';
import { check, summary, Violation } from './check.ts';
import { begin, type GuardedMemory, randomMemory } from './memory.ts';
import {
  randomAddress,
  randomCd,
  randomRegisters,
  randomState,
  randomSte,
  tableAddress,
} from './registers.ts';

/** Walks that one machine makes. */
export const WALKS_PER_MACHINE = 256;

/** The results of a machine's walks. */
export interface Tally {
  walks: number;
  /** How often each answer was given: a translation by the level of its leaf, or a fault. */
  readonly answers: Map<string, number>;
  /** Walks that wrote a descriptor back. */
  updates: number;
}

export function newTally(): Tally {
  return { walks: 0, answers: new Map(), updates: 0 };
}

/** Anything that answers an access. */
interface Subject {
  readonly name: string;
  readonly paBits: number;
  /** An AArch64 PE, whose accesses may be of a Guarded Control Stack or Tag Checked. */
  readonly isAArch64?: boolean;
  readonly guarded: GuardedMemory;
  readonly ask: (ia: bigint, access: Access & Transaction) => WalkResult | SmmuResult;
  /** The PA alone, where there is a shorter way to it. */
  readonly fast?: (ia: bigint, access: Access) => bigint | undefined;
}

/** Features that the registers of `extendedRegisters` need, each by chance. */
function armv9(random: Random): Partial<CpuFeatures> {
  const has = () => random.chance(0.6);
  return {
    s1pie: has(),
    s2pie: has(),
    s1poe: has(),
    s2poe: has(),
    aie: has(),
    hafdbs: has(),
    haft: has(),
    the: has(),
    gcs: has(),
    mtePerm: has(),
    asid2: has(),
    xs: has(),
  };
}

function processor(random: Random): Subject {
  const regime = random.pick(regimes);
  const model = random.pick(['max', 'max', 'max', ...cpuModels] as const);
  const guarded = randomMemory(random, regime.startsWith('pl') || random.chance(0.7));
  const registers = randomRegisters(random, regime, guarded.memory);
  const rme = random.chance(0.2)
    ? { rmeGpc2: random.chance(0.5), rmeGpc3: random.chance(0.5), rmeGdi: random.chance(0.3) }
    : {};
  const state = randomState(random, regime);
  const cpu = { model, ...rme, ...(random.chance(0.5) && armv9(random)) };
  const walker = createWalker(guarded.memory, { regime, registers, cpu, ...state });
  return {
    isAArch64: regime.startsWith('el'),
    name: `${regime} of ${model} in ${walker.security} state`,
    paBits: walker.cpu.paBits,
    guarded,
    ask: (ia, access) => walker.walk(ia, access),
    fast: (ia, access) => walker.translate(ia, access),
  };
}

/** IDR0 with what random bits have in TTF, HTTU, ENDIAN and the rest, both stages always there. */
function identification(random: Random) {
  if (random.chance(0.5)) return {};
  const idr0 = (0x0d44_101bn & ~0x6000c4n) | (random.bits(27) & 0x6000c4n);
  return {
    idr0,
    idr1: 0x273_0010n | (random.bits(5) << 6n),
    idr3: random.bits(24),
    // Not D128 (bit 8): streams that ask for it are refused as not modelled (test/smmu/not-modelled.test.ts).
    idr5: 0x70n | (random.bits(12) & ~0x100n),
  };
}

function stream(random: Random): Subject {
  const guarded = randomMemory(random, random.chance(0.9));
  const { memory } = guarded;
  const cd = random.chance(0.7) ? { cd: randomCd(random, memory) } : {};
  const s2pii = random.word64();
  const description = {
    ste: randomSte(random, memory),
    identification: identification(random),
    s2pii,
    ...cd,
  };
  const subject = createStream(memory, description);
  return { name: 'SMMUv3 stream', paBits: 52, guarded, ask: (ia, access) => subject.translate(ia, access) };
}

/** Its stream table is at the start of RAM: entries that make sense in a linear one, noise in one of two levels. */
function smmu(random: Random): Subject {
  const guarded = randomMemory(random, random.chance(0.9));
  const { memory } = guarded;
  const strtabBase = memory.regions[0]!.base;
  for (let id = 0; id < 16; id++) {
    begin(guarded);
    randomSte(random, memory).forEach((word, i) => {
      memory.write64(strtabBase + BigInt(id * 64 + i * 8), word);
    });
  }
  const log2Size = random.chance(0.9) ? 4 : random.word32() % 64;
  const twoLevels = random.chance(0.2) ? 0x1_0000n | (random.bits(5) << 6n) : 0n;
  const subject = createSmmu(memory, {
    strtabBase: random.chance(0.9) ? strtabBase : tableAddress(random, memory),
    strtabBaseCfg: BigInt(log2Size) | twoLevels,
    cr0: random.chance(0.95) ? 1n : 0n,
    cr2: random.bits(1),
    gbpa: random.bits(21),
    s2pii: random.word64(),
    ...identification(random),
  });
  const ids = Array.from({ length: 8 }, () => Number(random.bits(random.pick([4, 4, 4, 32]))));
  const ask: Subject['ask'] = (ia, access) => subject.translate(ids[Number(ia & 7n)]!, ia, access);
  return { name: 'SMMUv3', paBits: 52, guarded, ask };
}

/** The seed of machine `index` of a run: neighbours share nothing. */
function machineSeed(seed: number, index: number): number {
  return (Math.imul(seed ^ Math.imul(index + 1, 0x9e37_79b1), 0x85eb_ca6b) ^ index) >>> 0;
}

function randomAccess(random: Random, isAArch64: boolean): Access & Transaction {
  return {
    ...(isAArch64 && random.chance(0.1) && { gcs: true }),
    ...(isAArch64 && random.chance(0.1) && { tagChecked: true }),
    access: random.pick(['read', 'write', 'execute'] as const),
    privileged: random.chance(0.5),
    pan: random.chance(0.2),
    trace: random.chance(0.5),
    ...(random.chance(0.1) && { gpc: random.pick(['fetches', 'none'] as const) }),
    ...(random.chance(0.05) && { substreamId: Number(random.bits(random.pick([1, 4, 20]))) }),
  };
}

function answerName(result: WalkResult | SmmuResult): string {
  if (!result.ok) {
    const { fault } = result;
    return 'level' in fault
      ? `fault: ${fault.kind}, stage ${fault.stage}${fault.ptw ? ' on a walk' : ''}`
      : fault.kind;
  }
  if (result.level === undefined) return 'translated, no stage on';
  return `translated, ${result.stage1 ? 'both stages' : `stage ${result.stage}`}, level ${result.level}`;
}

/** One walk, checked; and the same again, which must end alike where the first wrote nothing. */
function probe(subject: Subject, ia: bigint, access: Access & Transaction, tally: Tally): void {
  const { guarded, paBits } = subject;
  const question = { ia, access, memory: guarded.memory, paBits };
  begin(guarded);
  const result = subject.ask(ia, access);
  const { writes } = guarded;
  check(result, question);
  const answer = answerName(result);
  tally.walks++;
  tally.answers.set(answer, (tally.answers.get(answer) ?? 0) + 1);
  if (writes > 0) {
    tally.updates++;
    return;
  }
  begin(guarded);
  const again = subject.ask(ia, { ...access, trace: !access.trace, update: false });
  check(again, question);
  begin(guarded);
  const pa = result.ok ? result.pa : undefined;
  if (subject.fast && subject.fast(ia, { ...access, update: false }) !== pa) {
    throw new Violation('the fast path answers otherwise');
  }
  if (summary(again) !== summary(result))
    throw new Violation(`the same walk again answers ${summary(again)}`);
}

/**
 * All the walks of machine `index`.
 * @throws Violation that names machine, address and access, for an exception too.
 */
export function runMachine(seed: number, index: number, tally: Tally): void {
  const random = new Random(machineSeed(seed, index));
  const make = random.pick([processor, processor, processor, processor, stream, stream, smmu]);
  const subject = named(make.name, () => make(random));
  for (let i = 0; i < WALKS_PER_MACHINE; i++) {
    const ia = randomAddress(random);
    const access = randomAccess(random, subject.isAArch64 === true);
    const question = `${subject.name}: 0x${ia.toString(16)}, ${JSON.stringify(access)}`;
    named(question, () => probe(subject, ia, access, tally));
  }
}

/** Anything thrown is a violation, of whatever was being done. */
function named<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Violation) throw new Violation(`${what}: ${error.message}`);
    throw new Violation(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
