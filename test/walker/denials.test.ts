import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Access, createWalker, type Denial, type Regime } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

/** Everything that may deny an access of long descriptors: two table descriptors, a leaf, registers, PSTATE. */
interface State {
  readonly tables: readonly [level1: bigint, level2: bigint];
  readonly leaf: bigint;
  readonly tcr: bigint;
  readonly sctlr: bigint;
  readonly pan: boolean;
}

const TABLE_BITS = 0xfn << 59n;
const AP_TABLE = 0x3n << 61n;
const XN_TABLE = 1n << 60n;
const PXN_TABLE = 1n << 59n;
const UXN = 1n << 54n;
const PXN = 1n << 53n;
const DBM = 1n << 51n;
const AP1 = 1n << 6n;
const AP2 = 1n << 7n;
const WXN = 1n << 19n;
const UWXN = 1n << 20n;
const EPAN = 1n << 57n;
const M = 1n;
/** Of TCR_EL1, and of TCR_EL2 with one range. */
const HA = (1n << 39n) | (1n << 21n);
const HD = (1n << 40n) | (1n << 22n);

const VA = 0x1000n;
/** 39 bits, 4K pages, 40 bits of output: levels 1 to 3 at 0x4000_0000, 0x4000_1000, 0x4000_2000. */
const TCR = 0x2_0080_3519n;
const BASE: State = {
  tables: [0x4000_1003n, 0x4000_2003n],
  leaf: 0x4010_0703n,
  tcr: TCR,
  sctlr: M,
  pan: false,
};

/** A walk of stage 1 alone. EAE of TTBCR is bit 31, T0SZ 0: AArch32 has the same three levels. */
function walk(regime: Regime, state: State, access: Access) {
  const memory = memoryWith({
    '0x40000000': state.tables[0],
    '0x40001000': state.tables[1],
    '0x40002008': state.leaf,
  });
  const tcr = regime.startsWith('pl') ? (regime === 'pl2' ? 0n : 0x8000_0000n) : state.tcr;
  const registers = { ttbr0: 0x4000_0000n, tcr, mair: 0xffn, sctlr: state.sctlr };
  return createWalker(memory, { regime, registers }).walk(VA, { ...access, pan: state.pan, update: false });
}

/** The state without what the reason names. */
function without(state: State, { by, level, dirtyOff }: Denial): State {
  const [level1, level2] = state.tables;
  const inTable = (bits: bigint): State => ({
    ...state,
    tables: level === 1 ? [level1 & ~bits, level2] : [level1, level2 & ~bits],
  });
  switch (by) {
    case 'AP':
      return { ...state, leaf: (state.leaf | AP1) & ~AP2 };
    case 'DBM':
      return { ...state, tcr: state.tcr | (dirtyOff === 'HA' ? HA : HA | HD) };
    case 'APTable':
      return inTable(AP_TABLE);
    case 'XNTable':
    case 'UXNTable':
      return inTable(XN_TABLE);
    case 'PXNTable':
      return inTable(PXN_TABLE);
    case 'XN':
    case 'UXN':
      return { ...state, leaf: state.leaf & ~UXN };
    case 'PXN':
      return { ...state, leaf: state.leaf & ~PXN };
    case 'WXN':
      return { ...state, sctlr: state.sctlr & ~WXN };
    case 'UWXN':
      return { ...state, sctlr: state.sctlr & ~UWXN };
    case 'EL0-writable':
      return { ...state, leaf: state.leaf & ~AP1 };
    case 'PAN':
    case 'EPAN':
      return { ...state, pan: false };
    default:
      throw new Error(`not of stage 1: ${by}`);
  }
}

/** Without what the reasons name, and then without the reasons that this brings up, which are others. */
function passesWithout(
  regime: Regime,
  state: State,
  access: Access,
  denied: readonly Denial[],
  before: readonly string[] = [],
): boolean {
  const names = denied.map(({ by, level }) => `${by}@${level}`);
  if (denied.length === 0 || names.some((name) => before.includes(name))) return false;
  const rest = denied.reduce(without, state);
  const next = walk(regime, rest, access);
  return next.ok || passesWithout(regime, rest, access, next.fault.denied ?? [], [...before, ...names]);
}

const bitsOf = (...bits: readonly bigint[]) =>
  fc.subarray([...bits]).map((chosen) => chosen.reduce((sum, bit) => sum | bit, 0n));
