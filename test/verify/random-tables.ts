/**
 * Small random tables of every regime: a root, two tables below it, and registers that walk them over 30 bits of input. (DDI 0487 D8.3,
 * G5.4, G5.5, D24.2; IHI 0070 5.2, 5.4; RISC-V Privileged Architecture, Sv39.)
 */
import { createMachine, type MachineDescription, type Translator } from '../../src/machine/machine.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import type { Random } from '../support/random.ts';

/** Where tables lie: inside of what 30 bits of IPA reach, in a block of stage 2 that maps them to themselves. */
const BASE = 0x100_0000n;
const SLOT = 0x1_0000n;
const slot = (n: number) => BASE + BigInt(n) * SLOT;

export interface RandomSpace {
  readonly memory: PhysicalMemory;
  readonly target: Translator;
  /** Addresses of the entries that were written, and of some beside them. */
  readonly entries: readonly bigint[];
  /** Bytes of an entry. */
  readonly entryBytes: 4 | 8;
}

/** What a kind of tables is made of. */
interface Shape {
  readonly name: string;
  readonly regime: MachineDescription['regime'];
  readonly security?: MachineDescription['security'];
  readonly granuleLog2: number;
  readonly words: 'long' | 'short' | 'mtk' | 'mali' | 'riscv';
  readonly registers: (random: Random) => Readonly<Record<string, bigint>>;
  /** Tables below the root are of this level; the first one is another table in between, where the root is two levels above. */
  readonly rootLevel: number;
  readonly stage2?: true;
}

/** TxSZ of 30 bits, and of 34 where blocks are as large as 512 MiB. */
const sizeOf = (granule: 12 | 14 | 16) => (granule === 16 ? 30n : 34n);
const GRANULES = [12, 14, 16] as const;
const TG0 = { 12: 0n, 14: 2n, 16: 1n } as const;
const TG1 = { 12: 2n, 14: 1n, 16: 3n } as const;

/** MAIR of types that people use, and some that they do not. */
function mair(random: Random): bigint {
  const bytes = [0xff, 0x44, 0x00, 0x04, 0xbb, 0x0c, 0xee, 0xf0, 0x4f, 0x08, 0xaa, 0x40];
  let value = 0n;
  for (let i = 0n; i < 8n; i++) value |= BigInt(random.pick(bytes)) << (8n * i);
  return value;
}

const tcrTwo = (granule: 12 | 14 | 16) =>
  sizeOf(granule) | (sizeOf(granule) << 16n) | (TG0[granule] << 14n) | (TG1[granule] << 30n) | (2n << 32n);
const tcrOne = (granule: 12 | 14 | 16) =>
  sizeOf(granule) | (TG0[granule] << 14n) | (2n << 16n) | 0x8080_0000n;
const vtcr = (granule: 12 | 14 | 16) =>
  sizeOf(granule) | (granule === 12 ? 0n : 1n << 6n) | (TG0[granule] << 14n) | (2n << 16n) | (1n << 31n);

const long = (
  name: string,
  rest: Omit<Shape, 'name' | 'words' | 'rootLevel' | 'granuleLog2'>,
  granule = 12,
): Shape => ({
  name,
  words: 'long',
  rootLevel: 2,
  granuleLog2: granule,
  ...rest,
});

const CD = (granule: 12 | 14 | 16) => {
  const w0 =
    sizeOf(granule) |
    (TG0[granule] << 6n) |
    (sizeOf(granule) << 16n) |
    (TG1[granule] << 22n) |
    (1n << 31n) |
    (2n << 32n) |
    (1n << 41n) |
    (3n << 45n);
  return { cd0: w0, cd1: slot(0), cd2: slot(0) };
};
const STE2 = (granule: 12 | 14 | 16) => ({
  ste2: 1n | ((vtcr(granule) & 0x7_ffffn) << 32n) | (1n << 51n) | (1n << 58n),
  ste3: slot(4),
});
/** A CD that a nested stream fetches. */
const CD_AT = slot(8);

