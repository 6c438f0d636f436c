/** Random streams of an SMMUv3: stream table entry, context descriptor, tables, and the transactions to try. (IHI 0070 5.2, 5.4.) */

import type { Random } from '../../support/random.ts';
import { type Planted, Planter, type Tree } from './plant.ts';
import type { Frame } from './probe.ts';
import { chooseMair, OUTPUT_BITS, rootOf, TG0, TG1 } from './random-registers.ts';
import { SMMU_TABLES_BASE, type SmmuProbe, STREAM_TABLE, streamOf } from './smmu-machine.ts';
import type { TableSpace } from './table-space.ts';

export { SMMU_TABLES_BASE };

export type StreamKind = 'stage 1' | 'stage 2' | 'nested';

/** One stream. Its STE and CD are in the memory that its tables are in. */
export interface StreamCase {
  readonly name: string;
  readonly kind: StreamKind;
  readonly device: number;
  /** PAs of the STE and the CD (0 where there is none). */
  readonly ste: number;
  readonly cd: number;
  readonly probes: readonly SmmuProbe[];
  /** Two tables' room for a rule to use, in stage 1 (alone or not) and in stage 2, there for eight entries. */
  readonly scratch: Frame;
  readonly scratch2: number;
}

/** Output bits of the SMMU: OAS of QEMU's is 44. */
export const OAS = 44;

const PATHS = 20;
/** QEMU's SMMU takes no larger addresses from a device, so that none comes to TTB1. */
const IOVA_BITS = 48;

/**
 * Where leaves point to: addresses with this bit, since a transaction that is translated does read or write there. Neither RAM
 * nor a device of the machine has it.
 */
function awayFrom(oaBits: number): number {
  return oaBits >= 42 ? 2 ** 41 : oaBits > 32 ? 2 ** 34 : 0;
}

export interface SmmuRange {
  readonly tree: Tree;
  readonly upper: boolean;
  readonly enabled: boolean;
  /** The half of CD[63:0], from bit 0 on, and the TTB word. */
  readonly control: bigint;
  readonly ttb: bigint;
}

/** Output size codes: with 32 bits nothing but RAM and devices can be reached, so that there is none. */
function chooseOutput(random: Random): { readonly code: number; readonly bits: number } {
  const code = random.between(1, 5);
  return { code, bits: Math.min(OUTPUT_BITS[code] ?? OAS, OAS) };
}

/** What both ranges of a CD have in common. */
export interface RangeLimits {
  readonly oaBits: number;
  readonly frame: Tree['frame'];
  readonly calm: boolean;
  readonly granules: readonly number[];
  /** A bit that every leaf's output has. */
  readonly outputBit: number;
}

const GRANULES = [12, 14, 16];

export function chooseRange(random: Random, upper: boolean, limits: RangeLimits): SmmuRange {
  const { oaBits, frame, calm, outputBit } = limits;
  const granuleLog2 = random.pick(limits.granules);
  const txsz = random.between(16, 39);
  const iaBits = 64 - txsz;
  const { startLevel, rootLog2 } = rootOf(iaBits, granuleLog2);
  const root = frame(Math.max(rootLog2, 6));
  const enabled = !random.chance(0.15);
  const tg = (upper ? TG1 : TG0).get(granuleLog2) ?? 0n;
  const control = BigInt(txsz) | (tg << 6n) | (random.bits(6) << 8n) | (enabled ? 0n : 1n << 14n);
  // HAD (hierarchical permissions disabled), and rarely an address beyond the output size.
  const far = random.chance(0.02) ? 1n << BigInt(random.between(44, 47)) : 0n;
  const ttb = BigInt(root.address) | far | (random.bits(1) << 1n);
  const tree: Tree = {
    stage: 1,
    granuleLog2,
    iaBits,
    startLevel,
    root: root.pa,
    oaBits,
    high: 'none',
    firstBlockLevel: granuleLog2 === 12 ? 1 : 2,
    calm,
    outputBit,
    frame,
  };
  return { tree, upper, enabled, control, ttb };
}

/** Context descriptor words: V, AA64, A and R set; WXN, UWXN and PAN left out, as no privilege level but one is asked. */
export function contextDescriptor(
  random: Random,
  ips: number,
  asid: number,
  lower: SmmuRange,
  upper: SmmuRange,
): bigint[] {
  const valid = random.chance(0.99) ? 1n << 31n : 0n;
  const w0 =
    lower.control |
    (upper.control << 16n) |
    valid |
    (BigInt(ips) << 32n) |
    (random.chance(0.2) ? 1n << 35n : 0n) |
    (random.bits(2) << 38n) |
    (1n << 41n) |
    (1n << 45n) |
    (1n << 46n) |
    (BigInt(asid) << 48n);
  return [w0, lower.ttb, upper.ttb, chooseMair(random), 0n, 0n, 0n, 0n];
}

const STE_S1 = 0b1011n;

function physicalFrames(space: TableSpace): Tree['frame'] {
  return (log2) => {
    const pa = space.frame(log2);
    return { pa, address: pa };
  };
}

