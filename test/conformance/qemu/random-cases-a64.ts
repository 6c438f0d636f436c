/** Random cases of the AArch64 regimes: registers, trees planted along the addresses that will be probed, and the probes. */
import { cpuFeatures } from '../../../src/walker/cpu.ts';
import type { CpuModel, Regime } from '../../../src/walker/index.ts';
import type { Random } from '../../support/random.ts';
import { type Planted, Planter, type Tree } from './plant.ts';
import { type Case, NO_REGISTERS, type Probe } from './probe.ts';
import {
  chooseMair,
  chooseOutput,
  chooseRange,
  chooseStage2,
  type RangeChoice,
  tcrOneRange,
  tcrTwoRanges,
} from './random-registers.ts';
import type { TableSpace } from './table-space.ts';

export type RegimeA64 = Extract<Regime, 'el1&0' | 'el1&0-s2' | 'el1&0-nested' | 'el2' | 'el2&0'>;

/** Paths planted in a case, and probes of each. */
const PATHS = 14;
const BOTH = [true, false];

/** SCTLR_ELx: the MMU on, the RES1 bits, and one time in four WXN. */
function sctlr(random: Random): bigint {
  return 0x30d0_0801n | (random.chance(0.25) ? 1n << 19n : 0n) | (random.bits(1) << 57n);
}

/** Frames whose addresses are physical. */
export function untranslated(space: TableSpace): Tree['frame'] {
  return (log2) => {
    const pa = space.frame(log2);
    return { pa, address: pa };
  };
}

/** Makes a case of a regime for a model, with its tables in `space`. */
export function randomCase(
  random: Random,
  space: TableSpace,
  regime: RegimeA64,
  cpu: CpuModel,
  name: string,
): Case {
  const planter = new Planter(space, random);
  const direct = untranslated(space);
  switch (regime) {
    case 'el2': {
      const output = chooseOutput(random, cpu);
      const range = chooseRange(random, cpu, output, false, direct);
      const registers = {
        ...NO_REGISTERS,
        ttbr0: range.ttbr,
        tcr: tcrOneRange(random, output, range),
        mair: chooseMair(random),
        sctlr: sctlr(random),
      };
      return {
        name,
        regime,
        cpu,
        registers,
        scratch: direct(17),
        probes: probesOf(random, planter, [range], { privileges: [true] }),
      };
    }
    case 'el1&0':
    case 'el2&0': {
      const stage1 = twoRanges(random, cpu, direct);
      const probes = probesOf(random, planter, stage1.ranges, {
        privileges: BOTH,
        withPan: regime === 'el1&0' && cpuFeatures(cpu).pan,
      });
      const registers = { ...NO_REGISTERS, ...stage1.registers };
      return { name, regime, cpu, registers, scratch: direct(17), probes };
    }
    default:
      return underStage2(random, space, planter, regime, cpu, name);
  }
}

function twoRanges(random: Random, cpu: CpuModel, frame: Tree['frame'], oaBits?: number) {
  const limits = { ...(oaBits !== undefined && { oaBits }), calm: random.chance(0.5) };
  const output = chooseOutput(random, cpu);
  const lower = chooseRange(random, cpu, output, false, frame, limits);
  const upper = chooseRange(random, cpu, output, true, frame, limits);
  const registers = {
    ttbr0: lower.ttbr,
    ttbr1: upper.ttbr,
    tcr: tcrTwoRanges(random, output, lower, upper),
    mair: chooseMair(random, oaBits === undefined),
    sctlr: sctlr(random),
  };
  return { ranges: [lower, upper], registers };
}

/** HCR_EL2: VM; DC where stage 2 is alone; PTW and FWB at times. */
const VM = 1n;
const PTW = 1n << 2n;
const DC = 1n << 12n;
const FWB = 1n << 46n;

function underStage2(
  random: Random,
  space: TableSpace,
  planter: Planter,
  regime: Extract<RegimeA64, 'el1&0-s2' | 'el1&0-nested'>,
  cpu: CpuModel,
  name: string,
): Case {
  const fwb = cpu === 'max' && random.chance(0.3);
  const leastBits = regime === 'el1&0-s2' ? 17 : 28;
  const stage2 = chooseStage2(random, cpu, space, { fwb, leastBits });
  const { vtcr, vttbr, tree } = stage2;
  const hcr = VM | (fwb ? FWB : 0n) | (random.chance(0.2) ? PTW : 0n);
  const common = { ...NO_REGISTERS, vtcr, vttbr };
  if (regime === 'el1&0-s2') {
    const range = { tree, upper: false, txsz: 64 - tree.iaBits };
    const registers = { ...common, hcr: hcr | DC, sctlr: 0x30d0_0800n };
    return {
      name,
      regime,
      cpu,
      registers,
      scratch: untranslated(space)(17),
      probes: probesOf(random, planter, [range], { privileges: BOTH }),
    };
  }
  const frame = translatedFrame(random, space, planter, tree);
  const stage1 = twoRanges(random, cpu, frame, tree.iaBits);
  const reach = 2 ** tree.iaBits;
  const through = (ended: Planted): void => {
    if (ended.oa !== undefined && ended.oa < reach) planter.plant(tree, ended.oa);
  };
  const probes = probesOf(random, planter, stage1.ranges, { privileges: BOTH, through });
  const largest = Math.max(tree.granuleLog2, ...stage1.ranges.map((range) => range.granuleLog2));
  const registers = { ...common, hcr, ...stage1.registers };
  return { name, regime, cpu, registers, scratch: frame(largest + 1), probes };
}

