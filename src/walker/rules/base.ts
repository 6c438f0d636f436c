/** Rules for table base registers, which every format of descriptors has. (DDI 0487 D8.2.3, G5.5.7, G8.2.167.) */

import { hex } from '../../memory/hex.ts';
import { POW2 } from '../bits.ts';
import type { ConfigurationFault } from '../params/params.ts';
import type { RegisterRule } from './rule.ts';

/** The base that the walk uses, and how many bits an output address may have. */
export interface Base {
  readonly tableBase: number;
  readonly oaBits: number;
}

/** Also the base as the register holds it, and its alignment. */
export interface RawBase extends Base {
  readonly raw: bigint;
  readonly alignLog2: number;
}

/** The name of the base register, and the section that describes it. */
export interface BaseNames {
  readonly base: string;
  readonly baseSection: string;
}

/** Table bases beyond the output size fault before any walk. */
const BEYOND: ConfigurationFault = { kind: 'address_size', level: 0 };

export function isBeyond({ tableBase, oaBits }: Base): boolean {
  return tableBase >= POW2[oaBits]!;
}

/** VMSAv8-64: IPS or PS bounds the base too. */
export const BASE_BEYOND: RegisterRule<Base, BaseNames> = {
  effect: 'fault',
  fault: BEYOND,
  holds: isBeyond,
  tell: ({ tableBase, oaBits }, { base, baseSection }) => ({
    field: base,
    value: BigInt(tableBase),
    rule: `the table base is beyond the ${oaBits} output bits: a level 0 address size fault; it must be below ${hex(1n << BigInt(oaBits))}`,
    section: baseSection,
  }),
};

/** VMSAv8-32, long descriptors: 40 bits. */
export const LPAE_BASE_BEYOND: RegisterRule<Base, BaseNames> = {
  ...BASE_BEYOND,
  tell: ({ tableBase, oaBits }, { base, baseSection }) => ({
    field: base,
    value: BigInt(tableBase),
    rule: `the table base is beyond ${oaBits} bits: a level 0 address size fault; bits [47:${oaBits}] must be 0`,
    section: baseSection,
  }),
};

/** Base bits below the table's alignment, which hardware takes as 0. `lowest`: the lowest bit of the base in the register. */
function unaligned(lowest: number): RegisterRule<RawBase, BaseNames> {
  return {
    effect: 'ignored',
    holds: ({ raw, alignLog2 }) => BigInt.asUintN(alignLog2, raw) !== 0n,
    tell: ({ raw, alignLog2, tableBase }, { base, baseSection }) => ({
      field: base,
      value: raw,
      rule: `base bits [${alignLog2 - 1}:${lowest}] are RES0, since the first table of ${hex(1n << BigInt(alignLog2))} bytes is aligned to its size: ${hex(BigInt.asUintN(alignLog2, raw))} is dropped, the base is ${hex(tableBase)}`,
      section: baseSection,
    }),
  };
}

export const BASE_UNALIGNED = unaligned(1);
/** For short descriptors: bits [6:0] are the attributes of walks. */
export const SHORT_BASE_UNALIGNED = unaligned(7);