export const SHAPES: readonly Shape[] = [
  ...GRANULES.flatMap((granule) => [
    long(
      `el1&0 ${granule}`,
      {
        regime: 'el1&0',
        registers: (random) => ({
          ttbr0: slot(0),
          ttbr1: slot(0),
          tcr: tcrTwo(granule),
          mair: mair(random),
          sctlr: 1n,
        }),
      },
      granule,
    ),
    long(
      `el1&0-s2 ${granule}`,
      {
        regime: 'el1&0-s2',
        stage2: true,
        registers: () => ({ vttbr: slot(4), vtcr: vtcr(granule), hcr: 1n }),
      },
      granule,
    ),
  ]),
  long('el1&0-nested', {
    regime: 'el1&0-nested',
    stage2: true,
    registers: (random) => ({
      ttbr0: slot(0),
      ttbr1: slot(0),
      tcr: tcrTwo(12) | (1n << 23n),
      mair: mair(random),
      sctlr: 1n,
      vttbr: slot(4),
      vtcr: vtcr(12),
      hcr: 1n,
    }),
  }),
  long('el1&0, Secure', {
    regime: 'el1&0',
    security: 'secure',
    registers: (random) => ({ ttbr0: slot(0), tcr: tcrTwo(12) | (1n << 23n), mair: mair(random), sctlr: 1n }),
  }),
  long('el2', {
    regime: 'el2',
    registers: (random) => ({ ttbr0: slot(0), tcr: tcrOne(12), mair: mair(random), sctlr: 1n }),
  }),
  long('el2&0', {
    regime: 'el2&0',
    registers: (random) => ({
      ttbr0: slot(0),
      ttbr1: slot(0),
      tcr: tcrTwo(12),
      mair: mair(random),
      sctlr: 1n,
    }),
  }),
  long('el3', {
    regime: 'el3',
    registers: (random) => ({ ttbr0: slot(0), tcr: tcrOne(12), mair: mair(random), sctlr: 1n }),
  }),
  long('el3, Root', {
    regime: 'el3',
    security: 'root',
    registers: (random) => ({ ttbr0: slot(0), tcr: tcrOne(12), mair: mair(random), sctlr: 1n }),
  }),
  long('pl1&0', {
    regime: 'pl1&0',
    registers: (random) => ({ ttbr0: slot(0), tcr: 0x8080_0002n, mair: mair(random), sctlr: 1n }),
  }),
  long('pl1&0-s2', {
    regime: 'pl1&0-s2',
    stage2: true,
    registers: () => ({ vttbr: slot(4), vtcr: 0x8000_0002n, hcr: 1n }),
  }),
  long('pl1&0-nested', {
    regime: 'pl1&0-nested',
    stage2: true,
    registers: (random) => ({
      ttbr0: slot(0),
      tcr: 0x8080_0002n,
      mair: mair(random),
      sctlr: 1n,
      vttbr: slot(4),
      vtcr: 0x8000_0002n,
      hcr: 1n,
    }),
  }),
  long('pl1&0-nested64', {
    regime: 'pl1&0-nested64',
    stage2: true,
    registers: (random) => ({
      ttbr0: slot(0),
      tcr: 0x8080_0002n,
      mair: mair(random),
      sctlr: 1n,
      vttbr: slot(4),
      vtcr: vtcr(12),
      hcr: 1n,
    }),
  }),
  long('pl2', {
    regime: 'pl2',
    registers: (random) => ({ ttbr0: slot(0), tcr: 0x8080_0002n, mair: mair(random), sctlr: 1n }),
  }),
  {
    name: 'pl1&0-short',
    regime: 'pl1&0-short',
    words: 'short',
    rootLevel: 1,
    granuleLog2: 12,
    registers: () => ({ ttbr0: slot(0), tcr: 0n, mair: 0n, sctlr: 1n, dacr: 0x5555_5555n }),
  },
  {
    name: 'mtk',
    regime: 'mtk',
    words: 'mtk',
    rootLevel: 1,
    granuleLog2: 12,
    registers: () => ({ ttbr0: slot(0), tcr: 0n, mair: 0n, sctlr: 1n, dacr: 0x5555_5555n }),
  },
  {
    name: 'mali',
    regime: 'mali',
    words: 'mali',
    rootLevel: 0,
    granuleLog2: 12,
    registers: () => ({ ttbr0: slot(0) | 3n, mair: 0x4888_8d4cn }),
  },
  ...(['riscv', 'riscv-iova'] as const).map(
    (regime): Shape => ({
      name: regime,
      regime,
      words: 'riscv',
      rootLevel: 1,
      granuleLog2: 12,
      registers: () => ({ ttbr0: (8n << 60n) | (slot(0) >> 12n) }),
    }),
  ),
  long('smmuv3-s1', {
    regime: 'smmuv3-s1',
    registers: (random) => ({ ste0: 1n | (5n << 1n), ste1: 0n, ...CD(12), cd3: mair(random) }),
  }),
  long('smmuv3-s2', {
    regime: 'smmuv3-s2',
    stage2: true,
    registers: () => ({ ste0: 1n | (6n << 1n), ste1: 0n, ...STE2(12) }),
  }),
  long('smmuv3-nested', {
    regime: 'smmuv3-nested',
    stage2: true,
    registers: () => ({ ste0: 1n | (7n << 1n) | CD_AT, ste1: 0n, ...STE2(12) }),
  }),
];

/** Fills memory with tables of a shape, and makes what walks them. */
export function randomSpace(shape: Shape, random: Random): RandomSpace {
  const memory = new PhysicalMemory({ base: BASE, size: SLOT * 16n });
  const builder = new Builder(memory, shape, random);
  if (shape.stage2) builder.stage2();
  if (!shape.regime.endsWith('-s2')) builder.stage1();
  if (shape.regime === 'smmuv3-nested') {
    const { cd0, cd1, cd2 } = CD(12);
    for (const [i, word] of [cd0, cd1, cd2, mair(random)].entries())
      memory.write64(CD_AT + BigInt(8 * i), word);
  }
  const { regime, security } = shape;
  const description = { memory, regime, registers: shape.registers(random) };
  const machine = createMachine({ ...description, ...(security !== undefined && { security }) });
  return { memory, target: machine(), entries: builder.entries, entryBytes: builder.bytes };
}

