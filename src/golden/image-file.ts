/** Parses golden files of kind `image` (schema pgtable-golden/1): registers, memory, and a machine's answer to each probe. */

import { read } from '../arch/read.ts';
import type { MachineRegime } from '../arch/regimes.ts';
import { type SecurityState, securityNamed } from '../arch/security.ts';
import { EVENT } from '../arch/smmu/index.ts';
import { present } from '../json/schemas.ts';
import { RegisterError, resolveRegisters } from '../machine/registers/index.ts';
import type { Fault } from '../walker/types.ts';
import type { AnswerJson } from './image-answer.ts';
import { fileNotes, RowNotes, rowNotes } from './image-notes.ts';
import { imageSchema, machineRegimeOf, type RowJson } from './image-schema.ts';
import { ANY_STAGES } from './image-words.ts';
import { GoldenFileError } from './result.ts';
import { parseGolden } from './schema.ts';

/** The answer that a row wants. Members that are absent make no claim. */
export interface Expectation {
  readonly pa?: bigint;
  /** The combined memory attribute in MAIR encoding, the SH field, the NS bit. */
  readonly attr?: number;
  readonly sh?: number;
  readonly ns?: number;
  /** The XS attribute, 0 or 1 (FEAT_XS). */
  readonly xs?: number;
  /** The physical address space: `nonsecure` … */
  readonly pas?: string;
  /** Levels of the leaf and of stage 2's leaf; the IPA between the stages. */
  readonly level?: number;
  readonly s2Level?: number;
  readonly ipa?: bigint;
  /** The address space of the IPA: `secure` … */
  readonly ipas?: string;
  readonly fault?: ExpectedFault;
  /** The 64-bit words that the access changes in memory. If the list is empty, it changes none. */
  readonly updates?: readonly Update[];
}

/** A word of memory after an access: hardware updates of the access flag and dirty state. */
export interface Update {
  readonly pa: bigint;
  readonly word: bigint;
}

/** The fault that a row wants. `kind` is the file's word, absent if any fault is right; `level` is absent if the file says null. */
export interface ExpectedFault {
  readonly kind?: string;
  readonly stage?: number;
  readonly level?: number;
  readonly ptw?: boolean;
  readonly s1Level?: number;
  readonly class?: string;
  readonly ipa?: bigint;
  readonly ipas?: string;
  readonly fetch?: bigint;
  /** Bits of ESR_ELx.ISS2: all of them if the file makes any claim about them. */
  readonly iss2?: Iss2Bits;
  /** For a granule protection fault. */
  readonly gpc?: string;
  readonly gptLevel?: number;
  readonly output?: boolean;
}

/** The reason for a permission fault, as in ESR_ELx.ISS2. Bits that are not set are absent. */
export type Iss2Bits = Pick<Fault, 'overlay' | 'dirtyBit' | 'assuredOnly' | 'topLevel' | 'tagAccess'>;

/** One probe: the access, and the right answers, of which any one will do. */
export interface ImageRow {
  /** The row's place in the file: `translations[7]`. */
  readonly where: string;
  readonly va: bigint;
  readonly access: 'read' | 'write' | 'execute';
  readonly privileged: boolean;
  readonly pan: boolean;
  /** Whether it is a Guarded Control Stack access, and whether it is Tag Checked. */
  readonly gcs?: boolean;
  readonly tagChecked?: boolean;
  /** `fetches` for an address translation instruction: the granule of the output is not checked. (D8.15) */
  readonly gpc?: 'fetches';
  /** SMMU: the StreamID, and the SubstreamID. */
  readonly sid?: bigint;
  readonly ssid?: bigint;
  /** SMMU: the number of the event that the producer recorded, if its answer counts. */
  readonly event?: number;
  /** The row's registers as they are in the file. Another regime may read them differently. */
  readonly given?: Registers;
  /** Register values that replace the file's for this row. */
  readonly registers?: Registers;
  readonly expect: readonly Expectation[];
}

export type Registers = Readonly<Record<string, bigint>>;

/** What the operating system says about a page. */
export interface PagemapRow {
  readonly where: string;
  readonly va: bigint;
  readonly pa: bigint;
}

