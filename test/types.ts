/** Types of the public API, checked by `npm run typecheck` and never run: what is right compiles, what is wrong does not. */
import { arm64LpaeS1, type FormatModule, formatNamed, type formats } from '../formats/index.ts';
import { bbm, judgeTrace, type StepVerdict } from '../src/bbm/index.ts';
import { describeRegime } from '../src/describe/index.ts';
import { DmaMapper } from '../src/dma/index.ts';
import { type DecodedFault, parseFaults } from '../src/glossary/index.ts';
import { checkGolden } from '../src/golden/index.ts';
import { imageMemory, openImage } from '../src/image/index.ts';
import {
  type DomainOptions,
  FormatError,
  IommuDomain,
  IommuError,
  type Prot,
  planSg,
  Scatterlist,
  type SgSemantics,
} from '../src/index.ts';
import { lint, type RuleName, ruleNamed } from '../src/lint/index.ts';
import { createMachine, type MachineRegime } from '../src/machine/index.ts';
import { type ExternalAbort, FrameAllocator, PhysicalMemory } from '../src/memory/index.ts';
import { createSmmu, fixedSmmu, judgeSmmuTrace, type SmmuResult } from '../src/smmu/index.ts';
import { diffBits, diffMeaning, listSpace } from '../src/space/index.ts';
import { compareWorkload, type TlbResult, workloadNamed } from '../src/study/index.ts';
import { Tlb } from '../src/tlb/index.ts';
import type { SmmuTrace } from '../src/trace/index.ts';
import { createWalker, parEl1, type Regime, type Walker, type WalkResult } from '../src/walker/index.ts';

/** Whether two types are the same, `readonly` and optional members included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles where all of these are true. */
export type AllTrue<T extends readonly true[]> = T;

declare const memory: PhysicalMemory;
declare const options: DomainOptions;

export function ofTheDriverSide(): unknown {
  const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x1000n, ias: 48, oas: 48 });
  const sg = Scatterlist.from(
    [
      { page: 0n, length: 1 },
      { phys: 0n, length: 1n },
    ],
    { cpuPageSize: 4096n },
  );
  const mapped = domain.mapSg(0n, sg, { read: true });
  const phys = domain.iovaToPhys(0n);
  const { stop } = domain.unmapReport(0n, 0x1000n);
  const plan = planSg(sg, 'page-align', 0x1000n);

  // An address may be a number, too, and the answer is of the same kind.
  domain.map(0x1000, 0n, 0x1000n, { read: true });
  domain.iovaToPhys(0x1000) satisfies number | null;
  (domain.unmap(0x1000, 0x1000n) + domain.mapSg(0, sg, { read: true })) satisfies number;
  domain.unmap(0x1000n, 0x1000) satisfies bigint;
  domain.unmapReport(0, 0x1000).end satisfies number;
  domain.readAndClearDirty(0, 0x1000) satisfies readonly { readonly iova: number; readonly size: number }[];
  // @ts-expect-error: no bigint where the IOVA was a number.
  domain.unmap(0x1000, 0x1000n) satisfies bigint;
  // @ts-expect-error: an address is no text.
  domain.map('0x1000', 0n, 0x1000n, { read: true });
  // @ts-expect-error: there is no such right.
  domain.map(0x1000n, 0n, 0x1000n, { reed: true });
  // @ts-expect-error: nor such a type of Device memory.
  domain.map(0x1000n, 0n, 0x1000n, { read: true, device: 'nGRnE' });
  // @ts-expect-error: a page size bitmap is needed, and is a bigint.
  new IommuDomain(memory, arm64LpaeS1, { ias: 48, oas: 48 });
  // @ts-expect-error: bits are numbers.
  new IommuDomain(memory, arm64LpaeS1, { ...options, ias: 48n });
  // @ts-expect-error: a quirk that Linux does not have.
  new IommuDomain(memory, arm64LpaeS1, { ...options, quirks: ['arm_sn'] });
  // @ts-expect-error: one of three choices.
  new IommuDomain(memory, arm64LpaeS1, { ...options, partialUnmap: 'join' });
  // @ts-expect-error: an allocator of another kind.
  new IommuDomain(memory, arm64LpaeS1, { ...options, allocator: memory });
  // @ts-expect-error: an entry has a length.
  Scatterlist.from([{ page: 0n }]);
  // @ts-expect-error: what a domain is made of does not change.
  domain.memory = memory;
  // @ts-expect-error: nor do the tables of which it tells.
  domain.tables()[0]!.entries[0]!.descriptor = 0n;
  // @ts-expect-error: a plan is what was planned.
  plan.pieces.push(plan.pieces[0]!);

  const error: Error = new FormatError('no');
  if (error instanceof IommuError && error.code === 'ERANGE')
    return error.operands.iova satisfies bigint | undefined;
  // @ts-expect-error: not one of Linux's codes here.
  if (error instanceof IommuError && error.code === 'EPERM') return error;
  return { mapped, phys, stop } satisfies {
    mapped: bigint;
    phys: bigint | null;
    stop: IommuError | undefined;
  };
}