/** Frames for stage-1 tables at IPAs that stage 2 maps to them, page by page. */
export function translatedFrame(
  random: Random,
  space: TableSpace,
  planter: Planter,
  stage2: Tree,
): Tree['frame'] {
  const bits = Math.min(stage2.iaBits, 32);
  return (log2) => {
    const pageLog2 = Math.max(log2, stage2.granuleLog2);
    const pages = 2 ** (pageLog2 - stage2.granuleLog2);
    const block = space.frame(pageLog2);
    const inside = random.between(0, 2 ** (pageLog2 - log2) - 1) * 2 ** log2;
    for (let attempt = 0; attempt < 100; attempt++) {
      // Within every output size of stage 1.
      const ipa = Math.floor(Number(random.bits(bits)) / 2 ** pageLog2) * 2 ** pageLog2;
      const placed = Array.from({ length: pages }, (_, i) => i * 2 ** stage2.granuleLog2).every(
        (at) => planter.plant(stage2, ipa + at, block + at).oa === block + at,
      );
      if (placed) return { pa: block + inside, address: ipa + inside };
    }
    throw new Error('stage 2 has no room for another stage-1 table');
  };
}

/** Who accesses, and what else a planted path needs. */
interface Asked {
  readonly privileges: readonly boolean[];
  readonly withPan?: boolean;
  readonly through?: (ended: Planted) => void;
}

/** Plants paths in the ranges, and probes them: in the middle, at the edges, just beside, and where nothing belongs. */
function probesOf(
  random: Random,
  planter: Planter,
  ranges: readonly Pick<RangeChoice, 'tree' | 'upper' | 'txsz'>[],
  { privileges, withPan = false, through }: Asked,
): Probe[] {
  const probes: Probe[] = [];
  const previous: number[] = [];
  for (let path = 0; path < PATHS; path++) {
    const which = random.between(0, ranges.length - 1);
    const range = ranges[which];
    if (range === undefined) continue;
    const { tree } = range;
    const reach = 2 ** tree.iaBits;
    const near = previous[which];
    const ia =
      near !== undefined && random.chance(0.7)
        ? beside(random, near, tree)
        : Number(random.bits(Math.min(tree.iaBits, 52)));
    previous[which] = ia;
    const ended = planter.plant(tree, ia);
    through?.(ended);
    const size = 2 ** ended.sizeLog2;
    const base = Math.floor(ia / size) * size;
    const edges = [base, base + size - 1, (base + size) % reach, (base + reach - 1) % reach];
    for (const address of [ia, ia, random.pick(edges)]) {
      const va = placed(random, address, range);
      for (const privileged of privileges) {
        const access = random.chance(0.5) ? 'read' : 'write';
        const pan = withPan && privileged && random.chance(0.2);
        probes.push({ va, access, privileged, ...(pan && { pan }) });
      }
    }
  }
  return probes;
}

/** Another address that shares a few levels of tables with `near`. */
function beside(random: Random, near: number, tree: Tree): number {
  const stride = tree.granuleLog2 - 3;
  const level = random.between(Math.max(0, tree.startLevel), 3);
  const bits = Math.min(tree.granuleLog2 + (4 - level) * stride, tree.iaBits);
  return Math.floor(near / 2 ** bits) * 2 ** bits + Number(random.bits(Math.min(bits, 52)));
}

/** The 64-bit address of an offset in a range; at times with a bit above the range changed, or with a top byte. */
function placed(
  random: Random,
  offset: number,
  { tree, upper }: Pick<RangeChoice, 'tree' | 'upper'>,
): bigint {
  const bits = BigInt(tree.iaBits);
  let va = BigInt(offset) | (upper ? ((1n << 64n) - 1n) & ~((1n << bits) - 1n) : 0n);
  if (random.chance(0.04)) va ^= 1n << BigInt(random.between(tree.iaBits, 63));
  if (random.chance(0.1)) va = (va & ~(0xffn << 56n)) | (random.bits(8) << 56n);
  return va;
}
