/** `gdb://` on the command line, against a stub that says what a test wants. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lpae, tempFile } from '../cli/run.ts';
import { startApart } from './fake-stub.ts';

const words = (...list: bigint[]) => Buffer.from(BigUint64Array.from(list).buffer).toString('hex');
/** 4K granule, 32 bits of input: one table at level 1 of four entries. */
const REGISTERS = { ttbr0: '0x4000_0000', tcr: '0x8080_3520', mair: '0xff' };
const OPTIONS = Object.entries(REGISTERS).flatMap(([name, value]) => [`--${name}`, value]);
/** A block at 0, a table that is in no memory. */
const TABLE = words(0x8000_0701n, 0x7000_0003n, 0n, 0n).padEnd(0x200, '0');

const MTREE = `FlatView #0
 AS "memory", root: system
 AS "cpu-memory-0", root: system
  0000000040000000-00000000400fffff (prio 0, ram): ram
  0000000070000000-0000000070000fff (prio 0, i/o): device`;

/** A machine, and a program whose buffer holds the same. */
const MACHINE = {
  running: 'qemu',
  physicalMode: '0',
  mtree: MTREE,
  threads: 2,
  memory: { 1073741824: TABLE },
  registers: { TTBR0_EL1: '0x40000000', TCR_EL1: '0x80803520', MAIR_EL1: '0xff', SCTLR: '0x1', x0: '0x5' },
} as const;
const PROGRAM = {
  memory: { 140733193388032: TABLE },
  architecture: 'i386:x86-64',
  registers: { rip: '0x1' },
};

const started: { stop: () => Promise<unknown> }[] = [];
async function start(machine: Parameters<typeof startApart>[0]): Promise<string> {
  const stub = await startApart(machine);
  started.push(stub);
  return `gdb://127.0.0.1:${stub.port}`;
}
let machine: string;
let program: string;
beforeAll(async () => {
  [machine, program] = await Promise.all([start(MACHINE), start(PROGRAM)]);
});
afterAll(async () => {
  await Promise.all(started.map((stub) => stub.stop()));
});

describe('a machine behind a gdb stub', () => {
  test('is walked by its own registers', async () => {
    const { code, out, err } = await lpae(['walk', machine, '0x1234']);
    expect(code).toBe(0);
    expect(out).toContain('0x80001234');
    expect(err).toContain('registers are those of CPU 0, of 2: --cpu-number says another');
    expect(err).not.toContain('does not say where there is memory');
  });

  test('has no memory where it has devices: an external abort', async () => {
    const { code, out } = await lpae(['walk', machine, '0x4000_0000']);
    expect(code).toBe(1);
    expect(out).toContain('external abort');
  });

  test('goes by options where they are given', async () => {
    const { code, out } = await lpae(['walk', machine, '0x1234', '--ttbr0', '0x4000_0020']);
    expect([code, out.includes('translation fault')]).toEqual([1, true]);
    const file = tempFile('r.json', JSON.stringify({ ...REGISTERS, ttbr0: '0x40000020' }));
    const other = await lpae(['walk', machine, '0x1234', '--registers', file]);
    expect([other.code, other.out.includes('translation fault')]).toEqual([1, true]);
  });

  test('is one side of a diff, or both', async () => {
    expect((await lpae(['diff', machine, machine])).code).toBe(0);
  });

  test('of AArch32 has registers of two banks, of which one is meant', async () => {
    const banks = { TTBR0: '0x40000020', TTBR0_S: '0x40000000', TTBR0_EL1: '0x20', TTBCR: '0x80000000' };
    const registers = { ...banks, TTBCR_S: '0x80000000', MAIR0: '0xff', SCTLR: '0x1', SCR: '0x0' };
    const arm = { ...MACHINE, threads: 1, architecture: 'arm' };
    const secure = await start({ ...arm, registers });
    const { code, out, err } = await lpae(['walk', secure, '0x1234']);
    expect([code, out.includes('0x80001234')]).toEqual([0, true]);
    expect(err).toContain('banked registers are those of Secure state, SCR.NS says so');
    const other = await start({ ...arm, registers: { ...registers, SCR: '0x1' } });
    const nonSecure = await lpae(['walk', other, '0x1234']);
    expect([nonSecure.code, nonSecure.err.includes('those of Non-secure state')]).toEqual([1, true]);
  });

  test('stands by itself', async () => {
    const { code, err } = await lpae(['dump', machine, 'fixtures/linux/x.json@0']);
    expect([code, err.includes("is a running machine, and can't be combined with other files")]).toEqual([
      3,
      false,
    ]);
    const both = await lpae(['dump', machine, program]);
    expect([
      both.code,
      both.err.includes("is a running machine, and can't be combined with other files"),
    ]).toEqual([2, true]);
  });
});

