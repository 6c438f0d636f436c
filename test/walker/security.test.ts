/** Security states: whose accesses they are, which bits choose the output's address space, and what PAR_EL1 says of it. (DDI 0487 D8.4.6.) */
import { describe, expect, test } from 'vitest';
import { createWalker, parEl1, type WalkerOptions } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const read = { access: 'read' } as const;
const execute = { access: 'execute' } as const;

/** 4K, T0SZ 25: blocks of 1 GiB with {NSE, NS} = {0,0} {0,1} {1,0} {1,1}, then a table with NSTable and a block of 2 MiB. */
const memory = memoryWith({
  '0x40000000': 0x8000_0701n,
  '0x40000008': 0x8000_0721n,
  '0x40000010': 0x8000_0f01n,
  '0x40000018': 0x8000_0f21n,
  '0x40000020': 0x8000_0000_4000_1003n,
  '0x40001000': 0x8000_0701n,
  '0x40001008': 0x8000_0f21n,
});
const EL1 = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n, mair: 0xffn };
const EL3 = { ...EL1, tcr: 0x5_0019n };
const GIB = 0x4000_0000n;
const BLOCKS = [0n, GIB, 2n * GIB, 3n * GIB];

type Options = Partial<WalkerOptions>;
const walker = (options: Options) =>
  createWalker(memory, {
    regime: 'el1&0',
    registers: options.regime === 'el3' || options.regime === 'el2' ? EL3 : EL1,
    ...options,
  });

/** Of each block: space, PAR.NSE, PAR.NS. */
const spaces = (options: Options) =>
  BLOCKS.map((ia) => {
    const result = walker(options).walk(ia, read);
    if (!result.ok) return result.fault.kind;
    const par = parEl1(result);
    return `${result.paSpace} ${(par >> 11n) & 1n}${(par >> 9n) & 1n}`;
  });

test.each<[string, Options, string[]]>([
  ['Non-secure EL1&0: no choice', {}, Array(4).fill('non-secure 11')],
  [
    'Secure EL1&0: NS, and bit 11 is nG',
    { security: 'secure' },
    ['secure 10', 'non-secure 11', 'secure 10', 'non-secure 11'],
  ],
  [
    'EL3 is Secure, if nobody says more',
    { regime: 'el3' },
    ['secure 10', 'non-secure 11', 'secure 10', 'non-secure 11'],
  ],
  [
    'EL3 in Root state: NSE and NS, as PAR_EL1 has them',
    { regime: 'el3', security: 'root' },
    ['secure 00', 'non-secure 01', 'root 10', 'realm 11'],
  ],
  [
    'EL3 with FEAT_RME is Root, if nobody says more, and without FEAT_SEL2 knows no Secure memory',
    { regime: 'el3', cpu: { rme: true } },
    ['non-secure 01', 'non-secure 01', 'root 10', 'realm 11'],
  ],
  [
    'EL3 with FEAT_RME and FEAT_SEL2',
    { regime: 'el3', cpu: { rme: true, sel2: true } },
    ['secure 00', 'non-secure 01', 'root 10', 'realm 11'],
  ],
  ['EL1&0 of Realm state: no choice', { security: 'realm' }, Array(4).fill('realm 10')],
  [
    'EL2 in Realm state: NS',
    { regime: 'el2', security: 'realm' },
    ['realm 10', 'non-secure 11', 'realm 10', 'non-secure 11'],
  ],
  ['SCR_EL3.{NSE, NS} = {0, 0}', { scr: 0n }, ['secure 10', 'non-secure 11', 'secure 10', 'non-secure 11']],
  ['SCR_EL3.{NSE, NS} = {0, 1}', { scr: 1n }, Array(4).fill('non-secure 11')],
  [
    'SCR_EL3.{NSE, NS} = {1, 1}: Realm',
    { regime: 'el2', scr: (1n << 62n) | 1n },
    ['realm 10', 'non-secure 11', 'realm 10', 'non-secure 11'],
  ],
  [
    'of EL3 NSE shows that there is Root state',
    { regime: 'el3', scr: (1n << 62n) | 1n },
    ['secure 00', 'non-secure 01', 'root 10', 'realm 11'],
  ],
])('%s', (_, options, wanted) => {
  expect(spaces(options)).toEqual(wanted);
});

test('every answer says whose it is, a fault too', () => {
  expect(walker({}).walk(0n, read).security).toBe('non-secure');
  expect(walker({ security: 'secure' }).walk(5n * GIB, read)).toMatchObject({
    ok: false,
    security: 'secure',
  });
  expect(walker({ regime: 'el3' }).security).toBe('secure');
});