const states: fc.Arbitrary<State> = fc.record({
  tables: fc.tuple(
    bitsOf(1n << 59n, 1n << 60n, 1n << 61n, 1n << 62n).map((bits) => BASE.tables[0] | (bits & TABLE_BITS)),
    bitsOf(1n << 59n, 1n << 60n, 1n << 61n, 1n << 62n).map((bits) => BASE.tables[1] | (bits & TABLE_BITS)),
  ),
  leaf: bitsOf(UXN, PXN, DBM, AP1, AP2).map((bits) => BASE.leaf | bits),
  tcr: bitsOf(HA, HD).map((bits) => TCR | bits),
  sctlr: bitsOf(WXN, UWXN, EPAN).map((bits) => M | bits),
  pan: fc.boolean(),
});
const accesses: fc.Arbitrary<Access> = fc.record({
  access: fc.constantFrom('read', 'write', 'execute'),
  privileged: fc.boolean(),
});

describe('why a permission fault', () => {
  for (const regime of ['el1&0', 'el2', 'el2&0', 'pl1&0', 'pl2'] as const) {
    it(`is all that denies it, in ${regime}: each reason goes with what it names, and without all of them the access passes`, () => {
      fc.assert(
        fc.property(states, accesses, (state, access) => {
          const result = walk(regime, state, access);
          if (result.ok) return;
          expect(result.fault.kind).toBe('permission');
          const denied = result.fault.denied ?? [];
          expect(denied.length).toBeGreaterThan(0);
          for (const denial of denied) {
            const other = walk(regime, without(state, denial), access);
            const same = ({ by, level }: Denial) => by === denial.by && level === denial.level;
            expect(other.ok ? [] : (other.fault.denied ?? []).filter(same)).toEqual([]);
          }
          // What becomes writable, or EL0's, may be denied for that: other reasons, and soon none.
          expect(passesWithout(regime, state, access, denied)).toBe(true);
        }),
        { numRuns: 300 },
      );
    });
  }

  const denied = (state: Partial<State>, access: Access, regime: Regime = 'el1&0') => {
    const result = walk(regime, { ...BASE, ...state }, access);
    return result.ok ? [] : result.fault.denied;
  };
  const execute = { access: 'execute' } as const;

  it('names PXNTable and APTable with the level of the table descriptor', () => {
    const tables = [BASE.tables[0] | PXN_TABLE, BASE.tables[1] | (1n << 62n)] as const;
    expect(denied({ tables }, execute)).toEqual([{ by: 'PXNTable', stage: 1, level: 1 }]);
    expect(denied({ tables }, { access: 'write' })).toEqual([
      { by: 'APTable', stage: 1, level: 2, value: 2 },
    ]);
  });

  it("names a guest hypervisor's PXN and PXNTable where UXN and UXNTable stand", () => {
    const memory = memoryWith({
      '0x40000000': BASE.tables[0] | XN_TABLE | PXN_TABLE,
      '0x40001000': BASE.tables[1],
      '0x40002008': BASE.leaf | UXN | PXN,
    });
    const registers = { ttbr0: 0x4000_0000n, tcr: TCR, sctlr: M, hcr: 3n << 42n };
    expect(createWalker(memory, { regime: 'el1&0', registers }).walk(VA, execute)).toMatchObject({
      fault: {
        denied: [
          { by: 'PXN', stage: 1, level: 3 },
          { by: 'PXNTable', stage: 1, level: 1 },
        ],
      },
    });
  });

  it('names WXN, and that what EL0 may write EL1 never executes', () => {
    expect(denied({ sctlr: M | WXN }, execute)).toEqual([{ by: 'WXN', stage: 1 }]);
    expect(denied({ leaf: BASE.leaf | AP1 }, execute)).toEqual([{ by: 'EL0-writable', stage: 1 }]);
    expect(denied({ sctlr: M | WXN }, execute, 'el2')).toEqual([{ by: 'WXN', stage: 1 }]);
  });

  it('names PAN, and EPAN where EL0 may only execute', () => {
    expect(denied({ leaf: BASE.leaf | AP1, pan: true }, { access: 'read' })).toEqual([
      { by: 'PAN', stage: 1 },
    ]);
    expect(denied({ sctlr: M | EPAN, pan: true }, { access: 'read' })).toEqual([{ by: 'EPAN', stage: 1 }]);
  });

  it('names dirty state that hardware does not manage, and why', () => {
    const leaf = BASE.leaf | AP2 | DBM;
    const write = { access: 'write' } as const;
    const clean = { by: 'DBM', stage: 1, level: 3, value: 2 } as const;
    expect(denied({ leaf }, write)).toEqual([{ ...clean, dirtyOff: 'HD' }]);
    expect(denied({ leaf, tcr: TCR | HD }, write)).toEqual([{ ...clean, dirtyOff: 'HA' }]);
    expect(denied({ leaf, tcr: TCR | HD | HA }, write)).toEqual([]);
    // AArch32 has no DBM.
    expect(denied({ leaf }, write, 'pl2')).toEqual([{ by: 'AP', stage: 1, level: 3, value: 2 }]);
  });

  it('names E0PD0 and E0PD1, of a translation fault', () => {
    const memory = memoryWith({});
    const registers = { ttbr0: 0x4000_0000n, tcr: TCR | (25n << 16n) | (3n << 55n), sctlr: M };
    const walker = createWalker(memory, { regime: 'el1&0', registers });
    for (const [ia, value] of [
      [VA, 0],
      [0xffff_ffff_ffff_f000n, 1],
    ] as const) {
      expect(walker.walk(ia, { access: 'read', privileged: false })).toMatchObject({
        fault: { kind: 'translation', level: 0, denied: [{ by: 'E0PD', stage: 1, value }] },
      });
      expect(walker.walk(ia, { access: 'read' })).not.toMatchObject({ fault: { denied: expect.anything() } });
    }
  });
});

