/** Parses golden files of kind `image` (schema pgtable-golden/1): registers, memory, and what a machine answered to each probe. */
import * as v from 'valibot';
import { type MachineRegime, machineRegimes } from '../arch/regimes.ts';
import { hexWord, parseGolden } from './schema.ts';

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
  /** SMMU: the StreamID, and the SubstreamID. */
  readonly sid?: bigint;
  readonly ssid?: bigint;
  /** SMMU: the number of the event that the producer recorded, where its answer counts. */
  readonly event?: number;
  /** Register values that replace the file's for this row. */
  readonly registers?: Registers;
  readonly expect: readonly Expectation[];
}

export type Registers = Readonly<Record<string, bigint>>;

/** The operating system's own word on a page. */
export interface PagemapRow {
  readonly where: string;
  readonly va: bigint;
  readonly pa: bigint;
}

export interface ImageFile {
  readonly name: string;
  readonly regime: MachineRegime;
  readonly cpu: { readonly model: string; readonly paBits?: number };
  readonly ram: { readonly base: bigint; readonly size: bigint };
  readonly registers: Registers;
  /** Non-zero words by physical address. */
  readonly words: readonly (readonly [pa: bigint, word: bigint])[];
  readonly rows: readonly ImageRow[];
  /** The operating system's own word on its pages: `va` maps to `pa`, whatever the access flag. */
  readonly pagemap: readonly PagemapRow[];
  /** Pages that it keeps but lets nobody use (PROT_NONE): no walk may reach them. */
  readonly protNone: readonly PagemapRow[];
}

const integer = v.pipe(v.number(), v.integer());
/** Absent or null: no claim. */
const maybe = <T extends v.GenericSchema>(schema: T) => v.nullish(schema);
const registers = v.record(v.string(), hexWord);

const faultSchema = v.object({
  kind: v.string(),
  ptw: maybe(v.boolean()),
  stage: maybe(integer),
  level: maybe(integer),
  s1_level: maybe(integer),
  class: maybe(v.string()),
  ipa: maybe(hexWord),
  fetch: maybe(hexWord),
});

/** `{ pa, attr, sh, … }` or `{ fault }`. */
const expectationEntries = {
  fault: v.optional(faultSchema),
  pa: maybe(hexWord),
  attr: maybe(
    v.pipe(
      hexWord,
      v.transform((attr) => Number(attr)),
    ),
  ),
  sh: maybe(integer),
  ns: maybe(integer),
  level: maybe(integer),
  s2_level: maybe(integer),
  ipa: maybe(hexWord),
};
const expectationSchema = v.pipe(
  v.object(expectationEntries),
  v.check(({ fault, pa }) => fault !== undefined || typeof pa === 'bigint', 'expected a pa or a fault'),
);

const streamNumber = v.union([
  v.pipe(
    integer,
    v.transform((id) => BigInt(id)),
  ),
  hexWord,
]);

const rowObject = v.object({
  ...expectationEntries,
  va: hexWord,
  access: v.picklist(['read', 'write', 'execute']),
  el: maybe(integer),
  pan: maybe(integer),
  sid: maybe(streamNumber),
  ssid: maybe(streamNumber),
  registers: maybe(registers),
  event: maybe(v.array(hexWord)),
  arm: v.optional(expectationSchema),
  arm_or: v.optional(expectationSchema),
  arm_unprivileged: v.optional(expectationSchema),
});
const rowSchema = v.pipe(
  rowObject,
  v.check(
    ({ arm, fault, pa }) => arm !== undefined || fault !== undefined || typeof pa === 'bigint',
    'expected a pa, a fault, or what arm says',
  ),
);

const frameOffset = v.pipe(
  v.string(),
  v.check(
    (offset) => /^\d+$/.test(offset) && Number(offset) < 4096 && Number(offset) % 8 === 0,
    'expected a decimal byte offset below 4096, a multiple of 8',
  ),
);

const pagemapSchema = v.array(v.object({ va: hexWord, pa: hexWord }));

const imageSchema = v.object({
  schema: v.literal('pgtable-golden/1'),
  kind: v.literal('image'),
  name: v.string(),
  regime: v.picklist(
    machineRegimes,
    ({ input }) => `unknown regime '${String(input)}'; known are ${machineRegimes.join(', ')}`,
  ),
  cpu: v.object({ model: v.string(), pa_bits: maybe(integer) }),
  ram: v.object({ base: hexWord, size: hexWord }),
  registers,
  memory: v.array(v.object({ pa: hexWord, words64: v.record(frameOffset, hexWord) })),
  translations: v.array(rowSchema),
  pagemap: v.optional(pagemapSchema, []),
  pagemap_prot_none: v.optional(pagemapSchema, []),
});

type Row = v.InferOutput<typeof rowSchema>;
type Answer = v.InferOutput<typeof expectationSchema>;

/** The object without the members that make no claim. */
function claims<T extends object>(object: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const present = Object.entries(object).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: NonNullable<T[K]> };
}

function expectationOf(answer: Answer): Expectation {
  const { fault, pa, attr, sh, ns, level, s2_level: s2Level, ipa } = answer;
  if (fault === undefined) {
    return claims({ pa, attr, sh, ns, level, s2Level, ipa });
  }
  const { kind, ptw, s1_level: s1Level, ...rest } = fault;
  return { fault: { ...claims({ ...rest, s1Level }), kind, ptw: ptw === true } };
}

/** The architecture's answer (`arm`, or else `arm_or`) counts where it stands, the producer's otherwise. */
function expectationsOf(row: Row): Expectation[] {
  if (row.arm === undefined) return [expectationOf(row)];
  return [row.arm, ...(row.arm_or === undefined ? [] : [row.arm_or])].map(expectationOf);
}

/** A row, and a second one where it says what an unprivileged access of the same kind gets. */
function rowsOf(row: Row, where: string): ImageRow[] {
  const asked = {
    va: row.va,
    access: row.access,
    pan: row.pan === 1,
    ...claims({ sid: row.sid, ssid: row.ssid, registers: row.registers }),
  };
  // The event number of a raw event record is bits [7:0] of its first word.
  const record = row.arm === undefined ? row.event?.[0] : undefined;
  const event = record === undefined ? {} : { event: Number(record & 0xffn) };
  const rows: ImageRow[] = [
    { ...asked, ...event, where, privileged: row.el !== 0, expect: expectationsOf(row) },
  ];
  if (row.arm_unprivileged !== undefined) {
    const expect = [expectationOf(row.arm_unprivileged)];
    rows.push({ ...asked, where: `${where}.arm_unprivileged`, privileged: false, expect });
  }
  return rows;
}

/**
 * Parses the JSON value of a golden file of kind `image`.
 * @throws GoldenFileError that names the part of the file which is not as it must be.
 */
export function parseImageFile(value: unknown): ImageFile {
  const file = parseGolden(imageSchema, value);
  const { model, pa_bits: paBits } = file.cpu;
  return {
    name: file.name,
    regime: file.regime,
    cpu: { model, ...claims({ paBits }) },
    ram: file.ram,
    registers: file.registers,
    words: file.memory.flatMap(({ pa, words64 }) =>
      Object.entries(words64).map(([offset, word]) => [pa + BigInt(offset), word] as const),
    ),
    rows: file.translations.flatMap((row, i) => rowsOf(row, `translations[${i}]`)),
    pagemap: file.pagemap.map((row, i) => ({ ...row, where: `pagemap[${i}]` })),
    protNone: file.pagemap_prot_none.map((row, i) => ({ ...row, where: `pagemap_prot_none[${i}]` })),
  };
}
