/**
 * What a bit of an STE or a CD changes: the results of a fixed set of transactions over small tables that have something of everything, what
 * the words are said to mean, or what is said to have no part.
 */
import { describeSte, type IdleField } from '../../src/describe/index.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { type CdWords, createStream, type SteWords } from '../../src/smmu/index.ts';
import { type Access, WalkerError } from '../../src/walker/index.ts';

type Words = readonly bigint[];

/** A stream: its STE, its CD, and identification registers other than the defaults. */
export interface Setting {
  readonly name: string;
  readonly ste: Words;
  /** Of stage 1. In a nested stream it is read from memory. */
  readonly cd?: Words;
  readonly identification?: object;
}

/** Where the CD is, and the roots of the two stages. */
const CD_AT = 0x13_0000n;
const S1 = 0x10_0000n;
const S2 = 0x11_0000n;

/** Pages of stage 1: rights, memory types, AF = 0, nG, DBM, contiguous, upper bits. */
const LEAVES = [0x703n, 0x7c3n, 0x743n, 0xf43n, 0x74fn, 0x307n, 0x60000000000757n, 0x8000000000783n];
LEAVES.push(0x20000000000743n, 0x10000000000703n, 0x723n, 0x75bn);
/** Pages of stage 2: S2AP and XN, memory types, AF = 0, DBM. */
const STAGE2 = [0x7ffn, 0x77fn, 0x73fn, 0x7bfn, 0x3ffn, 0x7c3n, 0x400000000007ffn, 0x8000000000077fn];
STAGE2.push(0x6000000000077fn, 0x7e7n);

function filled(cd: Words): PhysicalMemory {
  const memory = new PhysicalMemory({ base: S1, size: 0x4_0000n });
  const put = (at: bigint, word: bigint) => memory.write64(at, word);
  for (const table of [S1, S1 + 0x1000n, S1 + 0x2000n])
    for (const offset of [0n, 0xff8n]) put(table + offset, (table + 0x1000n) | 3n);
  LEAVES.forEach((leaf, i) => {
    put(S1 + 0x3000n + BigInt(i) * 8n, (0x8000_0000n + BigInt(i) * 0x1000n) | leaf);
  });
  // Stage 2: the first gigabyte is itself, in blocks of 2 MiB; the first of these is Device memory for entries beyond the tables.
  put(S2, (S2 + 0x1000n) | 3n);
  for (let i = 0n; i < 512n; i++) put(S2 + 0x1000n + i * 8n, (i << 21n) | 0x7fdn);
  put(S2 + 0x1000n + 400n * 8n, (400n << 21n) | 0x7c1n);
  put(S2 + 0x10n, (S2 + 0x2000n) | 3n);
  put(S2 + 0x2000n, (S2 + 0x3000n) | 3n);
  STAGE2.forEach((leaf, i) => {
    put(S2 + 0x3000n + BigInt(i) * 8n, (0x9000_0000n + BigInt(i) * 0x1000n) | leaf);
  });
  // A table of stage 1 in Device memory of stage 2.
  put(S1 + 0x1008n, 0x3200_0003n);
  cd.forEach((word, i) => {
    put(CD_AT + BigInt(i) * 8n, word);
  });
  return memory;
}

const ADDRESSES = [
  ...LEAVES.map((_, i) => BigInt(i) * 0x1000n),
  ...STAGE2.map((_, i) => 0x8000_0000n + BigInt(i) * 0x1000n),
  ...[0x4000_0000n, 0x3200_0000n, 0xffff_ffff_ffff_f000n, 0xffff_ffff_ffe0_0000n, 0xffff_ffff_ffe0_3000n],
  ...[0xff00_0000_0000_0000n, 0x00ff_ffff_ffe0_2000n, 0x1_0000_0000_0000n, 0xffff_ffe0_2000n],
];
const ACCESSES = (['read', 'write', 'execute'] as const).flatMap((access): Access[] => [
  { access, privileged: true },
  { access, privileged: false },
]);

const isNested = (ste: Words) => ((ste[0]! >> 1n) & 7n) === 7n;

const text = (value: unknown) =>
  JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v));

/** Members that hold whole words, which show every bit and say nothing. */
const isRaw = (holder: object, name: string) =>
  name === 'words' ||
  name === 'features' ||
  (name === 'value' && ('ranges' in holder || 'register' in holder || 'types' in holder));

function meaning(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(meaning);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (isRaw(value, name) ? [] : [[name, meaning(member)]])),
  );
}

export interface Answers {
  readonly walks: string;
  /** What the words mean, without the fields that have no part. */
  readonly meaning: string;
  readonly idle: readonly IdleField[];
  readonly ok: boolean;
}

