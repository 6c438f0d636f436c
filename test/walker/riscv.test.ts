/** A RISC-V hart's addresses, permissions and faults. (RISC-V Privileged Architecture 1.13, "Sv39", "Sv48", "Sv57", "sstatus", "scause".) */
import { describe, expect, test } from 'vitest';
import { describeRegime } from '../../src/describe/index.ts';
import { iaAt, visitTree } from '../../src/machine/visit.ts';
import { listSpace } from '../../src/space/space.ts';
import { denialText } from '../../src/text/denials.ts';
import { faultCodes, faultReason, faultText } from '../../src/text/fault.ts';
import { type Access, createWalker } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const read: Access = { access: 'read' };
/** satp of a root at 0x4000_0000. */
const SV39 = 0x8000_0000_0004_0000n;
const SV48 = 0x9000_0000_0004_0000n;
const SV57 = 0xa000_0000_0004_0000n;

/** Leaves of 1 GiB (Sv39), D A X W R V: the lower half of the root begins with PA 0x8000_0000, the upper with 0xc000_0000. */
const GIANTS = { '0x40000000': 0x2000_00cfn, '0x40000800': 0x3000_00cfn, '0x40000ff8': 0x1000_00cfn };

function hart(words: Record<string, bigint>, satp = SV39, sstatus?: bigint) {
  const registers = { ttbr0: satp, ...(sstatus !== undefined && { sstatus }) };
  return createWalker(memoryWith(words), { regime: 'riscv', registers });
}

describe('addresses extend the sign of the highest bit that the tables translate', () => {
  test.each<[bigint, bigint | undefined]>([
    [0x0n, 0x8000_0000n],
    [0x3fff_ffffn, 0xbfff_ffffn],
    [0xffff_ffc0_0000_0000n, 0xc000_0000n],
    [0xffff_ffc0_1234_5678n, 0xd234_5678n],
    [0xffff_ffff_ffff_ffffn, 0x7fff_ffffn],
    [0x40_0000_0000n, undefined],
    [0x7f_ffff_ffffn, undefined],
    [0xffff_ffbf_ffff_ffffn, undefined],
    [0x7fff_ffc0_0000_0000n, undefined],
  ])('Sv39: 0x%s', (va, pa) => {
    const result = hart(GIANTS).walk(va, read);
    if (pa === undefined) expect(result).toMatchObject({ fault: { kind: 'translation' }, steps: [] });
    else expect(result).toMatchObject({ ok: true, pa });
  });

  test('Sv48: the upper half begins at 0xffff_8000_0000_0000', () => {
    // Entry 256 leads to 0x4000_1000, whose first is 1 GiB.
    const walker = hart({ '0x40000800': 0x1000_0401n, '0x40001000': 0x2000_00cfn }, SV48);
    expect(walker.walk(0xffff_8000_0000_0123n, read)).toMatchObject({ ok: true, pa: 0x8000_0123n });
    expect(walker.walk(0x8000_0000_0000n, read)).toMatchObject({ ok: false, steps: [] });
  });

  test('Sv57: five levels, exact to the last byte', () => {
    // Entry 511 of the root, of its table and of the table below lead on; the last is 2 MiB at 0xffe0_0000.
    const walker = hart(
      {
        '0x40000ff8': 0x1000_0401n,
        '0x40001ff8': 0x1000_0801n,
        '0x40002ff8': 0x1000_0c01n,
        '0x40003ff8': 0x3ff8_00cfn,
      },
      SV57,
    );
    expect(walker.walk(0xffff_ffff_ffff_ffffn, read)).toMatchObject({
      ok: true,
      pa: 0xffff_ffffn,
      level: 2,
      steps: [{ level: -1, index: 511 }, { level: 0 }, { level: 1 }, { level: 2 }],
    });
    expect(walker.walk(0xff00_0000_0000_0000n, read)).toMatchObject({ steps: [{ level: -1, index: 256 }] });
    expect(walker.walk(0xfeff_ffff_ffff_ffffn, read)).toMatchObject({ ok: false, steps: [] });
    expect(walker.walk(0x00ff_ffff_ffff_ffffn, read)).toMatchObject({ steps: [{ level: -1, index: 255 }] });
    const { windows, ranges } = listSpace(walker);
    expect(windows).toEqual([
      { first: 0n, last: 0xff_ffff_ffff_ffffn },
      { first: 0xff00_0000_0000_0000n, last: 0xffff_ffff_ffff_ffffn },
    ]);
    expect(ranges).toMatchObject([{ first: 0xffff_ffff_ffe0_0000n, last: 0xffff_ffff_ffff_ffffn }]);
  });

  test('listed, dumped and visited: both halves', () => {
    const walker = hart(GIANTS);
    expect(listSpace(walker).ranges.map(({ first, last }) => [first, last])).toEqual([
      [0x0n, 0x3fff_ffffn],
      [0xffff_ffc0_0000_0000n, 0xffff_ffc0_3fff_ffffn],
      [0xffff_ffff_c000_0000n, 0xffff_ffff_ffff_ffffn],
    ]);
    const met: bigint[] = [];
    for (const tree of walker.trees()) {
      visitTree(tree, { leaf: (_, __, offset) => met.push(iaAt(tree, offset)) });
    }
    expect(met).toEqual([0x0n, 0xffff_ffc0_0000_0000n, 0xffff_ffff_c000_0000n]);
    const { stages } = describeRegime('riscv', { ttbr0: SV57 });
    expect(stages[0]).toMatchObject({ format: 'RISC-V Sv57' });
    expect(stages[0]?.ranges.map(({ tables }) => [tables?.firstIa, tables?.lastIa])).toEqual([
      [0x0n, 0xff_ffff_ffff_ffffn],
      [0xff00_0000_0000_0000n, 0xffff_ffff_ffff_ffffn],
    ]);
  });

  test('riscv-iova: behind a bus of 39 bits the upper half is from 2^38 on', () => {
    const registers = { ttbr0: SV39 };
    const walker = createWalker(memoryWith(GIANTS), { regime: 'riscv-iova', registers });
    expect(walker.walk(0x40_0000_0000n, read)).toMatchObject({ ok: true, pa: 0xc000_0000n });
    expect(walker.walk(0xffff_ffc0_0000_0000n, read)).toMatchObject({ ok: false, steps: [] });
    expect(describeRegime('riscv-iova', registers).stages[0]?.ranges).toMatchObject([
      { tables: { firstIa: 0n, lastIa: 0x7f_ffff_ffffn } },
    ]);
  });
});

