/**
 * Ranges of stage 1 that the registers enable, but whose table base was not given. They count as disabled, so that no
 * answer depends on an unknown base.
 */
import { isAArch32, traitsOf } from '../arch/regimes.ts';
import type { Access, Fault, TableTree, Walker, WalkResult } from '../walker/index.ts';

type Registers = Readonly<Record<string, bigint | undefined>>;
type Base = 'ttbr0' | 'ttbr1';

const BASES: readonly Base[] = ['ttbr0', 'ttbr1'];

/** Bits of an address below its tag. */
const UNTAGGED_BITS = 56;

/** A range of input addresses, with both ends included, and the register that holds its base. */
export interface UngivenRange {
  readonly register: string;
  readonly first: bigint;
  readonly last: bigint;
}

function isUngiven({ root }: TableTree, registers: Registers): boolean {
  return BASES.some((base) => root.register === base && registers[base] === undefined);
}

/** The ranges whose base was not given. */
export function ungivenRanges(walker: Walker, registers: Registers): UngivenRange[] {
  if (BASES.every((base) => registers[base] !== undefined)) return [];
  return walker
    .trees()
    .filter((tree) => isUngiven(tree, registers))
    .map(({ root }) => ({
      register: traitsOf(walker.regime).registers[root.register] ?? root.register,
      first: root.firstIa,
      last: root.lastIa,
    }));
}

/** The range that contains an address, with or without a tag. */
export function ungivenAt(ranges: readonly UngivenRange[], ia: bigint): UngivenRange | undefined {
  const untagged = BigInt.asUintN(64, BigInt.asIntN(UNTAGGED_BITS, ia));
  return ranges.find(({ first, last }) => untagged >= first && untagged <= last);
}

/** The walker with these ranges disabled. */
export function withoutRanges(walker: Walker, ranges: readonly UngivenRange[], registers: Registers) {
  if (ranges.length === 0) return walker;
  const { regime, security, granuleProtection } = walker;
  const fault: Fault = { kind: 'translation', level: isAArch32(regime) ? 1 : 0, stage: 1 };
  return {
    regime,
    security,
    granuleProtection,
    walk(ia: bigint, access?: Access): WalkResult {
      const disabled = typeof ia === 'bigint' && ungivenAt(ranges, ia) !== undefined;
      return disabled ? { ok: false, ia, fault, security, steps: [] } : walker.walk(ia, access);
    },
    trees: () => walker.trees().filter((tree) => !isUngiven(tree, registers)),
  };
}