describe('why a permission fault of stage 2', () => {
  /** Stage 2 alone, 39 bits from level 1, as one block of 1 GiB. */
  const stage2 = (block: bigint, more: Readonly<Record<string, bigint>> = {}) => {
    const memory = memoryWith({ '0x40000008': block });
    const registers = { vtcr: 0x8002_3559n, vttbr: 0x4000_0000n, ...more };
    return (access: Access) => {
      const result = createWalker(memory, { regime: 'el1&0-s2', registers }).walk(0x4000_0000n, {
        ...access,
        update: false,
      });
      return result.ok ? [] : result.fault.denied;
    };
  };

  it('is S2AP, XN[1:0], or DBM where hardware does not manage dirty state', () => {
    const write = { access: 'write' } as const;
    expect(stage2(0x4000_077dn)(write)).toEqual([{ by: 'S2AP', stage: 2, level: 1, value: 1 }]);
    expect(stage2(0x4000_07bdn)({ access: 'read' })).toEqual([{ by: 'S2AP', stage: 2, level: 1, value: 2 }]);
    expect(stage2(0x4000_077dn | DBM)(write)).toEqual([
      { by: 'DBM', stage: 2, level: 1, value: 1, dirtyOff: 'HD' },
    ]);
    const execute = { access: 'execute' } as const;
    expect(stage2(0x4000_07fdn | (1n << 53n))(execute)).toEqual([{ by: 'XN', stage: 2, level: 1, value: 1 }]);
    expect(stage2(0x4000_07fdn | (1n << 53n))({ ...execute, privileged: false })).toEqual([]);
  });

  it('is S2AP in AArch32 too, where a fetch needs the right to read', () => {
    // VTCR: T0SZ 0, SL0 1. The block may be written and executed, and not be read.
    const memory = memoryWith({ '0x40000008': 0x4000_07bdn });
    const registers = { vtcr: 0x8000_0040n, vttbr: 0x4000_0000n };
    const walker = createWalker(memory, { regime: 'pl1&0-s2', registers });
    expect(walker.walk(0x4000_0000n, { access: 'execute' })).toMatchObject({
      fault: { kind: 'permission', denied: [{ by: 'S2AP', stage: 2, level: 1, value: 2 }] },
    });
  });

  it("is the permission for the walk's own read, or HCR.PTW on Device memory", () => {
    /** Stage 1 at IPA 0x4000_0000, where stage 2 has a block of `block`'s kind. */
    const nested = (block: bigint, hcr: bigint) => {
      const memory = memoryWith({ '0x50000008': block, '0x40000000': 0x4000_0705n });
      const registers = {
        ttbr0: 0x4000_0000n,
        tcr: TCR,
        mair: 0xffn,
        sctlr: M,
        vtcr: 0x8002_3559n,
        vttbr: 0x5000_0000n,
        hcr,
      };
      return createWalker(memory, { regime: 'el1&0-nested', registers }).walk(0n, { access: 'write' });
    };
    expect(nested(0x4000_07bdn, 1n)).toMatchObject({
      fault: { ptw: true, s1Level: 1, denied: [{ by: 'S2AP', stage: 2, level: 1, value: 2 }] },
    });
    expect(nested(0x4000_07c1n, 5n)).toMatchObject({
      fault: { ptw: true, denied: [{ by: 'PTW', stage: 2 }] },
    });
    expect(nested(0x4000_07c1n, 1n).ok).toBe(true);
  });
});

