/** The lint at edges: ranges that overlap in physical memory, unknown types, runs at the end of a table. (DDI 0487 D8.4, D8.7.1, B2.16.) */
import { expect, test } from 'vitest';
import { lint, lintAcross } from '../../src/lint/index.ts';
import { bitProblems } from '../../src/lint/reserved.ts';
import { createMachine } from '../../src/machine/machine.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { listSpace } from '../../src/space/space.ts';

/** 4K, T0SZ 25: 39 bits from level 1; EPD1. MAIR: 0 is Write-Back, 1 Device-nGnRnE, 2 Non-cacheable. */
const REGISTERS = { ttbr0: 0x1000n, tcr: 0x2_0080_0019n, mair: 0x44_00ffn };
/** Inner shareable, AF, nG, UXN and PXN: writable by EL1. */
const PAGE = 0x60_0000_0000_0f03n;
const [PXN, UXN] = [1n << 53n, 1n << 54n];

/** Tables at 0x1000, 0x2000 and 0x3000; `level2` goes in from 0x2008 on, `level3` from 0x3000 on. */
function spaceOf(
  entries: {
    readonly first?: bigint;
    readonly level2?: readonly bigint[];
    readonly level3: readonly bigint[];
  },
  security: 'non-secure' | 'secure' = 'non-secure',
) {
  const { first = 0x3003n, level2 = [], level3 } = entries;
  const memory = new PhysicalMemory({ base: 0x1000n, size: 0x4000n });
  memory.write64(0x1000n, 0x2003n);
  memory.write64(0x2000n, first);
  for (const [i, word] of level2.entries()) memory.write64(0x2008n + BigInt(i) * 8n, word);
  for (const [i, word] of level3.entries()) memory.write64(0x3000n + BigInt(i) * 8n, word);
  const regime = 'el1&0';
  const translator = createMachine({ memory, regime, registers: REGISTERS, security })();
  return { translator, ranges: listSpace(translator).ranges };
}

const rulesOf = (space: ReturnType<typeof spaceOf>) => [
  ...new Set(lint(space).findings.map(({ rule }) => rule)),
];

test('memory that is writable and executable by one mapping is no alias of itself', () => {
  const both = (PAGE & ~PXN) | 0x8000_0000n;
  expect(rulesOf(spaceOf({ level3: [both, PAGE | 0x8000_0000n] }))).toEqual(['writable-executable']);
});

test('Device memory that only privileged software may execute', () => {
  const device = (word: bigint) => rulesOf(spaceOf({ level3: [word | 0x8000_0084n] }));
  expect(device(PAGE & ~PXN)).toContain('device-executable');
  expect(device((PAGE & ~UXN) | 0xc0n)).toContain('device-executable');
  expect(device(PAGE)).toEqual([]);
});

test('without MAIR no type is known, so nothing is called Device memory', () => {
  const memory = new PhysicalMemory({ base: 0x1000n, size: 0x4000n });
  for (const [pa, word] of [
    [0x1000n, 0x2003n],
    [0x2000n, 0x3003n],
    [0x3000n, (PAGE & ~PXN) | 0x8000_0080n],
  ] as const)
    memory.write64(pa, word);
  const { mair: _, ...registers } = REGISTERS;
  const translator = createMachine({ memory, regime: 'el1&0', registers })();
  const { findings, skipped } = lint({ translator, ranges: listSpace(translator).ranges });
  expect([findings, skipped]).toEqual([[], ['device-executable', 'alias-attributes']]);
});

test('a block over the tables is found behind a page at the same address', () => {
  // A writable block of 2M at PA 0, and then one read-only page at PA 0.
  const block = PAGE & ~2n;
  const found = rulesOf(spaceOf({ first: block, level2: [0x3003n], level3: [PAGE | 0x80n] }));
  expect(found).toContain('table-writable');
});

test('across address spaces, one PA is one place only within a physical address space', () => {
  const NS = 0x20n;
  const secure = spaceOf({ level3: [PAGE | 0x8000_0000n] }, 'secure');
  const across = (bits: bigint) =>
    lintAcross([
      { name: 'a', ranges: secure.ranges },
      { name: 'b', ranges: spaceOf({ level3: [PAGE | 0x8000_0008n | bits] }, 'secure').ranges },
    ]).findings.map(({ rule, message }) => `${rule}: ${message}`);
  expect(across(NS)).toEqual([]);
  expect(across(0n)).toEqual([
    'alias-attributes: Secure PA 0x80000000-0x80000fff is Normal non-cacheable, outer-shareable in b, and Normal write-back, inner-shareable at 0x0 in a',
  ]);
});

test('a contiguous run at the end of a table is complete', () => {
  const CONTIGUOUS = 1n << 52n;
  const level3 = Array.from({ length: 512 }, (_, i) =>
    i < 496 ? 0n : PAGE | CONTIGUOUS | (0x8000_0000n + BigInt(i) * 0x1000n),
  );
  expect(rulesOf(spaceOf({ level3 }))).toEqual([]);
});

test('stage 2 alone is judged by its own descriptors, not by the stage 1 that is off in front of it', () => {
  // 39 bits from level 1; HCR_EL2.VM alone, so that with stage 1 off all data is Device memory. S2AP 0b11, XN 0.
  const registers = { vttbr: 0x1000n, vtcr: 0x8002_0059n, hcr: 1n };
  const rulesWith = (memAttr: bigint) => {
    const memory = new PhysicalMemory({ base: 0x1000n, size: 0x4000n });
    memory.write64(0x1000n, 0x2003n);
    memory.write64(0x2000n, 0x3003n);
    memory.write64(0x3000n, 0x8000_07c3n | (memAttr << 2n));
    const translator = createMachine({ memory, regime: 'el1&0-s2', registers })();
    return lint({ translator, ranges: listSpace(translator).ranges }).findings.map(({ rule }) => rule);
  };
  expect(rulesWith(0b1111n)).not.toContain('device-executable');
  expect(rulesWith(0b0001n)).toContain('device-executable');
});

test('one table, read as of one Security state and then of another', () => {
  // Bit 11 is NSE in Root state, and RES0 in Secure state, since EL3 has no nG.
  const memory = new PhysicalMemory({ base: 0x1000n, size: 0x4000n });
  memory.write64(0x1000n, 0x2003n);
  memory.write64(0x2000n, 0x3003n);
  memory.write64(0x3000n, 0x8000_0f43n);
  const registers = { ttbr0: 0x1000n, tcr: 0x8002_0019n, mair: 0xffn };
  const [tree] = createMachine({ memory, regime: 'el3', registers, security: 'secure' })().trees();
  const problemsAs = (security: 'secure' | 'root') => {
    const found: string[] = [];
    tree!.scan(3, 0x3000, 0, 1, (entry) => {
      found.push(...bitProblems(entry, tree!, { regime: 'el3', security }).map(({ rule }) => rule));
    });
    return found;
  };
  expect(problemsAs('secure')).toEqual(['reserved-bits']);
  expect(problemsAs('root')).toEqual([]);
});
