/**
 * What a bit of a register changes: the answers of a fixed set of walks over a small table that has something of everything, what the
 * registers are said to mean, or what is said to have no part in it.
 */
import { isRegime, type MachineRegime } from '../../src/arch/regimes.ts';
import { describeRegime, describeSte } from '../../src/describe/index.ts';
import {
  cpuOf,
  createMachine,
  type MachineDescription,
  streamOf,
  walkerRegistersOf,
} from '../../src/machine/machine.ts';
import { RegisterError, resolveRegisters } from '../../src/machine/registers/index.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { type Access, WalkerError } from '../../src/walker/index.ts';

/** A regime, and values of its registers by the manual's names. */
export interface Setting {
  readonly name: string;
  readonly regime: MachineRegime;
  readonly registers: Readonly<Record<string, bigint>>;
}

/** How many bits a register has: 64, but for AArch32's. */
const WIDTHS: Readonly<Record<string, number>> = {
  DACR: 32,
  PRRR: 32,
  NMRR: 32,
  MAIR0: 32,
  MAIR1: 32,
  HMAIR0: 32,
  HMAIR1: 32,
  SCTLR: 32,
  HSCTLR: 32,
  VTCR: 32,
  HTCR: 32,
  TTBCR: 32,
  HCR: 32,
};

const RAM = 0x10_0000n;

/** Leaves of many kinds: rights, memory types, nG, AF = 0, contiguous, DBM, upper bits that features use. */
const LEAVES = [
  0x703n,
  0x7c3n,
  0x7c7n,
  0xf43n,
  0x74fn,
  0x307n,
  0x78bn,
  0x60000000000757n,
  0x10000000000703n,
  0x8000000000783n,
  0x4000000000071fn,
  0x20000000000743n,
  0x7ffn,
  0x7bdn,
  0x7800000000000703n,
  0x100000000000703n,
  0x80000000000703n,
  0x8000000000000743n,
  0x723n,
  0x72fn,
  0x4000000000000743n,
  0x1000000000000743n,
  0xc8000000000743n,
  0x4000000000007ffn,
  0x6000000000007c3n,
];

/**
 * Tables of up to five levels in RAM: whatever base and level a walk starts at, it meets some of each. In every one, entries 0, 1, 256 and the last lead
 * down, and the others are leaves.
 */
function memoryWith(pointer: (pa: bigint) => bigint, leaf: (i: number) => bigint): PhysicalMemory {
  const found = new PhysicalMemory({ base: RAM, size: 0x4_0000n });
  for (let table = 0n; table < 0x10n; table++) {
    const at = RAM + table * 0x4000n;
    const down = pointer(RAM + ((table + 1n) % 0x10n) * 0x4000n);
    for (let i = 2; i < 64; i++) found.write64(at + BigInt(i) * 8n, leaf(i));
    for (const offset of [0n, 0x8n, 0x800n, 0xff8n]) found.write64(at + offset, down);
    found.write64(at + 8n, down | (down & 2n ? 0x5800_0000_0000_0000n : 0n));
  }
  return found;
}

const LONG = memoryWith(
  (pa) => pa | 3n,
  (i) => (0x8000_0000n + BigInt(i) * 0x1000n) | LEAVES[i % LEAVES.length]!,
);
/** RISC-V: D A U X W R V of every kind. */
const RISCV = memoryWith(
  (pa) => ((pa >> 12n) << 10n) | 1n,
  (i) => (0x8_0000n << 10n) | 0xc1n | ((BigInt(i) * 2n) & 0x3en),
);
/** Short descriptors, two a word: tables of the second level, and small pages or sections of each memory type, shared and not. */
const SHORT = memoryWith(
  () => 0x10_0001_0010_0001n,
  (i) => (shortLeaf(2 * i + 1) << 32n) | shortLeaf(2 * i),
);

/** Of a page TEX[0], C, B are bits 6, 3, 2 and S is bit 10; of a section bits 12, 3, 2 and 16. */
function shortLeaf(i: number): bigint {
  const [cb, tex, shared] = [BigInt(i & 3), BigInt((i >> 2) & 1), BigInt((i >> 3) & 1)];
  return 0x8000_0832n | (cb << 2n) | (tex << 6n) | (tex << 12n) | (shared << 10n) | (shared << 16n);
}

