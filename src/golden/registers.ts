/** Compares configured registers with a golden file's, field by field. */
import type { Registers } from '../pagetable/format.ts';
import { hex } from '../text/numbers.ts';
import type { Difference } from './result.ts';

type Fields = Readonly<Record<string, bigint | Readonly<Record<string, number>>>>;

/** Registers that hold the table's address. They must point to this root as the file's registers point to the file's root. */
const BASES = ['ttbr', 'vttbr', 'transtab'];

/**
 * @param roots - PA of the file's root, and of the root here.
 * @returns the differences, and how many fields were compared.
 */
export function compareRegisters(
  want: Fields,
  got: Registers['cfg'],
  roots: { readonly want: bigint; readonly got: bigint },
  where: string,
): { differences: Difference[]; checked: number } {
  const differences: Difference[] = [];
  const [wanted, actual] = [flatten(want), flatten(got)];
  for (const name of new Set([...wanted.keys(), ...actual.keys()])) {
    const base = BASES.includes(name);
    const w = wanted.get(name);
    const g = actual.get(name);
    const same = w !== undefined && g !== undefined && (base ? w - roots.want === g - roots.got : w === g);
    if (!same) differences.push({ where: `${where}.${name}`, want: show(w), got: show(g) });
  }
  return { differences, checked: wanted.size };
}

function flatten(fields: Fields): Map<string, bigint> {
  const flat = new Map<string, bigint>();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'bigint') flat.set(name, value);
    else for (const [field, n] of Object.entries(value)) flat.set(`${name}.${field}`, BigInt(n));
  }
  return flat;
}

function show(value: bigint | undefined): string {
  return value === undefined ? 'absent' : hex(value);
}