/** A stream with stage 1 alone, at the place of `device` in the stream table. */
export function stage1Stream(random: Random, space: TableSpace, device: number, name: string): StreamCase {
  const planter = new Planter(space, random);
  const frame = physicalFrames(space);
  const { code, bits } = chooseOutput(random);
  const calm = random.chance(0.5);
  const limits = { oaBits: bits, frame, calm, granules: GRANULES, outputBit: awayFrom(bits) };
  const lower = chooseRange(random, false, limits);
  const upper = chooseRange(random, true, limits);
  const cd = space.frame(6);
  const ste = STREAM_TABLE + streamOf(device) * 64;
  write(space, cd, contextDescriptor(random, code, streamOf(device), lower, upper));
  write(space, ste, [BigInt(cd) | STE_S1, 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
  const probes = probesOf(random, planter, lower.tree);
  return { name, kind: 'stage 1', device, ste, cd, probes, scratch: frame(17), scratch2: 0 };
}

const STE_S2 = 0b1101n;
/** STE words 2: S2AA64, S2R. */
const S2_AA64 = 1n << 51n;
const S2_RECORD = 1n << 58n;

/** Words 2 and 3 of an STE, and the tree that they describe. */
export interface Stage2Choice {
  readonly control: bigint;
  readonly ttb: bigint;
  readonly tree: Tree;
}

/**
 * A stage 2. Its input is no larger than its output, and its root is a single table: QEMU refuses the one and uses only the first table
 * of the other.
 */
export function chooseStage2(
  random: Random,
  space: TableSpace,
  device: number,
  output = chooseOutput(random),
): Stage2Choice {
  const { code, bits } = output;
  const granuleLog2 = random.pick(GRANULES);
  const iaBits = random.between(32, bits);
  const { startLevel, rootLog2 } = rootOf(iaBits, granuleLog2);
  const root = space.frame(Math.max(rootLog2, 6));
  const sl0 = BigInt((granuleLog2 === 12 ? 2 : 3) - startLevel);
  const far = random.chance(0.02) ? 1n << BigInt(random.between(44, 47)) : 0n;
  const control =
    BigInt(streamOf(device)) |
    (BigInt(64 - iaBits) << 32n) |
    (sl0 << 38n) |
    (random.bits(6) << 40n) |
    ((TG0.get(granuleLog2) ?? 0n) << 46n) |
    (BigInt(code) << 48n) |
    S2_AA64 |
    (random.chance(0.2) ? 1n << 53n : 0n) |
    S2_RECORD;
  const tree: Tree = {
    stage: 2,
    granuleLog2,
    iaBits,
    startLevel,
    root,
    oaBits: bits,
    high: 'none',
    firstBlockLevel: granuleLog2 === 12 ? 1 : 2,
    calm: random.chance(0.5),
    outputBit: awayFrom(bits),
    frame: physicalFrames(space),
  };
  return { control, ttb: BigInt(root) | far, tree };
}

/** A stream with stage 2 alone. */
export function stage2Stream(random: Random, space: TableSpace, device: number, name: string): StreamCase {
  const planter = new Planter(space, random);
  const { control, ttb, tree } = chooseStage2(random, space, device);
  const ste = STREAM_TABLE + streamOf(device) * 64;
  write(space, ste, [STE_S2, 0n, control, ttb, 0n, 0n, 0n, 0n]);
  const probes = probesOf(random, planter, tree);
  const scratch = physicalFrames(space)(17);
  return { name, kind: 'stage 2', device, ste, cd: 0, probes, scratch, scratch2: space.frame(20) };
}

export function write(space: TableSpace, pa: number, words: readonly bigint[]): void {
  words.forEach((word, i) => {
    space.write(pa + i * 8, word);
  });
}

/** Plants paths in the tree, and asks at them, at the edges of what they end in, and beyond its input size. */
export function probesOf(
  random: Random,
  planter: Planter,
  tree: Tree,
  through?: (ended: Planted) => void,
): SmmuProbe[] {
  const probes: SmmuProbe[] = [];
  let near: number | undefined;
  for (let path = 0; path < PATHS; path++) {
    const level = random.between(Math.max(0, tree.startLevel), 3);
    const shared = Math.min(tree.granuleLog2 + (4 - level) * (tree.granuleLog2 - 3), tree.iaBits);
    const ia =
      near !== undefined && random.chance(0.7)
        ? Math.floor(near / 2 ** shared) * 2 ** shared + Number(random.bits(shared))
        : Number(random.bits(tree.iaBits));
    near = ia;
    const ended = planter.plant(tree, ia);
    through?.(ended);
    const { sizeLog2 } = ended;
    const size = 2 ** sizeLog2;
    const base = Math.floor(ia / size) * size;
    const edges = [base, base + size - 8, (base + size) % 2 ** tree.iaBits];
    for (const at of [ia, random.pick(edges)]) {
      let iova = BigInt(at) & ~7n;
      if (tree.iaBits < IOVA_BITS && random.chance(0.04)) {
        iova ^= 1n << BigInt(random.between(tree.iaBits, IOVA_BITS - 1));
      }
      probes.push({ iova, access: random.chance(0.5) ? 'read' : 'write' });
    }
  }
  return probes;
}