/** The tables of stage 1, and at 0x14_0000 those of stage 2: the first gigabyte is itself, so is RAM; the leaves are pages of every kind. */
function nestedMemory(): PhysicalMemory {
  const found = new PhysicalMemory({ base: RAM, size: 0x5_0000n });
  for (let at = RAM; at < RAM + 0x4_0000n; at += 8n) found.write64(at, LONG.read64(at) as bigint);
  const put = (at: bigint, word: bigint) => found.write64(at, word);
  for (const root of [0x14_0000n, 0x14_1000n]) {
    put(root, 0x7fdn);
    put(root + 0x10n, 0x14_4003n);
  }
  put(0x14_4000n, 0x14_8003n);
  for (let i = 0; i < 64; i++)
    put(0x14_8000n + BigInt(i) * 8n, (0x9000_0000n + BigInt(i) * 0x1000n) | STAGE2[(i * 7) % STAGE2.length]!);
  return found;
}

/** Pages of stage 2: every S2AP and XN, memory types, AF = 0, FnXS, NS of Realm state, contiguous, DBM, indexes. */
const STAGE2 = [
  ...[0x7ffn, 0x77fn, 0x73fn, 0x7bfn, 0x7c3n, 0x7f3n, 0x3ffn, 0xfffn, 0x4ffn, 0x20000000007ffn],
  ...[0x400000000007ffn, 0x600000000007ffn, 0x800000000007ffn, 0x1000000000077fn, 0x800000000077fn],
  ...[0x2800000000007ffn, 0x5000000000007ffn, 0x100000000007ebn, 0x7e7n, 0x7dfn],
];
const NESTED = nestedMemory();

const memoryOf = (regime: MachineRegime) => {
  if (/nested/.test(regime)) return NESTED;
  if (regime === 'riscv') return RISCV;
  return /short|mtk/.test(regime) ? SHORT : LONG;
};

const ADDRESSES = [
  0n,
  0x1000n,
  0xc000n,
  0x20_0000n,
  0x4000_0000n,
  0x80_0000_0000n,
  0x1_0000_0000_0000n,
  0x10_0000_0000_0000n,
].flatMap((base) => [base, ...LEAVES.map((_, i) => base + BigInt(i + 2) * 0x1000n)]);
const ALL = [
  ...ADDRESSES.slice(0, 25),
  ...ADDRESSES.filter((_, i) => i % 9 === 0),
  0x5a00_0000_0000_2000n,
  0xffff_ffff_ffff_f000n,
  0xffff_ffff_ffff_5000n,
  0xffff_0000_0000_3000n,
  0xffff_0000_0000_6000n,
  0x5aff_ffff_ffff_f000n,
  0xffff_ffff_8000_3000n,
];
const ACCESSES: Access[] = (['read', 'write', 'execute'] as const).flatMap((access) => [
  { access, privileged: true },
  { access, privileged: false },
  { access, privileged: true, pan: true },
]);
ACCESSES.push({ access: 'read', gcs: true });

const text = (value: unknown) =>
  JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v));

/** Members of a derivation that hold a whole register, which shows every bit of it and says nothing. */
const isRaw = (holder: object, name: string) =>
  name === 'value' && ('ranges' in holder || 'register' in holder || 'types' in holder);

/** A derivation without the values of whole registers. */
function meaning(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(meaning);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (isRaw(value, name) ? [] : [[name, meaning(member)]])),
  );
}

export interface Answers {
  readonly answers: string;
  readonly told: string;
}

/** Everything that is answered and said of register values; a refusal is an answer too. */
export function answersOf({ regime, registers: given }: Omit<Setting, 'name'>): Answers {
  try {
    const { registers, assumed, ignored } = resolveRegisters({ given, regime, exact: true });
    const description: MachineDescription = { memory: memoryOf(regime), regime, registers };
    const translator = createMachine(description)();
    const derivation = isRegime(regime)
      ? describeRegime(regime, walkerRegistersOf(description), cpuOf(description), translator.security)
      : describeSte(description.memory, streamOf(description));
    const walks: unknown[] = [];
    for (const access of ACCESSES)
      for (const ia of ALL) {
        const found = translator.walk(ia & (/^(p|mtk)/.test(regime) ? 0xffff_ffffn : ~0n), {
          ...access,
          update: false,
        });
        const { steps: _, ...rest } = found as { steps: unknown };
        walks.push(rest);
      }
    return { answers: text([walks, meaning(derivation)]), told: text([assumed, ignored]) };
  } catch (error) {
    if (error instanceof RegisterError || error instanceof WalkerError)
      return { answers: `refused: ${error.message}`, told: '' };
    throw error;
  }
}