describe('a program behind gdbserver', () => {
  const BUFFER = ['--base', '0x7fff_0000_0000=0x4000_0000'];

  test('is read at the buffer that stands for a PA', async () => {
    const { code, out } = await lpae(['walk', program, '0x1234', ...OPTIONS, ...BUFFER]);
    expect([code, out.includes('0x80001234')]).toEqual([0, true]);
    const hole = await lpae(['walk', program, '0x4000_0000', ...OPTIONS, ...BUFFER]);
    expect([hole.code, hole.out.includes('external abort')]).toEqual([1, true]);
  });

  test('may have tables whose addresses are its own', async () => {
    // With an output of 48 bits.
    const own = ['--ttbr0', '0x7fff_0000_0000', '--tcr', '0x5_8080_3520', '--mair', '0xff', '--base', '0'];
    const { code, out } = await lpae(['walk', program, '0x1234', ...own]);
    expect([code, out.includes('0x80001234')]).toEqual([0, true]);
  });

  test('is refused without a buffer, and without registers', async () => {
    const { code, err } = await lpae(['walk', program, '0x1234', ...OPTIONS]);
    expect(code).toBe(3);
    expect(err).toContain('this stub has no physical-memory mode');
    expect(err).toContain('--base 0xHOST=0xPA');
    const none = await lpae(['walk', program, '0x1234', ...BUFFER]);
    expect(none.code).toBe(2);
  });
});

describe('gdb://', () => {
  test('that drops out while it is read is told', async () => {
    const dropping = await start({ ...MACHINE, dropAt: 'm' });
    const { code, err, out } = await lpae(['walk', dropping, '0x1234']);
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toContain(`${dropping}: the connection was closed by the other side`);
  });

  test('where nobody listens is told', async () => {
    const { code, err } = await lpae(['dump', 'gdb://localhost:9']);
    expect(code).toBe(3);
    expect(err).toContain("gdb://localhost:9: can't connect");
    expect(err).toContain('-s listens at port 1234');
  });

  test.each(['gdb://', 'gdb://localhost', 'gdb://localhost:0', 'gdb://localhost:70000', 'gdb://a:b:1'])(
    '%s names no stub',
    async (text) => {
      const { code, err } = await lpae(['dump', text]);
      expect([code, err.includes('gdb://localhost:1234 is one')]).toEqual([2, true]);
    },
  );

  test('options are for nothing else', async () => {
    for (const option of [
      ['--smmu', '0'],
      ['--base', '0'],
      ['--cpu-number', '1'],
    ]) {
      const { code, err } = await lpae(['dump', 'fixtures/real/uboot-arm64-el2.json', ...option]);
      expect([code, err.includes(`${option[0]} is for a running machine: gdb://HOST:PORT`)]).toEqual([
        2,
        true,
      ]);
    }
    for (const options of [
      ['--base', '1=2=3'],
      ['--base', 'x'],
      ['--cpu-number', '-1'],
      ['--smmu', 'x'],
      ['--smmu', '0', '--base', '0'],
    ])
      expect((await lpae(['dump', machine, ...options])).code).toBe(2);
  });
});