describe('sstatus.SUM [18] and MXR [19]', () => {
  const [SUM, MXR] = [1n << 18n, 1n << 19n];
  /** One leaf of 1 GiB with A and D: U [4], X [3], W [2], R [1]. */
  const may = (flags: bigint, access: Access, sstatus?: bigint) =>
    hart({ '0x40000000': 0x2000_00c1n | flags }, SV39, sstatus).walk(0n, access).ok;
  const [U, X, W, R] = [0x10n, 8n, 4n, 2n];

  test.each<[string, bigint, Access, bigint | undefined, boolean]>([
    ['a user page with SUM', U | R | W, { access: 'write' }, SUM, true],
    ['a user page without it', U | R | W, read, 0n, false],
    ['a user page where sstatus is not given', U | R, read, undefined, true],
    ['a user page, of an access made with PAN', U | R, { access: 'read', pan: true }, SUM, false],
    ['execution of a user page is never allowed', U | R | X, { access: 'execute' }, SUM, false],
    ['the user, without SUM', U | R | X, { access: 'execute', privileged: false }, 0n, true],
    ['its own page, without SUM', R | W, { access: 'write' }, 0n, true],
    ['what is executable alone, read', X, read, SUM, false],
    ['with MXR', X, read, MXR, true],
    ['with MXR, written', X, { access: 'write' }, MXR, false],
    ['with MXR, a user page without SUM', U | X, read, MXR, false],
    ['with MXR, by the user', U | X, { access: 'read', privileged: false }, MXR, true],
  ])('%s', (_, flags, access, sstatus, allowed) => {
    expect(may(flags, access, sstatus)).toBe(allowed);
  });
});

describe('a permission fault names each bit that denies the access', () => {
  const SUM = 1n << 18n;
  /** D A and V, and the flags of a 1 GiB leaf. */
  const denied = (flags: bigint, access: Access, sstatus: bigint) => {
    const result = hart({ '0x40000000': 0x2000_00c1n | flags }, SV39, sstatus).walk(0n, access);
    if (result.ok || result.fault.denied === undefined) throw new Error('nothing denies it');
    return result.fault.denied.map((one) => denialText(one, 'riscv'));
  };
  const [R, W, X, U] = [0x2n, 0x4n, 0x8n, 0x10n];
  test.each<[string, bigint, Access, bigint, string[]]>([
    ['write', R, { access: 'write' }, SUM, ['W = 0 at level 1']],
    ['execute', R | W, { access: 'execute' }, SUM, ['X = 0 at level 1']],
    [
      'read',
      X,
      { access: 'read' },
      SUM,
      ['R = 0 at level 1: execute-only, and sstatus.MXR = 0 does not let it be read'],
    ],
    [
      'user mode, and a write',
      R,
      { access: 'write', privileged: false },
      SUM,
      ['W = 0 at level 1', 'U = 0 at level 1: not for user mode'],
    ],
    [
      'without SUM',
      R | U,
      { access: 'read' },
      0n,
      ['sstatus.SUM = 0, and U = 1 at level 1: supervisor mode may not touch pages of user mode'],
    ],
    [
      'execute in supervisor mode',
      R | X | U,
      { access: 'execute' },
      SUM,
      ['U = 1 at level 1: supervisor mode never executes pages of user mode'],
    ],
  ])('%s', (_, flags, access, sstatus, words) => {
    expect(denied(flags, access, sstatus)).toEqual(words);
  });
});