describe('NSTable', () => {
  const below = 4n * GIB;

  test('Secure: the output is Non-secure, and the entry never global (R_JYHZR)', () => {
    for (const ia of [below, below + 0x20_0000n]) {
      expect(walker({ security: 'secure' }).walk(ia, read)).toMatchObject({
        paSpace: 'non-secure',
        global: false,
      });
    }
    expect(walker({ security: 'secure' }).walk(0n, read)).toMatchObject({ paSpace: 'secure', global: true });
  });

  test('Secure EL3 has no ASIDs: NSTable chooses the space, and entries are global', () => {
    expect(walker({ regime: 'el3' }).walk(below, read)).toMatchObject({
      paSpace: 'non-secure',
      global: true,
    });
  });

  test.each<[string, Options, string]>([
    ['Non-secure', {}, 'non-secure'],
    ['Root', { regime: 'el3', security: 'root' }, 'secure'],
    ['Realm', { regime: 'el2', security: 'realm' }, 'realm'],
  ])('%s state has none', (_, options, paSpace) => {
    expect(walker(options).walk(below, read)).toMatchObject({ paSpace, global: true });
  });
});

describe('execution outside the own space', () => {
  const executes = (options: Options) =>
    BLOCKS.map(
      (ia) =>
        walker(options).walk(ia, execute).ok === true && walker(options).translate(ia, execute) !== undefined,
    );

  test.each<[string, Options, boolean[]]>([
    ['Secure', { security: 'secure' }, [true, true, true, true]],
    ['Secure with SCR_EL3.SIF', { scr: 1n << 9n }, [true, false, true, false]],
    ['EL3 with SCR_EL3.SIF', { regime: 'el3', scr: 1n << 9n }, [true, false, true, false]],
    ['Root', { regime: 'el3', security: 'root' }, [false, false, true, false]],
    ['EL2 in Realm state', { regime: 'el2', security: 'realm' }, [true, false, true, false]],
  ])('%s', (_, options, wanted) => {
    expect(executes(options)).toEqual(wanted);
  });

  test('what may not be executed is not said to be executable', () => {
    const options = { scr: 1n << 9n };
    expect(walker(options).walk(GIB, read)).toMatchObject({
      permissions: { privileged: { read: true, execute: false }, unprivileged: { execute: false } },
    });
  });
});

test('stage 1 off: the space is the own', () => {
  const off = { ...EL1, sctlr: 0n };
  expect(walker({ registers: off, security: 'secure' }).walk(GIB, read)).toMatchObject({ paSpace: 'secure' });
});

test.each<[string, Options, RegExp]>([
  [
    'EL3 in Non-secure state',
    { regime: 'el3', security: 'non-secure' },
    /EL3 is Secure, or Root with FEAT_RME/,
  ],
  ['EL3 in Realm state', { regime: 'el3', security: 'realm' }, /EL3 is Secure/],
  ['Root state of EL1', { security: 'root' }, /only EL3 is in Root state/],
  ['AArch32 in Realm state', { regime: 'pl1&0', security: 'realm' }, /AArch32 has no Realm state of its own/],
  [
    "stage 2 of AArch32's in Secure state",
    { regime: 'pl1&0-nested', security: 'secure' },
    /Secure state has no stage 2 of AArch32: its EL2 is AArch64/,
  ],
  ['EL2 in Secure state without one', { regime: 'el2', scr: 0n }, /EEL2 = 0, there is no Secure EL2/],
  ['Hyp mode', { regime: 'pl2', security: 'secure' }, /AArch32 has no Secure state in Hyp mode/],
  ['RISC-V', { regime: 'riscv', security: 'secure' }, /not modelled for riscv/],
  ['a reserved SCR_EL3', { scr: 1n << 62n }, /\{NSE, NS\} = \{1, 0\} is reserved/],
  [
    'SCR_EL3 and a state that disagree',
    { scr: 1n, security: 'secure' },
    /SCR_EL3 0x1 is Non-secure state of el1&0, not Secure/,
  ],
  [
    'two options that disagree',
    { secure: true, security: 'realm' },
    /secure: true and security: 'realm' disagree/,
  ],
  [
    'a word',
    { security: 'sekure' as 'secure' },
    /unknown security state 'sekure'; known are non-secure, secure, realm, root/,
  ],
  ['no register value', { scr: -1n }, /scr must be a bigint of at most 64 bits/],
])('%s is refused', (_, options, message) => {
  expect(() => walker(options)).toThrow(message);
});