export function ofMemory(): unknown {
  const word = memory.read64(0n);
  const half = memory.read32(0n);
  // Addresses and sizes may be numbers, too. A 64-bit word is a bigint, wherever it is.
  const numbered = new PhysicalMemory({ base: 0x8000_0000, size: 2 ** 30 });
  numbered.write64(0x8000_0000, 1n);
  numbered.read64(0x8000_0000) satisfies bigint | ExternalAbort;
  new FrameAllocator(numbered, { base: 0x8001_0000, size: 0x1000n, limit: 4096 });
  const list = Scatterlist.from([
    { page: 0x1000, length: 1 },
    { phys: 5, length: 1n },
  ])
    .add(0x2000, 0, 1)
    .addRange(7, 1);
  list.entry(0).page satisfies bigint;
  // @ts-expect-error: a word is no number.
  numbered.write64(0x8000_0000, 1);
  // @ts-expect-error: an address is no text.
  numbered.read32('0x80000000');
  // @ts-expect-error: there may be no RAM.
  const sum = word + 1n;
  // @ts-expect-error: a region is given by its size or by its bytes.
  new PhysicalMemory({ base: 0n });
  // @ts-expect-error: frames come as numbers, and there may be none.
  const frame: bigint = new FrameAllocator(memory).allocate(4096);
  return [sum, frame, word satisfies bigint | ExternalAbort, half satisfies number | ExternalAbort];
}

export function ofTheWalker(walker: Walker): unknown {
  const walk = walker.walk(0n, { access: 'execute', privileged: false, pan: true });
  // @ts-expect-error: a fault has no PA.
  walk.pa;
  // @ts-expect-error: nor a translation a fault.
  walk.fault;
  if (walk.ok) {
    if (walk.attributes.type === 'device') return walk.attributes.device;
    // @ts-expect-error: Normal memory has no ordering of Device memory.
    walk.attributes.device;
    return [walk.pa satisfies bigint, walk.size satisfies bigint, walk.attributes.inner.policy];
  }
  // @ts-expect-error: an answer stays what it is.
  walk.fault.level = 0;
  // @ts-expect-error: access is one of three.
  walker.walk(0n, { access: 'fetch' });
  // @ts-expect-error: an address is a bigint.
  walker.walk(0, { access: 'read' });
  // @ts-expect-error: many are numbers.
  walker.translateMany(new BigInt64Array(1), new BigInt64Array(1), { access: 'read' });
  // @ts-expect-error: no such regime.
  createWalker(memory, { regime: 'el1', registers: {} });
  // @ts-expect-error: no such CPU.
  createWalker(memory, { regime: 'el2', registers: {}, cpu: 'cortex-a1' });
  // @ts-expect-error: no such register, by the walker's names.
  createWalker(memory, { regime: 'el2', registers: { ttbr0_el2: 0n } });
  return [
    walker.translate(0n, { access: 'read' }) satisfies bigint | undefined,
    parEl1(walk) satisfies bigint,
  ];
}