describe('a Mali GPU names them too, and reports an exception type', () => {
  /** Level 0 to 2 tables, and a page: AP at [7:6], XN[1] at 54. */
  const gpu = (leaf: bigint) =>
    createWalker(
      memoryWith({
        '0x40000000': 0x4000_1003n,
        '0x40001000': 0x4000_2003n,
        '0x40002000': 0x4000_3003n,
        '0x40003000': leaf,
      }),
      { regime: 'mali', registers: { ttbr0: 0x4000_0003n, mair: 0x8888_8888_8888_8888n } },
    );
  test.each<[bigint, Access['access'], string[]]>([
    [0x8000_0041n, 'write', ['AP[1:0] = 0b01 at level 3: read-only']],
    [0x8000_0081n, 'read', ['AP[1:0] = 0b10 at level 3: write-only']],
    [0x40_0000_8000_00c1n, 'execute', ['XN[1] = 1 at level 3: execute-never']],
    [
      0x40_0000_8000_0001n,
      'execute',
      ['AP[1:0] = 0b00 at level 3: no access', 'XN[1] = 1 at level 3: execute-never'],
    ],
  ])('0x%s %s', (leaf, access, words) => {
    const result = gpu(leaf).walk(0n, { access });
    if (result.ok) throw new Error('it translates');
    expect(result.fault.denied?.map((one) => denialText(one, 'mali'))).toEqual(words);
    expect(faultCodes(result, { access }, 'mali')).toBe('AS_FAULTSTATUS exception type 0xcb (PERM_FAULT_3)');
  });

  test('an address beyond its 48 bits', () => {
    const walker = gpu(0x8000_00c1n);
    const result = walker.walk(1n << 48n, read);
    if (result.ok) throw new Error('it translates');
    expect(faultReason(result.fault, result.steps, 'read', walker)).toBe(
      'the address has more than 48 bits, or AS_TRANSTAB does not turn translation on',
    );
    expect(faultCodes(result, read, 'mali')).toBe('AS_FAULTSTATUS exception type 0xc0 (TRANSLATION_FAULT_0)');
  });
});

describe('faults in its own words', () => {
  test.each<[string, Record<string, bigint>, bigint, Access['access'], string, RegExp, string]>([
    ['V = 0', {}, 0n, 'read', 'page fault (no valid entry), level 1', /V is clear/, '13 (load page fault)'],
    [
      'W without R',
      { '0x40000000': 0x2000_00c5n },
      0n,
      'write',
      'page fault (no valid entry), level 1',
      /W without R/,
      '15 (store page fault)',
    ],
    [
      'not permitted',
      { '0x40000000': 0x2000_00c3n },
      0n,
      'execute',
      'page fault (not permitted), level 1',
      /does not allow/,
      '12 (instruction page fault)',
    ],
    [
      'D = 0',
      { '0x40000000': 0x2000_0047n },
      0n,
      'write',
      'page fault (A or D is clear), level 1',
      /D clear/,
      '15 (store page fault)',
    ],
    [
      'a table without RAM',
      { '0x40000000': 0x1_0000_0001n },
      0n,
      'read',
      'access fault (on the walk), level 2',
      /no RAM at 0x400000000/,
      '5 (load access fault)',
    ],
    [
      'an address that is no sign extension',
      {},
      1n << 38n,
      'read',
      'page fault (no valid entry), level 1',
      /extend the sign/,
      '13 (load page fault)',
    ],
  ])('%s', (_, words, va, access, text, why, code) => {
    const result = hart(words).walk(va, { access });
    if (result.ok) throw new Error('it translates');
    expect(faultText(result.fault, 'riscv')).toBe(text);
    expect(faultReason(result.fault, result.steps, access, hart(words))).toMatch(why);
    const stval = `0x${va.toString(16).padStart(16, '0')}`;
    expect(faultCodes(result, { access }, 'riscv')).toBe(`scause ${code}, stval ${stval}`);
  });
});
