/** The checks of a request that all formats share: types, option names and quirks. Sizes are checked later. */
import { FormatError, hex } from '../../src/pagetable/errors.ts';
import {
  CONCATENATIONS,
  choicesOf,
  type Feature,
  type FormatRequest,
  type Quirk,
  REGISTER_OPTIONS,
  type RegisterOption,
  STAGE1_REGIMES,
} from '../../src/pagetable/format.ts';

const REGISTERS = Object.keys(REGISTER_OPTIONS) as RegisterOption[];
const OPTIONS = [
  'pgsizeBitmap',
  'ias',
  'oas',
  'coherentWalk',
  'quirks',
  'features',
  'linux',
  'concatenation',
  'mair',
  'cpuPageSize',
  ...REGISTERS,
];

/**
 * @param own - options of this format alone.
 * @throws FormatError when a value has the wrong type or is out of range, or an option is unknown.
 */
export function checkRequest(request: FormatRequest, own: readonly (keyof FormatRequest)[] = []): void {
  const known = [...OPTIONS, ...own];
  const {
    pgsizeBitmap,
    ias,
    oas,
    coherentWalk = true,
    quirks = [],
    features = [],
    linux,
    concatenation,
    mair,
    cpuPageSize = 4096,
    granule = cpuPageSize,
  } = request;
  for (const option of Object.keys(request)) {
    if (!known.includes(option)) {
      throw new FormatError(`there is no option ${option}; options are ${known.join(', ')}`);
    }
  }
  if (typeof pgsizeBitmap !== 'bigint' || pgsizeBitmap < 0n || pgsizeBitmap >> 64n) {
    throw new FormatError(`pgsizeBitmap must be a bigint of at most 64 bits, not ${String(pgsizeBitmap)}`);
  }
  if (typeof coherentWalk !== 'boolean') {
    throw new FormatError(`coherentWalk must be true or false, not ${String(coherentWalk)}`);
  }
  if (!Array.isArray(quirks))
    throw new FormatError(`quirks must be an array of names, not ${String(quirks)}`);
  if (!Array.isArray(features)) {
    throw new FormatError(`features must be an array of names, not ${String(features)}`);
  }
  choicesOf(linux);
  if (concatenation !== undefined && !CONCATENATIONS.includes(concatenation)) {
    throw new FormatError(
      `concatenation must be one of ${CONCATENATIONS.join(', ')}, not ${String(concatenation)}`,
    );
  }
  for (const [name, value] of [
    ['mair', mair],
    ...REGISTERS.map((one) => [one, request[one]] as const),
  ] as const) {
    if (value !== undefined && (typeof value !== 'bigint' || value < 0n || value >> 64n)) {
      throw new FormatError(`${name} must be a bigint of at most 64 bits, not ${String(value)}`);
    }
  }
  if (request.regime !== undefined && !STAGE1_REGIMES.includes(request.regime)) {
    throw new FormatError(
      `regime must be one of ${STAGE1_REGIMES.join(', ')}, not ${String(request.regime)}`,
    );
  }
  for (const [name, value] of Object.entries({ cpuPageSize, granule })) {
    if (!isPowerOfTwo(value)) {
      throw new FormatError(`${name} must be a power of two, not ${String(value)}`);
    }
  }
  for (const [name, value] of [
    ['ias', ias],
    ['oas', oas],
  ] as const) {
    if (!Number.isInteger(value) || value < 0 || value > 64) {
      throw new FormatError(`${name} must be a whole number of bits from 0 to 64, not ${String(value)}`);
    }
  }
}

function isPowerOfTwo(value: number | bigint): boolean {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return false;
  const size = BigInt(value);
  return size > 0n && (size & (size - 1n)) === 0n;
}

/** @throws FormatError for a quirk that the format does not have, or that the named version of Linux does not. */
export function checkQuirks(
  name: string,
  known: readonly Quirk[],
  { quirks = [], linux }: Pick<FormatRequest, 'quirks' | 'linux'>,
): void {
  checkKnown(name, 'quirk', known, quirks);
  if (linux !== undefined) checkKnown(`Linux ${linux}`, 'quirk', choicesOf(linux).quirks, quirks);
}

function checkKnown(name: string, what: string, known: readonly string[], asked: readonly string[]): void {
  const unknown = asked.find((one) => !known.includes(one));
  if (unknown === undefined) return;
  throw new FormatError(
    `${name} has no ${what} ${unknown}; it knows ${known.length ? known.join(', ') : 'none'}`,
  );
}

/** @throws FormatError when `ias` or `oas` has more bits than the format. */
export function checkLimits(
  name: string,
  request: FormatRequest,
  limits: { readonly ias: number; readonly oas: number },
  reference: string,
): void {
  for (const [size, what] of [
    ['ias', 'input'],
    ['oas', 'output'],
  ] as const) {
    if (request[size] > limits[size]) {
      throw new FormatError(
        `${name} has at most ${limits[size]} bits of ${what} address, not ${size} ${request[size]} (${reference})`,
      );
    }
  }
}

/**
 * @param long - the stage of a long-descriptor format: stage 1 takes a MAIR, stage 2 a choice of concatenation.
 * @throws FormatError for a feature, a MAIR or a choice that the format can't use.
 */
export function checkFeatures(
  name: string,
  known: readonly Feature[],
  request: FormatRequest,
  long?: 1 | 2,
): void {
  const { features = [], mair, concatenation } = request;
  checkKnown(name, 'feature', known, features);
  for (const register of REGISTERS) {
    const feature = REGISTER_OPTIONS[register];
    if (request[register] === undefined || features.includes(feature)) continue;
    throw new FormatError(
      known.includes(feature)
        ? `${register} is for tables with features: ['${feature}']`
        : `${name} takes no ${register}: it has no feature ${feature}`,
    );
  }
  if (mair !== undefined && long !== 1)
    throw new FormatError(`${name} takes no mair: its entries hold no index into it`);
  if (concatenation !== undefined && long !== 2) {
    throw new FormatError(
      `${name} takes no concatenation: only a stage-2 root can consist of several tables (DDI 0487 D8.2.2)`,
    );
  }
}

/** The requested page sizes that the format supports. @throws FormatError if 4K, the only granule, is not among them. */
export function sizesWith4K(name: string, { pgsizeBitmap }: FormatRequest, sizes: bigint): bigint {
  if (pgsizeBitmap & sizes & 0x1000n) return pgsizeBitmap & sizes;
  throw new FormatError(
    `pgsizeBitmap ${hex(pgsizeBitmap)} has no pages of 0x1000 bytes, the only granule of ${name}`,
  );
}
