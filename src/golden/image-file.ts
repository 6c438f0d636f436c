/** Parses golden files of kind `image` (schema pgtable-golden/1): registers, memory, and what a machine answered to each probe. */
import { GoldenFileError } from './result.ts';

/** The answer that a row wants. Members that are absent make no claim. */
export interface Expectation {
  readonly pa?: bigint;
  /** The combined memory attribute in MAIR encoding, the SH field, the NS bit. */
  readonly attr?: number;
  readonly sh?: number;
  readonly ns?: number;
  /** Level of the leaf, and of stage 2's; the IPA between the stages. */
  readonly level?: number;
  readonly s2Level?: number;
  readonly ipa?: bigint;
  readonly fault?: ExpectedFault;
}

/** The fault that a row wants. `kind` is the file's word; `level` is absent where the file says null. */
export interface ExpectedFault {
  readonly kind: string;
  readonly stage?: number;
  readonly level?: number;
  readonly ptw: boolean;
  readonly s1Level?: number;
  readonly class?: string;
  readonly ipa?: bigint;
  readonly fetch?: bigint;
}

/** One probe: what was asked, and the answers that are right (any one of them). */
export interface ImageRow {
  /** Where the row stands in the file: `translations[7]`. */
  readonly where: string;
  readonly va: bigint;
  readonly access: 'read' | 'write' | 'execute';
  readonly privileged: boolean;
  readonly pan: boolean;
  /** SMMU: the StreamID. */
  readonly sid?: bigint;
  /** SMMU: the number of the event that the producer recorded, where its answer counts. */
  readonly event?: number;
  /** Register values that replace the file's for this row. */
  readonly registers?: Registers;
  readonly expect: readonly Expectation[];
}

export type Registers = Readonly<Record<string, bigint>>;

export interface ImageFile {
  readonly name: string;
  readonly regime: string;
  readonly cpu: { readonly model: string; readonly paBits?: number };
  readonly ram: { readonly base: bigint; readonly size: bigint };
  readonly registers: Registers;
  /** Non-zero words by physical address. */
  readonly words: readonly (readonly [pa: bigint, word: bigint])[];
  readonly rows: readonly ImageRow[];
  /** The operating system's own word on its pages: `va` maps to `pa`, whatever the access flag. */
  readonly pagemap: readonly { readonly where: string; readonly va: bigint; readonly pa: bigint }[];
}

type JsonObject = Readonly<Record<string, unknown>>;

function bad(path: string, wanted: string, value: unknown): GoldenFileError {
  const shown = JSON.stringify(value) ?? 'nothing';
  return new GoldenFileError(`${path}: wanted ${wanted}, found ${shown.slice(0, 60)}`);
}

function asObject(value: unknown, path: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(path, 'an object', value);
  return value as JsonObject;
}

function asArray(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(path, 'an array', value);
  return value;
}

function asString(value: unknown, path: string): string {
  if (typeof value !== 'string') throw bad(path, 'a string', value);
  return value;
}

/** Hex strings only: JSON numbers lose bits. At most 64 bits. */
function asHex(value: unknown, path: string): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,16}$/.test(value)) {
    throw bad(path, 'a hex string of at most 64 bits, such as "0x80001000"', value);
  }
  return BigInt(value);
}

function asInteger(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw bad(path, 'an integer', value);
  return value;
}

/** `{ key: parse(value) }`, or nothing where the value is absent or null: no claim. */
function optional<K extends string, T>(
  key: K,
  value: unknown,
  parse: (value: unknown) => T,
): { readonly [P in K]?: T } {
  if (value === undefined || value === null) return {};
  return { [key]: parse(value) } as { readonly [P in K]?: T };
}

function parseRegisters(value: unknown, path: string): Registers {
  const entries = Object.entries(asObject(value, path));
  return Object.fromEntries(entries.map(([name, register]) => [name, asHex(register, `${path}.${name}`)]));
}

function parseFault(value: unknown, path: string): ExpectedFault {
  const fault = asObject(value, path);
  const integer = (key: string) => (found: unknown) => asInteger(found, `${path}.${key}`);
  return {
    kind: asString(fault.kind, `${path}.kind`),
    ptw: fault.ptw === true,
    ...optional('stage', fault.stage, integer('stage')),
    ...optional('level', fault.level, integer('level')),
    ...optional('s1Level', fault.s1_level, integer('s1_level')),
    ...optional('class', fault.class, (found) => asString(found, `${path}.class`)),
    ...optional('ipa', fault.ipa, (found) => asHex(found, `${path}.ipa`)),
    ...optional('fetch', fault.fetch, (found) => asHex(found, `${path}.fetch`)),
  };
}