class Builder {
  readonly entries: bigint[] = [];
  readonly bytes: 4 | 8;
  readonly #memory: PhysicalMemory;
  readonly #shape: Shape;
  readonly #random: Random;

  constructor(memory: PhysicalMemory, shape: Shape, random: Random) {
    this.#memory = memory;
    this.#shape = shape;
    this.#random = random;
    this.bytes = shape.words === 'short' || shape.words === 'mtk' ? 4 : 8;
  }

  stage1(): void {
    const { words, rootLevel, granuleLog2 } = this.#shape;
    const last = this.bytes === 4 ? 2 : 3;
    const size = (level: number) =>
      this.bytes === 4 ? (level === 1 ? 20 : 12) : granuleLog2 + (3 - level) * (granuleLog2 - 3);
    // Where the root is further up, tables with one entry each lead to the two that are filled.
    let at = slot(0);
    for (let level = rootLevel; level < last - 1; level++) {
      const next = slot(10 + level);
      this.#write(at, 0, this.#pointer(next));
      at = next;
    }
    const entries = words === 'long' ? Math.max(2, 2 ** ((granuleLog2 === 16 ? 34 : 30) - size(2))) : 512;
    this.#fill(at, last - 1, entries, size(last - 1), [slot(1), slot(2)]);
    for (const table of [slot(1), slot(2)]) this.#fill(table, last, 256, size(last), []);
  }

  stage2(): void {
    const { granuleLog2 } = this.#shape;
    const size = granuleLog2 + (granuleLog2 - 3);
    this.#fill(
      slot(4),
      2,
      Math.max(2, 2 ** ((granuleLog2 === 16 ? 34 : 30) - size)),
      size,
      [slot(5), slot(6)],
      true,
    );
    for (const table of [slot(5), slot(6)]) this.#fill(table, 3, 256, granuleLog2, [], true);
    // The tables themselves: a block of Normal memory, all rights, that maps them to themselves.
    const own = Number(BASE >> BigInt(size));
    this.#write(slot(4), own, (BigInt(own) << BigInt(size)) | 0x7fdn);
    this.entries.pop();
  }

  #fill(
    table: bigint,
    level: number,
    count: number,
    sizeLog2: number,
    below: readonly bigint[],
    stage2 = false,
  ): void {
    const random = this.#random;
    const left = [...below];
    let [word, run, output] = [0n, 0, 0n];
    for (let n = 0; n < Math.min(40, count * 2); n++) {
      const index = random.between(0, count - 1);
      const next = left.length > 0 && random.chance(0.3) ? left.pop() : undefined;
      if (next !== undefined) {
        this.#write(table, index, this.#pointer(next));
        continue;
      }
      run = random.pick([1, 1, 2, 5]);
      output = (random.bits(31) >> BigInt(sizeLog2)) << BigInt(sizeLog2);
      word = this.#attributes(level, stage2);
      for (let i = 0; i < run && index + i < count; i++)
        this.#write(table, index + i, this.#leaf(word, output + (BigInt(i) << BigInt(sizeLog2)), level));
    }
  }

  #pointer(next: bigint): bigint {
    const { words } = this.#shape;
    if (words === 'riscv') return ((next >> 12n) << 10n) | 1n;
    return words === 'long' || words === 'mali' ? next | 3n : next | 1n;
  }

  /** A leaf's word without its address. */
  #attributes(level: number, stage2: boolean): bigint {
    const random = this.#random;
    const { words } = this.#shape;
    const noise = random.bits(64);
    if (words === 'riscv') return (noise & 0x3fen) | (random.chance(0.9) ? 0xc3n : 0x1n) | 2n;
    if (words === 'mali') return (noise & 0x0060_0000_0000_03fcn) | 1n;
    if (this.bytes === 4)
      return level === 1 ? (noise & 0x3_fdfcn) | 0x402n : (noise & 0xffcn) | 0x12n | (noise & 1n);
    const type = level === 3 ? 3n : 1n;
    const flag = random.chance(0.9) ? 0x400n : 0n;
    const rights = stage2 && random.chance(0.8) ? 0xc0n : 0n;
    // Bits 50 to 58: GP, DBM, Contiguous, PXN, XN, those of software. Not those that would be reserved types.
    return (noise & 0x07fc_0000_0000_0bfcn) | type | flag | rights;
  }

  #leaf(word: bigint, output: bigint, level: number): bigint {
    const { words } = this.#shape;
    if (words === 'riscv') return word | ((output >> 12n) << 10n);
    if (this.bytes === 4) return word | (level === 1 ? output & 0xfff0_0000n : output & 0xffff_f000n);
    return word | output;
  }

  #write(table: bigint, index: number, word: bigint): void {
    const at = table + BigInt(index * this.bytes);
    if (this.bytes === 8) this.#memory.write64(at, word);
    else this.#memory.write32(at, Number(BigInt.asUintN(32, word)));
    this.entries.push(at);
  }
}