export interface ImageFile {
  readonly name: string;
  readonly regime: MachineRegime;
  /** The file says `smmuv3`, and the stream table entries say which stages there are. */
  readonly anyStages?: true;
  /** The Security state of the accesses, if the file says it. Otherwise it follows from SCR_EL3 or the regime. */
  readonly security?: SecurityState;
  /** `features`: features that the PE has beyond its model, by the manual's names (FEAT_XS). */
  readonly cpu: { readonly model: string; readonly paBits?: number; readonly features?: readonly string[] };
  /** The RAM. Reads outside it abort. */
  readonly ram: { readonly base: bigint; readonly size: bigint };
  /** Registers that the file's regime reads, by the machine's names. */
  readonly registers: Registers;
  /** The registers as they are in the file. */
  readonly given: Registers;
  /** Non-zero words by physical address. */
  readonly words: readonly (readonly [pa: bigint, word: bigint])[];
  readonly rows: readonly ImageRow[];
  /** What the operating system says about its pages: `va` maps to `pa`, whatever the access flag. */
  readonly pagemap: readonly PagemapRow[];
  /** Pages that it keeps but that nobody may use (PROT_NONE): no walk may reach them. */
  readonly protNone: readonly PagemapRow[];
  /** In words: what the file says about its machine that affects no answer, and what its rows say that is not compared. */
  readonly notes: readonly string[];
  readonly rowNotes: readonly string[];
}

/** All physical addresses: the RAM of a file whose memory is zero elsewhere. */
const EVERYWHERE = { base: 0n, size: 1n << 52n };

/** The bits of ISS2 by the file's names. */
const ISS2 = {
  overlay: 'overlay',
  dirty_bit: 'dirtyBit',
  assured_only: 'assuredOnly',
  top_level: 'topLevel',
  tag_access: 'tagAccess',
} as const;
const ISS2_NAMES = Object.keys(ISS2) as (keyof typeof ISS2)[];

function iss2Of(fault: NonNullable<AnswerJson['fault']>): Iss2Bits {
  return Object.fromEntries(ISS2_NAMES.flatMap((name) => (fault[name] ? [[ISS2[name], true]] : [])));
}

/**
 * If a file has one of these bits in any fault, or lists what accesses change in memory, it makes a claim about them for all its faults: a bit that is
 * absent is 0. Other producers do not record them.
 */
function claimsIss2(rows: readonly RowJson[]): boolean {
  return rows.some(
    (row) =>
      row.updates !== undefined ||
      [row, row.arm, row.arm_or].some((answer) =>
        ISS2_NAMES.some((name) => answer?.fault?.[name] !== undefined),
      ),
  );
}

/** Members are copied one by one where they are present: a file has thousands of rows, and spreading objects costs more than all else. */
function expectationOf(answer: AnswerJson, iss2: boolean): Expectation {
  const { fault, pa, updates } = answer;
  if (typeof pa === 'bigint') {
    const { attr, sh, ns, xs, pas, level, s2_level: s2Level, ipa, ipas } = answer;
    return present({ pa, attr, sh, ns, xs, pas, level, s2Level, ipa, ipas, updates });
  }
  return present({ fault: fault ? expectedFault(fault, iss2) : {}, updates });
}

function expectedFault(fault: NonNullable<AnswerJson['fault']>, iss2: boolean): ExpectedFault {
  const { kind, stage, level, ipa, ipas, fetch, gpc, output } = fault;
  return present({
    kind,
    ptw: fault.ptw === true,
    stage,
    level,
    class: fault.class,
    ipa,
    ipas,
    fetch,
    s1Level: fault.s1_level,
    gpc,
    gptLevel: fault.gpt_level,
    output,
    iss2: iss2 ? iss2Of(fault) : undefined,
  });
}

/**
 * The architecture's answer (`arm`, or else `arm_or`) counts if there is one, otherwise the producer's. What the access changes in
 * memory may be given with `arm` only, since it is the same for both.
 */