/** `{ pa, attr, sh, … }` or `{ fault }`. */
function parseExpectation(row: JsonObject, path: string): Expectation {
  if (row.fault !== undefined) return { fault: parseFault(row.fault, `${path}.fault`) };
  const integer = (key: string) => (found: unknown) => asInteger(found, `${path}.${key}`);
  return {
    pa: asHex(row.pa, `${path}.pa`),
    ...optional('attr', row.attr, (found) => Number(asHex(found, `${path}.attr`))),
    ...optional('sh', row.sh, integer('sh')),
    ...optional('ns', row.ns, integer('ns')),
    ...optional('level', row.level, integer('level')),
    ...optional('s2Level', row.s2_level, integer('s2_level')),
    ...optional('ipa', row.ipa, (found) => asHex(found, `${path}.ipa`)),
  };
}

/** The architecture's answer (`arm`, or else `arm_or`) counts where it stands, the producer's otherwise. */
function parseExpectations(row: JsonObject, path: string): Expectation[] {
  if (row.arm === undefined) return [parseExpectation(row, path)];
  const arm = parseExpectation(asObject(row.arm, `${path}.arm`), `${path}.arm`);
  if (row.arm_or === undefined) return [arm];
  return [arm, parseExpectation(asObject(row.arm_or, `${path}.arm_or`), `${path}.arm_or`)];
}

/** The event number of a raw event record: bits [7:0] of its first word. */
function parseEvent(value: unknown, path: string): number {
  return Number(asHex(asArray(value, `${path}.event`)[0], `${path}.event[0]`) & 0xffn);
}

/** A row, and a second one where it says what an unprivileged access of the same kind gets. */
function parseRow(value: unknown, path: string): ImageRow[] {
  const row = asObject(value, path);
  const { access } = row;
  if (access !== 'read' && access !== 'write' && access !== 'execute') {
    throw bad(`${path}.access`, 'read, write or execute', access);
  }
  const asked = {
    va: asHex(row.va, `${path}.va`),
    access,
    pan: row.pan === 1,
    ...optional('sid', row.sid, (found) =>
      typeof found === 'number' ? BigInt(asInteger(found, path)) : asHex(found, `${path}.sid`),
    ),
    ...optional('registers', row.registers, (found) => parseRegisters(found, `${path}.registers`)),
  } as const;
  const privileged = row.el === undefined || asInteger(row.el, `${path}.el`) !== 0;
  const expect = parseExpectations(row, path);
  const event = row.arm === undefined ? optional('event', row.event, (found) => parseEvent(found, path)) : {};
  const rows: ImageRow[] = [{ ...asked, ...event, where: path, privileged, expect }];
  if (row.arm_unprivileged !== undefined) {
    const where = `${path}.arm_unprivileged`;
    const expect = [parseExpectation(asObject(row.arm_unprivileged, where), where)];
    rows.push({ ...asked, where, privileged: false, expect });
  }
  return rows;
}

function parseFrame(value: unknown, path: string): (readonly [bigint, bigint])[] {
  const frame = asObject(value, path);
  const pa = asHex(frame.pa, `${path}.pa`);
  return Object.entries(asObject(frame.words64, `${path}.words64`)).map(([offset, word]) => {
    if (!/^\d+$/.test(offset) || Number(offset) >= 4096 || Number(offset) % 8 !== 0) {
      throw bad(`${path}.words64`, 'decimal byte offsets below 4096, multiples of 8', offset);
    }
    return [pa + BigInt(offset), asHex(word, `${path}.words64[${offset}]`)] as const;
  });
}

/**
 * Parses the JSON value of a golden file of kind `image`.
 * @throws GoldenFileError that names the part of the file which is not as it must be.
 */
export function parseImageFile(value: unknown): ImageFile {
  const file = asObject(value, 'file');
  if (file.schema !== 'pgtable-golden/1') throw bad('schema', '"pgtable-golden/1"', file.schema);
  if (file.kind !== 'image') throw bad('kind', '"image"', file.kind);
  const cpu = asObject(file.cpu, 'cpu');
  const ram = asObject(file.ram, 'ram');
  return {
    name: asString(file.name, 'name'),
    regime: asString(file.regime, 'regime'),
    cpu: {
      model: asString(cpu.model, 'cpu.model'),
      ...optional('paBits', cpu.pa_bits, (found) => asInteger(found, 'cpu.pa_bits')),
    },
    ram: { base: asHex(ram.base, 'ram.base'), size: asHex(ram.size, 'ram.size') },
    registers: parseRegisters(file.registers, 'registers'),
    words: asArray(file.memory, 'memory').flatMap((frame, i) => parseFrame(frame, `memory[${i}]`)),
    rows: asArray(file.translations, 'translations').flatMap((row, i) => parseRow(row, `translations[${i}]`)),
    pagemap: asArray(file.pagemap ?? [], 'pagemap').map((row, i) => {
      const where = `pagemap[${i}]`;
      const { va, pa } = asObject(row, where);
      return { where, va: asHex(va, `${where}.va`), pa: asHex(pa, `${where}.pa`) };
    }),
  };
}
