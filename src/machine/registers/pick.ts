/** Picks the value of one register that a regime reads from all given values, under any names. Contradictions are refused. */
import { place } from '../../arch/read.ts';
import { PAIR } from '../../arch/registers/aarch32-base.ts';
import { PE_REGISTERS } from '../../arch/registers/index.ts';
import { hex } from '../../memory/hex.ts';
import { RegisterError } from './errors.ts';
import type { Given, Sources } from './names.ts';

/** A value, and the names that it was taken from. */
export interface Picked {
  readonly value: bigint;
  readonly from: readonly Given[];
  /** For a pair: the half that was not given. */
  readonly halfMissing?: string;
}

/** The one value of several names for the same register. @throws RegisterError with both values if they disagree. */
function agreeing(found: readonly Given[], manual: string): Given | undefined {
  const [first, ...rest] = found;
  if (first === undefined) return undefined;
  const other = rest.find(({ value }) => value !== first.value);
  if (other === undefined) return first;
  const banks = first.bank !== undefined && other.bank !== undefined && first.bank !== other.bank;
  const rule = `${first.written} = ${hex(first.value)} and ${other.written} = ${hex(other.value)} are both ${manual}, and disagree${banks ? ': they are of two security banks' : ''}`;
  throw new RegisterError('contradiction', rule, { remedy: 'give the one that is meant' });
}

/** The width of AArch32 registers. The widest form of a name counts. */
function widthOf(manual: string): number {
  if (/_EL\d$/.test(manual)) return 64;
  const widths = PE_REGISTERS.filter(
    ({ name, aliases = [] }) => name === manual || (aliases.includes(manual) && !/_EL\d$/.test(name)),
  ).map(({ width }) => width);
  return widths.length === 0 ? 64 : Math.max(...widths);
}

function checkWidth({ written, value }: Given, manual: string, bits = widthOf(manual)): void {
  if (BigInt.asUintN(bits, value) === value) return;
  throw new RegisterError('value', `${manual} has ${bits} bits`, {
    register: written,
    value,
    remedy: `it must be below ${hex(1n << BigInt(bits))}`,
  });
}

/** The register as the walker takes it, or undefined if it was not given. */
export function pick(given: readonly Given[], sources: Sources): Picked | undefined {
  const { slot, manual, whole, halves, capitalsAreOther } = sources;
  const bare = slot.toUpperCase();
  const found = given.filter(
    ({ name, written }) =>
      whole.includes(name) || (name === bare && !(capitalsAreOther && written === written.toUpperCase())),
  );
  const one = agreeing(found, manual);
  const pair = halves && pickHalves(given, halves);
  if (one === undefined) return pair;
  if (halves === undefined) checkWidth(one, manual, sources.bits ?? widthOf(manual));
  if (pair !== undefined && pair.value !== one.value)
    agreeing([one, { ...one, written: halves!.join(':'), value: pair.value }], manual);
  return { value: one.value, from: [...found, ...(pair?.from ?? [])] };
}

function pickHalves(given: readonly Given[], [high, low]: readonly [string, string]): Picked | undefined {
  const [above, below] = [pickHalf(given, high), pickHalf(given, low)];
  if (above.value === undefined && below.value === undefined) return undefined;
  const missing = [above, below].find(({ value }) => value === undefined)?.half;
  return {
    value: place(PAIR.fields.high, above.value ?? 0n) | (below.value ?? 0n),
    from: [...above.found, ...below.found],
    ...(missing !== undefined && { halfMissing: missing }),
  };
}

function pickHalf(given: readonly Given[], half: string) {
  const found = given.filter(({ name }) => name === half);
  const one = agreeing(found, half);
  if (one !== undefined) checkWidth(one, half);
  return { half, found, value: one?.value };
}