function expectationsOf(row: RowJson, iss2: boolean): Expectation[] {
  const { arm, arm_or: armOr } = row;
  if (arm === undefined) return [expectationOf(row, iss2)];
  const own = row.fault ? true : row.pa !== undefined;
  const shared = own ? {} : present({ updates: row.updates });
  return [arm, ...(armOr === undefined ? [] : [armOr])].map((answer) => ({
    ...shared,
    ...expectationOf(answer, iss2),
  }));
}

/**
 * A row, and a second one if it gives the answer to an unprivileged access of the same kind.
 * @param registers - the row's own, by the machine's names.
 */
function rowsOf(row: RowJson, registers: Registers | undefined, where: string, iss2: boolean): ImageRow[] {
  const own = rowOf(row, registers, where, row.el !== 0, expectationsOf(row, iss2));
  const { arm_unprivileged: arm } = row;
  if (arm === undefined) return [own];
  const expect = [expectationOf(arm, iss2)];
  return [own, rowOf({ ...row, event: undefined }, registers, `${where}.arm_unprivileged`, false, expect)];
}

function rowOf(
  row: RowJson,
  registers: Registers | undefined,
  where: string,
  privileged: boolean,
  expect: readonly Expectation[],
): ImageRow {
  const { va, access, sid, ssid, arm, event, par, pan, gcs, tag_checked: tagChecked } = row;
  const record = arm === undefined ? event?.[0] : undefined;
  return present({
    where,
    va,
    access,
    privileged,
    pan: pan === true,
    // Only address translation instructions write PAR.
    gpc: typeof par === 'bigint' ? ('fetches' as const) : undefined,
    gcs: gcs || undefined,
    tagChecked: tagChecked || undefined,
    sid,
    ssid,
    given: row.registers,
    registers,
    event: record === undefined ? undefined : read(record, EVENT.fields.Number),
    expect,
  });
}

/** By the machine's names. @throws GoldenFileError for registers that the regime does not read, or with values that allow no answer. */
function registersOf(
  regime: MachineRegime,
  security: SecurityState | undefined,
  given: Registers,
  where: string,
): Registers {
  try {
    const { registers, ignored } = resolveRegisters({
      given,
      regime,
      security,
      exact: true,
      complete: false,
    });
    const other = ignored.find(({ register, kind }) => kind === 'other' && /_EL\d+/i.test(register));
    if (other !== undefined) throw new GoldenFileError(`${where}.${other.register}: ${other.why}`);
    return registers;
  } catch (error) {
    if (error instanceof RegisterError) throw new GoldenFileError(`${where}.${error.message}`);
    throw error;
  }
}

/**
 * Parses the JSON value of a golden file of kind `image`.
 * @throws GoldenFileError that names the part of the file that is wrong.
 */
export function parseImageFile(value: unknown): ImageFile {
  const file = parseGolden(imageSchema, value);
  const { model, pa_bits: paBits, features } = file.cpu;
  const regime = machineRegimeOf(file);
  const security = securityNamed(file.security ?? '');
  const resolve = (registers: Registers, where: string) => registersOf(regime, security, registers, where);
  const ofRows = new RowNotes();
  for (const row of file.translations) ofRows.add(rowNotes(row));
  const iss2 = claimsIss2(file.translations);
  return {
    name: file.name,
    regime,
    ...(file.regime === ANY_STAGES && { anyStages: true }),
    ...(security !== undefined && { security }),
    cpu: { model, ...present({ paBits, features }) },
    ram: file.elsewhere === 'zero' || !file.ram ? EVERYWHERE : file.ram,
    registers: resolve(file.registers, 'registers'),
    given: file.registers,
    words: file.memory,
    rows: file.translations.flatMap((row, i) => {
      const where = `translations[${i}]`;
      const registers = row.registers && resolve(row.registers, `${where}.registers`);
      return rowsOf(row, registers, where, iss2);
    }),
    pagemap: file.pagemap.map((row, i) => ({ ...row, where: `pagemap[${i}]` })),
    protNone: file.pagemap_prot_none.map((row, i) => ({ ...row, where: `pagemap_prot_none[${i}]` })),
    notes: fileNotes(file, regime),
    rowNotes: ofRows.list(),
  };
}
