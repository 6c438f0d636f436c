/** Scales of charts: from values to pixels, linear or logarithmic, with round ticks. */

export interface Axis {
  readonly label: string;
  readonly unit?: string;
  /** The base of a logarithmic axis: ticks are its powers, and values must be above 0. Default: linear, from 0. */
  readonly log?: 2 | 10;
  /** Spaces the ticks of a linear axis by a power of two, for bytes. */
  readonly binary?: boolean;
  /** Fixed ends, such as 0 and 100 for a rate. */
  readonly min?: number;
  readonly max?: number;
  /** The text of a value at its tick. */
  readonly format?: (value: number) => string;
}

export interface Scale {
  /** The position of a value in pixels. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

const MAX_TICKS = 7;

/** A scale that contains all `values`. @param from - pixels of the low end. @param to - pixels of the high end. */
export function scaleOf(axis: Axis, values: readonly number[], from: number, to: number): Scale {
  const usable = values.filter((value) => Number.isFinite(value) && (axis.log === undefined || value > 0));
  return axis.log === undefined
    ? linear(axis, usable, from, to)
    : logarithmic(axis, axis.log, usable, from, to);
}

function linear(
  { min, max, binary = false }: Axis,
  values: readonly number[],
  from: number,
  to: number,
): Scale {
  const low = min ?? Math.min(0, ...values);
  const top = max ?? Math.max(low, ...values);
  // A smaller range is too small for ticks.
  const high = top - low > 1e-300 ? top : low + 1;
  const least = (high - low) / (MAX_TICKS - 2);
  const step = binary ? 2 ** Math.ceil(Math.log2(least)) : niceStep(least);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  const [a, z] = [ticks[0]!, ticks.at(-1)!];
  return { ticks, at: (value) => from + ((value - a) / (z - a)) * (to - from) };
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((times) => times * power >= least * (1 - 1e-9)) ?? 10);
}

function logarithmic(
  { min, max }: Axis,
  base: number,
  values: readonly number[],
  from: number,
  to: number,
): Scale {
  const log = (value: number) => Math.log(value) / Math.log(base);
  const low = min ?? Math.min(...values, Number.POSITIVE_INFINITY);
  const high = max ?? Math.max(...values, 0);
  const first = Number.isFinite(low) && low > 0 ? Math.floor(log(low) + 1e-9) : 0;
  const last = Math.max(first + 1, high > 0 ? Math.ceil(log(high) - 1e-9) : 1);
  const every = Math.ceil((last - first) / (MAX_TICKS + 3));
  const ticks: number[] = [];
  for (let power = first; power <= last; power += every) {
    // The smallest doubles have no power of the base below them.
    if (base ** power > 0) ticks.push(base ** power);
  }
  return { ticks, at: (value) => from + ((log(value) - first) / (last - first)) * (to - from) };
}

/** A value in the format of an axis. Default: grouped digits, with few after the decimal point. */
export function tickText({ format }: Axis, value: number): string {
  return format?.(value) ?? numberText(value);
}

/** `1,024`, `0.25`, `2.5e-9`. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-5 || size >= 1e15)) return Number(value.toPrecision(4)).toExponential();
  return value.toLocaleString('en-US', { maximumSignificantDigits: size >= 1000 ? 12 : 4 });
}

/** `Hit rate (%)`. */
export function axisTitle({ label, unit }: Pick<Axis, 'label' | 'unit'>): string {
  return unit === undefined ? label : `${label} (${unit})`;
}