describe('why a permission fault of short descriptors', () => {
  /** A section of domain 0 that is a client's. */
  const section = (bits: bigint, sctlr: bigint, access: Access) => {
    const memory = memoryWith({ '0x40000000': 0x4000_0002n | bits });
    const registers = { ttbr0: 0x4000_0000n, dacr: 1n, sctlr };
    const result = createWalker(memory, { regime: 'pl1&0-short', registers }).walk(0n, access);
    return result.ok ? [] : result.fault.denied;
  };

  it('is AP[2:0], XN, PXN, WXN or UWXN', () => {
    const execute = { access: 'execute' } as const;
    expect(section(0x400n, M, { access: 'read', privileged: false })).toEqual([
      { by: 'AP[2:0]', stage: 1, level: 1, value: 1 },
    ]);
    expect(section(0x411n, M, execute)).toEqual([
      { by: 'XN', stage: 1, level: 1 },
      { by: 'PXN', stage: 1, level: 1 },
    ]);
    expect(section(0xc00n, M | WXN | UWXN, execute)).toEqual([
      { by: 'WXN', stage: 1 },
      { by: 'UWXN', stage: 1 },
    ]);
    expect(section(0x0n, M, execute)).toEqual([{ by: 'AP[2:0]', stage: 1, level: 1, value: 0 }]);
  });
});

describe('nothing is named that does not deny', () => {
  const causes = (state: Partial<State>, access: Access, regime: Regime = 'el1&0') => {
    const result = walk(regime, { ...BASE, ...state }, access);
    return result.ok ? 'allowed' : result.fault.denied?.map(({ by, level }) => [by, level]);
  };
  const READ_ONLY = BASE.leaf | AP2;

  it('EPAN, where EL0 may not execute', () => {
    const state = { pan: true, sctlr: M | EPAN };
    expect(causes({ ...state, leaf: READ_ONLY | UXN }, { access: 'write' })).toEqual([['AP', 3]]);
    expect(causes({ ...state, leaf: READ_ONLY }, { access: 'write' })).toEqual([
      ['AP', 3],
      ['EPAN', undefined],
    ]);
    // PAN denies what EL0 may read, whatever EPAN says.
    expect(causes({ ...state, leaf: BASE.leaf | AP1 }, { access: 'read' })).toEqual([['PAN', undefined]]);
  });

  it('PXN and UWXN, where EL0 fetches', () => {
    const fetch = { access: 'execute', privileged: false } as const;
    const state = { leaf: BASE.leaf | AP1 | UXN | PXN, sctlr: M | UWXN };
    expect(causes(state, fetch, 'pl1&0')).toEqual([['XN', 3]]);
    expect(causes(state, { access: 'execute' }, 'pl1&0')).toEqual([
      ['XN', 3],
      ['PXN', 3],
      ['UWXN', undefined],
    ]);
  });

  it('DBM, where it is 0', () => {
    expect(causes({ leaf: READ_ONLY | UXN }, { access: 'write' })).toEqual([['AP', 3]]);
    expect(causes({ leaf: READ_ONLY | UXN | DBM }, { access: 'write' })).toEqual([['DBM', 3]]);
  });
});

it('bits of a table of level -1 are of that level', () => {
  // DS = 1, T0SZ 12: 52 bits from level -1 on, 4K.
  const tcr = 0x800_0006_0080_350cn;
  const memory = memoryWith({
    '0x40000000': 0x4000_1003n | (2n << 61n),
    '0x40001000': 0x4000_2003n,
    '0x40002000': 0x4000_3003n,
    '0x40003000': 0x4000_4003n,
    '0x40004008': BASE.leaf,
  });
  const registers = { ttbr0: 0x4000_0000n, tcr, mair: 0xffn, sctlr: M };
  const result = createWalker(memory, { regime: 'el1&0', registers }).walk(VA, { access: 'write' });
  expect(result).toMatchObject({ ok: false, fault: { denied: [{ by: 'APTable', level: -1, value: 2 }] } });
});