export function ofMachines(): unknown {
  const smmu = createSmmu(memory, { strtabBase: 0n, strtabBaseCfg: 0n });
  const answer = smmu.translate(0, 0n, { access: 'read', substreamId: 1 });
  if (!answer.ok && 'class' in answer.fault) return answer.fault.level;
  const machine = createMachine({ memory, regime: 'smmuv3-s1', registers: { ste0: 1n } });
  // @ts-expect-error: SMMUs have register values, not numbers.
  createSmmu(memory, { strtabBase: 0, strtabBaseCfg: 0 });
  const tlb = new Tlb(memory, { regime: 'el1&0', registers: {} }, { ways: 4 });
  // @ts-expect-error: no such operation.
  tlb.tlbi('VAE4', 0n);
  // @ts-expect-error: a level of FEAT_BBM is 0 to 2.
  bbm(0n, 0n, { stage: 1, level: 3, granuleLog2: 12, bbml: 3 });
  // @ts-expect-error: a description is to be read.
  describeRegime('el2', {}).stages[0] = undefined;
  const { steps } = judgeTrace(
    [
      { write: 0n, value: 0n },
      { tlbi: 'VAE1', operand: 0n },
    ],
    {
      stage: 1,
      granuleLog2: 12,
      iaBits: 48,
      root: 0n,
    },
  );
  const written = (step: StepVerdict) => (step.kind === 'write' ? step.after : step.step);
  return [steps.map(written), machine({ streamId: 1 }).walk(0n, { access: 'read' }).ok, tlb.statistics.hits];
}

export function ofJudges(trace: SmmuTrace): unknown {
  const ids = { idr0: 0n, idr1: 0n, idr3: 0n, idr5: 0n };
  const { accesses } = judgeSmmuTrace(trace);
  // @ts-expect-error: a judgement is to be read.
  accesses[0]!.step = 1;
  // @ts-expect-error: no such policy.
  fixedSmmu(memory, 'linux', ids);
  // @ts-expect-error: the policy chooses.
  fixedSmmu(memory, 'qemu', { ...ids, choose: () => 0 });
  const { chosen } = fixedSmmu(memory, 'qemu', ids).access({ streamId: 1, ia: 0n, access: 'read' });
  return chosen.outcome.kind === 'pa'
    ? chosen.outcome.pa
    : accesses.map(({ answers }) => answers[0]?.origin?.replaced);
}

export function ofTools(walker: Walker, result: TlbResult, fault: DecodedFault): unknown {
  const { ranges } = listSpace(walker);
  const differences = diffMeaning(ranges, ranges, { regimes: ['el1&0', 'el1&0'] });
  // @ts-expect-error: of both sides the regime is needed.
  diffMeaning(ranges, ranges, { regimes: ['el1&0'] });
  // @ts-expect-error: no such rule.
  lint({ translator: walker, ranges, rules: ['no-rule'] });
  // @ts-expect-error: no such choice of sizes.
  compareWorkload(workloadNamed('gpu'), { sizes: ['huge'] });
  const device = new DmaMapper(new IommuDomain(memory, arm64LpaeS1, options));
  // @ts-expect-error: no such direction.
  device.mapSg(new Scatterlist(), { direction: 'both' });
  // @ts-expect-error: what could not be mapped was not measured.
  result.hitRate;
  // @ts-expect-error: a file is a source of bytes, not a path.
  imageMemory([openImage('ram.bin')]);
  return [
    result.maps ? result.hitRate : result.reason,
    differences[0]?.a?.pa satisfies bigint | undefined,
    diffBits(walker, walker).entries[0]?.fields[0]?.name satisfies string | undefined,
    fault.address satisfies bigint | undefined,
    parseFaults('')[0] satisfies DecodedFault | undefined,
    checkGolden({}).differences.length satisfies number,
    ruleNamed('cycle').reference satisfies string,
    formatNamed('arm_v7s') satisfies FormatModule | undefined,
  ];
}

/** Unions, as they are written in the documentation. */
export type Unions = AllTrue<
  [
    Same<SgSemantics, 'exact' | 'per-entry' | 'page-align'>,
    Same<WalkResult['ok'], boolean>,
    Same<SmmuResult['ok'], boolean>,
    Same<
      Extract<MachineRegime, 'el1&0-nested' | 'smmuv3-s1' | 'pl2' | 'riscv'>,
      'el1&0-nested' | 'smmuv3-s1' | 'pl2' | 'riscv'
    >,
    Same<Extract<Regime, 'smmuv3-s1'>, never>,
    Same<Extract<RuleName, 'cycle' | 'level-mix'>, 'cycle' | 'level-mix'>,
    Same<string extends Regime ? true : false, false>,
    Same<string extends RuleName ? true : false, false>,
    Same<Prot['mairIndex'], number | undefined>,
    Same<typeof formats, readonly FormatModule[]>,
  ]
>;