/** Whether a bit that is flipped changes what is answered or said. */
export function isTold({ registers, ...rest }: Setting, name: string, bit: number, before: Answers): boolean {
  const value = registers[name]! ^ (1n << BigInt(bit));
  const after = answersOf({ ...rest, registers: { ...registers, [name]: value } });
  return after.answers !== before.answers || after.told !== before.told;
}

/** Every bit of every register of a setting. */
export function bitsOf({ registers }: Setting): { readonly name: string; readonly bit: number }[] {
  return Object.keys(registers).flatMap((name) =>
    Array.from({ length: WIDTHS[name] ?? 64 }, (_, bit) => ({ name, bit })),
  );
}

const MAIR = 0x440c_0804_00bb_f4ffn;
const [MAIR0, MAIR1] = [MAIR & 0xffff_ffffn, MAIR >> 32n];

/** A setting of each sort of registers. */
export const SETTINGS: readonly Setting[] = [
  {
    name: 'EL1&0',
    regime: 'el1&0',
    registers: {
      TTBR0_EL1: 0x10_0000n,
      TTBR1_EL1: 0x1_0000_0010_4000n,
      TCR_EL1: 0x5_b510_3510n,
      MAIR_EL1: MAIR,
      SCTLR_EL1: 0x30d0_1985n,
      HCR_EL2: 0n,
    },
  },
  {
    name: 'EL1&0 with TCR2',
    regime: 'el1&0',
    registers: {
      TTBR0_EL1: 0x10_0000n,
      TTBR1_EL1: 0x1_0000_0010_4000n,
      TCR_EL1: 0x5_b510_3510n,
      MAIR_EL1: MAIR,
      SCTLR_EL1: 0x1005n,
      TCR2_EL1: 0x2_0000n,
      PIR_EL1: 1n,
      PIRE0_EL1: 1n,
      POR_EL1: 1n,
      POR_EL0: 1n,
      MAIR2_EL1: 1n,
      HCRX_EL2: 0x4000n,
    },
  },
  {
    name: 'EL2',
    regime: 'el2',
    registers: {
      TTBR0_EL2: 0x10_0000n,
      TCR_EL2: 0x8085_3510n,
      MAIR_EL2: MAIR,
      SCTLR_EL2: 0x30c5_1835n,
    },
  },
  {
    name: 'EL3',
    regime: 'el3',
    registers: {
      TTBR0_EL3: 0x10_0000n,
      TCR_EL3: 0x8085_3510n,
      MAIR_EL3: MAIR,
      SCTLR_EL3: 0x30c5_1835n,
    },
  },
  {
    name: 'stage 2',
    regime: 'el1&0-s2',
    registers: { VTTBR_EL2: 0x1_0000_0010_0000n, VTCR_EL2: 0x8004_3558n, HCR_EL2: 0x8000_0001n },
  },
  {
    name: 'PL1&0',
    regime: 'pl1&0',
    registers: {
      TTBR0: 0x10_0000n,
      TTBR1: 0x10_4000n,
      TTBCR: 0xb502_3502n,
      MAIR0,
      MAIR1,
      SCTLR: 0xc5_187fn,
    },
  },
  {
    name: 'PL1&0 with short descriptors',
    regime: 'pl1&0-short',
    registers: {
      TTBR0: 0x10_404an,
      TTBR1: 0x10_804an,
      TTBCR: 1n,
      PRRR: 0xff0a_81a8n,
      NMRR: 0x40e4_40e4n,
      SCTLR: 0x30c5_187fn,
      DACR: 0x5555_5555n,
    },
  },
  {
    name: 'stage 2 of AArch32',
    regime: 'pl1&0-s2',
    registers: { VTTBR: 0x1_0000_0010_0000n, VTCR: 0x8000_3558n, HCR: 1n },
  },
  {
    name: 'Hyp mode',
    regime: 'pl2',
    registers: { HTTBR: 0x10_0000n, HTCR: 0x8080_3502n, HMAIR0: MAIR0, HMAIR1: MAIR1, HSCTLR: 0x30c5_187fn },
  },
  {
    name: 'EL2&0',
    regime: 'el2&0',
    registers: {
      TTBR0_EL2: 0x10_0000n,
      TTBR1_EL2: 0x1_0000_0010_4000n,
      TCR_EL2: 0x5_b510_3510n,
      MAIR_EL2: MAIR,
      SCTLR_EL2: 0x30d0_1985n,
      HCR_EL2: 0x4_0800_0000n,
    },
  },
  {
    name: 'both stages',
    regime: 'el1&0-nested',
    registers: {
      TTBR0_EL1: 0x10_0000n,
      TTBR1_EL1: 0x1_0000_0010_4000n,
      TCR_EL1: 0x5_b510_3510n,
      MAIR_EL1: MAIR,
      SCTLR_EL1: 0x30d0_1985n,
      VTTBR_EL2: 0x1_0000_0014_0000n,
      VTCR_EL2: 0x8004_3558n,
      HCR_EL2: 0x8000_0001n,
    },
  },
  {
    name: 'Secure stage 2',
    regime: 'el1&0-s2',
    registers: {
      VTTBR_EL2: 0x1_0000_0010_0000n,
      VTCR_EL2: 0x8004_3558n,
      VSTTBR_EL2: 0x10_4000n,
      VSTCR_EL2: 0x8000_0058n,
      HCR_EL2: 0x8000_0001n,
      SCR_EL3: 0x4_0000n,
    },
  },
  {
    name: 'both stages in Secure state',
    regime: 'el1&0-nested',
    registers: {
      TTBR0_EL1: 0x10_0000n,
      TCR_EL1: 0x5_b580_3519n,
      MAIR_EL1: MAIR,
      SCTLR_EL1: 0x30d0_1985n,
      VTTBR_EL2: 0x1_0000_0014_0000n,
      VTCR_EL2: 0x8004_3558n,
      VSTTBR_EL2: 0x14_0000n,
      VSTCR_EL2: 0x8000_0058n,
      HCR_EL2: 0x8000_0001n,
      SCR_EL3: 0x4_0000n,
    },
  },
  {
    name: 'EL1&0 with indirect permissions, overlays and MAIR2',
    regime: 'el1&0',
    registers: {
      TTBR0_EL1: 0x10_0000n,
      TTBR1_EL1: 0x1_0000_0010_4000n,
      TCR_EL1: 0x5_b510_3510n,
      MAIR_EL1: MAIR,
      SCTLR_EL1: 0x30d0_1985n,
      TCR2_EL1: 0x1en,
      PIR_EL1: 0x1357_9bdf_0246_8aacn,
      PIRE0_EL1: 0x0a5c_3123_4561_7120n,
      POR_EL1: 0x7654_3217n,
      POR_EL0: 0x1234_5677n,
      MAIR2_EL1: 0x00bb_f4ff_440c_0804n,
      HCRX_EL2: 0x4000n,
    },
  },
  {
    name: 'stage 2 with indirect permissions and overlays',
    regime: 'el1&0-s2',
    registers: {
      VTTBR_EL2: 0x1_0000_0010_0000n,
      VTCR_EL2: 0x30_8004_3558n,
      HCR_EL2: 0x8000_0001n,
      S2PIR_EL2: 0xbec8_8624_0753_196fn,
      S2POR_EL1: 0x7654_321fn,
    },
  },
  {
    name: 'MediaTek',
    regime: 'mtk',
    registers: {
      TTBR: 0x10_4000n,
      TTBCR: 0n,
      PRRR: 0xff0a_81a8n,
      NMRR: 0x40e4_40e4n,
      SCTLR: 0x1000_0001n,
      DACR: 0xffff_ffffn,
    },
  },
  { name: 'RISC-V', regime: 'riscv', registers: { satp: 0x8000_0000_0000_0100n, sstatus: 0x4_0000n } },
  {
    name: 'Mali',
    regime: 'mali',
    registers: { AS_TRANSTAB: 0x10_0003n, AS_MEMATTR: 0x8888_8888_8888_8888n },
  },
];

/** Bits that may be flipped without a word: they are RES1, and set. (DDI 0487 D24.2.195, D24.2.196, D24.2.224.) */
export function isReservedOne({ regime }: Pick<Setting, 'regime'>, name: string, bit: number): boolean {
  // In EL2&0 TCR_EL2 has the layout of TCR_EL1.
  const oneRange = regime === 'el2' || regime === 'el3';
  return (oneRange && /^TCR_/.test(name) && [23, 31].includes(bit)) || (name === 'VTCR_EL2' && bit === 31);
}
