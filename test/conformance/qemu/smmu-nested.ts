/** Random nested streams of an SMMUv3: stage 1, whose CD and tables are at IPAs, over stage 2. (IHI 0070 3.3.2, 5.2.) */

import type { Random } from '../../support/random.ts';
import { Planter } from './plant.ts';
import { translatedFrame } from './random-cases-a64.ts';
import { OUTPUT_BITS } from './random-registers.ts';
import {
  chooseRange,
  chooseStage2,
  contextDescriptor,
  probesOf,
  type SmmuRange,
  type StreamCase,
  write,
} from './smmu-cases.ts';
import { STREAM_TABLE, streamOf } from './smmu-machine.ts';
import type { TableSpace } from './table-space.ts';

const STE_NESTED = 0b1111n;
const S2_PTW = 1n << 54n;
/** How often the CD, or a root, is at an address that stage 2 knows nothing of. */
const ASTRAY = 0.02;
/** How often stage 2 has a page of stage 1's tables otherwise than it should be. */
const FLAWED = 0.02;

/** Output sizes but 48 bits: what QEMU does not check, the rules express as 48 bits. */
function chooseOutput(random: Random): { readonly code: number; readonly bits: number } {
  const code = random.between(1, 4);
  return { code, bits: OUTPUT_BITS[code] ?? 44 };
}

/** A nested stream. Stage 1's granule is no larger than stage 2's: QEMU has only the base of a table translated. */
export function nestedStream(random: Random, space: TableSpace, device: number, name: string): StreamCase {
  const planter = new Planter(space, random);
  const { control, ttb, tree } = chooseStage2(random, space, device, chooseOutput(random));
  const { code, bits } = chooseOutput(random);
  const frame = translatedFrame(random, space, planter, { ...tree, flawed: FLAWED });
  const granules = [12, 14, 16].filter((log2) => log2 <= tree.granuleLog2);
  const oaBits = Math.min(bits, tree.iaBits);
  const limits = { oaBits, frame, calm: random.chance(0.6), granules, outputBit: 0 };
  const astray = (): bigint | undefined =>
    random.chance(ASTRAY) ? (random.bits(oaBits) >> 16n) << 16n : undefined;
  const range = (upper: boolean): SmmuRange => {
    const chosen = chooseRange(random, upper, limits);
    return { ...chosen, ttb: astray() ?? chosen.ttb };
  };
  const [lower, upper] = [range(false), range(true)];
  const cd = frame(6);
  const ste = STREAM_TABLE + streamOf(device) * 64;
  write(space, cd.pa, contextDescriptor(random, code, streamOf(device), lower, upper));
  const pointer = astray() ?? BigInt(cd.address);
  const ptw = random.chance(0.3) ? S2_PTW : 0n;
  write(space, ste, [pointer | STE_NESTED, 0n, control | ptw, ttb, 0n, 0n, 0n, 0n]);
  const reach = 2 ** tree.iaBits;
  const probes = probesOf(random, planter, lower.tree, ({ oa }) => {
    if (oa !== undefined && oa < reach) planter.plant(tree, oa);
  });
  const scratch = translatedFrame(random, space, planter, tree)(17);
  return { name, kind: 'nested', device, ste, cd: cd.pa, probes, scratch, scratch2: space.frame(20) };
}
