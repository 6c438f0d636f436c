/** Random cases of the AArch32 regimes with long descriptors, as ARMv7 has them. (DDI 0406C B3.6; DDI 0487 G5.5.) */
import type { CpuModel } from '../../../src/walker/index.ts';
import type { Random } from '../../support/random.ts';
import { Planter, type Tree } from './plant.ts';
import { type Case, NO_REGISTERS, type Probe } from './probe.ts';
import { translatedFrame, untranslated } from './random-cases-a64.ts';
import { chooseMair, rootOf } from './random-registers.ts';
import type { TableSpace } from './table-space.ts';

export type RegimeA32 = 'pl1&0' | 'pl1&0-s2' | 'pl1&0-nested';

const PATHS = 14;
const LIMIT = 2 ** 32;
const GRANULE_LOG2 = 12;
const COMMON = { granuleLog2: GRANULE_LOG2, oaBits: 40, high: 'none', firstBlockLevel: 1 } as const;
const EAE = 1n << 31n;
/** SCTLR: the MMU, AFE and TRE aside; RES1 bits. WXN and UWXN only matter to execution. */
const SCTLR_ON = 0xc5_0079n;

interface Range {
  readonly tree: Tree;
  /** The first address of the range. */
  readonly base: number;
}

/** Makes a case of a regime, with its tables in `space`. */
export function randomCaseA32(
  random: Random,
  space: TableSpace,
  regime: RegimeA32,
  cpu: CpuModel,
  name: string,
): Case {
  const planter = new Planter(space, random);
  const common = { name, regime, cpu };
  if (regime === 'pl1&0') {
    const { ranges, registers } = stage1(random, untranslated(space), 40);
    return {
      ...common,
      registers,
      scratch: untranslated(space)(13),
      probes: probesOf(random, ranges, planter),
    };
  }
  const stage2 = chooseStage2(random, space);
  if (regime === 'pl1&0-s2') {
    const range = { tree: stage2.tree, base: 0 };
    const registers = { ...NO_REGISTERS, ...stage2.registers, hcr: 0x1001n, sctlr: 0xc5_0078n };
    return {
      ...common,
      registers,
      scratch: untranslated(space)(13),
      probes: probesOf(random, [range], planter),
    };
  }
  const frame = translatedFrame(random, space, planter, stage2.tree);
  const { ranges, registers } = stage1(random, frame, stage2.tree.iaBits);
  const hcr = 1n | (random.chance(0.2) ? 1n << 2n : 0n);
  const probes = probesOf(random, ranges, planter, stage2.tree);
  return { ...common, registers: { ...registers, ...stage2.registers, hcr }, scratch: frame(13), probes };
}

/** TTBCR with EAE = 1, MAIR, and a tree for each TTBR that has addresses. */
function stage1(random: Random, frame: Tree['frame'], oaBits: number) {
  const [t0sz, t1sz] = [random.between(0, 7), random.between(0, 7)];
  const calm = random.chance(0.5);
  const make = (tsz: number): Tree => {
    const iaBits = 32 - tsz;
    const { startLevel, rootLog2 } = rootOf(iaBits, GRANULE_LOG2);
    const root = frame(Math.max(rootLog2, 5));
    addresses.push(root.address);
    return {
      ...COMMON,
      oaBits: Math.min(40, oaBits),
      stage: 1,
      iaBits,
      startLevel,
      root: root.pa,
      calm,
      frame,
    };
  };
  const addresses: number[] = [];
  const [lower, upper] = [make(t0sz), make(t1sz)];
  const [ttbr0 = 0n, ttbr1 = 0n] = addresses.map((address) => BigInt(address) | (random.bits(8) << 48n));
  const epd = (random.chance(0.05) ? 1n << 7n : 0n) | (random.chance(0.05) ? 1n << 23n : 0n);
  const tcr =
    EAE | BigInt(t0sz) | (BigInt(t1sz) << 16n) | epd | (random.bits(6) << 8n) | (random.bits(6) << 24n);
  // With T1SZ = 0, TTBR1 has what TTBR0 leaves.
  const upperBase = t1sz === 0 ? (t0sz === 0 ? undefined : 2 ** (32 - t0sz)) : LIMIT - 2 ** (32 - t1sz);
  const ranges: Range[] = [{ tree: lower, base: 0 }];
  if (upperBase !== undefined) ranges.push({ tree: upper, base: LIMIT - 2 ** upper.iaBits });
  const mair = chooseMair(random, false);
  return { ranges, registers: { ...NO_REGISTERS, ttbr0, ttbr1, tcr, mair, sctlr: SCTLR_ON } };
}

/** VTCR, VTTBR and the tree: 25 to 40 bits, from level 1 or 2, concatenated where it must be. */
function chooseStage2(random: Random, space: TableSpace) {
  const iaBits = random.between(28, 40);
  const level1 = iaBits > 34 || (iaBits > 30 && random.chance(0.6));
  const startLevel = level1 ? 1 : 2;
  const rootLog2 = iaBits - (GRANULE_LOG2 + (3 - startLevel) * 9) + 3;
  const root = space.frame(Math.max(rootLog2, 5));
  const t0sz = (32 - iaBits) & 0xf;
  const sign = iaBits > 32 ? 1n << 4n : 0n;
  const sl0 = random.chance(0.98) ? (level1 ? 1 : 0) : random.between(0, 3);
  const vtcr = EAE | BigInt(t0sz) | sign | (BigInt(sl0) << 6n) | (random.bits(6) << 8n);
  const tree: Tree = {
    ...COMMON,
    stage: 2,
    iaBits,
    startLevel,
    root,
    calm: random.chance(0.8),
    frame: untranslated(space),
  };
  return { tree, registers: { vtcr, vttbr: BigInt(root) | (random.bits(8) << 48n) } };
}

/** Plants paths and probes them, at the edges too; under stage 2 the outputs are planted as well. */
function probesOf(random: Random, ranges: readonly Range[], planter: Planter, stage2?: Tree): Probe[] {
  const probes: Probe[] = [];
  const previous = new Map<Range, number>();
  for (let path = 0; path < PATHS; path++) {
    const range = random.pick(ranges);
    const { tree, base } = range;
    const reach = Math.min(2 ** tree.iaBits, LIMIT);
    const near = previous.get(range);
    const shared = Math.min(12 + (4 - random.between(tree.startLevel, 3)) * 9, Math.log2(reach));
    const ia =
      near !== undefined && random.chance(0.7)
        ? Math.floor(near / 2 ** shared) * 2 ** shared + Number(random.bits(shared))
        : Number(random.bits(Math.log2(reach)));
    previous.set(range, ia);
    const ended = planter.plant(tree, ia);
    if (stage2 && ended.oa !== undefined && ended.oa < 2 ** stage2.iaBits) planter.plant(stage2, ended.oa);
    const size = 2 ** ended.sizeLog2;
    const first = Math.floor(ia / size) * size;
    for (const address of [ia, ia, random.pick([first, first + size - 1, first + size])]) {
      const va = BigInt(address % reach) + BigInt(base);
      const outside = random.chance(0.04) ? random.bits(32) : va & 0xffff_ffffn;
      for (const privileged of [true, false]) {
        probes.push({ va: outside, access: random.chance(0.5) ? 'read' : 'write', privileged });
      }
    }
  }
  return probes;
}