/** Everything that is answered and said; a refusal is an answer too. */
export function answersOf({ ste, cd = CD, identification }: Omit<Setting, 'name'>): Answers {
  const memory = filled(cd);
  const given = ((ste[0]! >> 1n) & 7n) === 5n && ste[0]! >> 59n === 0n;
  const description = {
    ste: ste as SteWords,
    ...(given && { cd: cd as CdWords }),
    ...(identification && { identification }),
  };
  try {
    const stream = createStream(memory, description);
    const walks = ADDRESSES.flatMap((ia) =>
      ACCESSES.map((access) => {
        const { steps: _, ...rest } = stream.translate(ia, { ...access, update: false, trace: false });
        return rest;
      }),
    );
    const { idle = [], ...rest } = describeSte(memory, description);
    return { walks: text(walks), meaning: text(meaning(rest)), idle, ok: walks.some(({ ok }) => ok) };
  } catch (error) {
    if (!(error instanceof WalkerError)) throw error;
    return { walks: error.message, meaning: '', idle: [], ok: false };
  }
}

export type Bit = readonly [word: 'ste' | 'cd', bit: number];

/**
 * Every bit of the STE, and of the CD if there is one. Of a CD in memory the first 32 bytes: without SMMU_IDR3.S1PI the others are not read,
 * since AMAIR, PARTID and PMG have no part in a translation, and PIIP and PIIU are RES0. (IHI 0070 5.4.)
 */
export function bitsOf({ ste, cd }: Setting): Bit[] {
  const all = (word: 'ste' | 'cd', bits: number) =>
    Array.from({ length: bits }, (_, bit): Bit => [word, bit]);
  return [...all('ste', 512), ...(cd ? all('cd', isNested(ste) ? 256 : 512) : [])];
}

/** CD.EPD0 changes translations, and gives TTB0 no part. */
const EPD0 = 14;

/**
 * Whether a bit that is flipped changes an answer or its meaning, or is said to have no part. `wrong`: it is the one field that is newly said
 * to have none, and changes a translation.
 */
export function flipped(setting: Setting, [word, bit]: Bit, before: Answers): 'told' | 'silent' | 'wrong' {
  const words = [...setting[word]!];
  words[bit >> 6]! ^= 1n << BigInt(bit & 63);
  const after = answersOf({ ...setting, [word]: words });
  const known = before.idle.map(text);
  const added = after.idle.filter((one) => !known.includes(text(one)));
  const walked = after.walks !== before.walks;
  if (added.length === 1 && walked && !(word === 'cd' && bit === EPD0)) return 'wrong';
  const said = text(after.idle) !== text(before.idle);
  return said || walked || after.meaning !== before.meaning ? 'told' : 'silent';
}

/** T0SZ and T1SZ 16, 4K, Write-Back walks, V, 44 bits, AA64, R, A, ASID 1. */
const CD: Words = [0x16204b5903510n, S1, S1, 0x440c_0804_00bb_f4ffn, 0n, 0n, 0n, 0n];
/** EPD1 = 1. */
const ONE_RANGE: Words = [0x16204f5903510n, ...CD.slice(1)];
/** VMID 1; T0SZ 25, level 1, 4K, Write-Back walks, 44 bits, AA64, R. */
const STAGE2_WORD = 0x40c355900000001n;
const NESTED: Words = [CD_AT | 0xfn, 2n, STAGE2_WORD, S2, 0n, 0n, 0n, 0n];

/** Substreams, overrides of permissions, hardware updates, ATS, S2FWB, PBHA, EPAN, E0PD, HAD, EL2. */
const RICH = {
  idr0: 0xc4c_17dbn,
  idr1: 0x673_0410n,
  idr3: 0x3_351cn,
  idr5: 0x74n,
};

export const SETTINGS: readonly Setting[] = [
  { name: 'stage 1', ste: [CD_AT | 0xbn, 2n, 0n, 0n, 0n, 0n, 0n, 0n], cd: CD },
  { name: 'stage 1 with one range', ste: [CD_AT | 0xbn, 2n, 0n, 0n, 0n, 0n, 0n, 0n], cd: ONE_RANGE },
  { name: 'stage 2', ste: [0xdn, 0n, STAGE2_WORD, S2, 0n, 0n, 0n, 0n] },
  { name: 'both stages', ste: NESTED, cd: CD },
  {
    name: 'stage 1 of an SMMU with many features',
    ste: [CD_AT | 0xbn, 2n, 0n, 0n, 0n, 0n, 0n, 0n],
    cd: CD,
    identification: RICH,
  },
  { name: 'both stages of an SMMU with many features', ste: NESTED, cd: CD, identification: RICH },
];
