import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Stub, type StubOptions } from '../../src/gdb/stub.ts';
import { ImageError } from '../../src/image/index.ts';
import { type FakeMachine, FakeStub } from './fake-stub.ts';

const stubs: FakeStub[] = [];
afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.stop();
});

async function open(machine: FakeMachine, options: Partial<StubOptions> = {}) {
  const fake = await FakeStub.start(machine);
  stubs.push(fake);
  const address = { host: '127.0.0.1', port: fake.port, name: 'gdb://there' };
  const opened = await Stub.open(address, { cpuNumber: 0, physical: true, timeout: 3000, ...options }).catch(
    (error: unknown) => error,
  );
  if (opened instanceof Error) return { fake, error: opened };
  const [stub, facts] = opened as Awaited<ReturnType<typeof Stub.open>>;
  return { fake, stub, facts };
}

const QEMU: FakeMachine = {
  physicalMode: '0',
  memory: { 1073741824: '0011223344556677', 1342177280: 'ff'.repeat(0x500) },
  registers: { x0: '0x1', TTBR0_EL1: '0x123456789abcdef0', SCTLR: '0x30d00801' },
};

describe('a stub', () => {
  test('of QEMU is read by physical addresses, and put back to how it was', async () => {
    const { fake, stub, facts } = await open({ ...QEMU, running: 'qemu' });
    expect(fake.mode).toBe('1');
    expect(facts!.description.registers.map(({ name }) => name)).toEqual(['x0', 'TTBR0_EL1', 'SCTLR']);
    expect(await stub!.register(1)).toBe(0x1234_5678_9abc_def0n);
    expect(await stub!.register(7)).toBeUndefined();
    expect(await stub!.read(0x4000_0002n, 4)).toEqual(Uint8Array.of(0x22, 0x33, 0x44, 0x55));
    await stub!.close();
    expect(fake.mode).toBe('0');
    // It ran, and goes on. Nothing was ever written.
    expect(fake.asked.slice(-2)).toEqual(['D', 'end']);
    expect(fake.asked.filter((one) => /^[MXGPZcCsSkv]/.test(one))).toEqual([]);
  });

  test('that was stopped stays stopped', async () => {
    const { fake, stub } = await open(QEMU);
    await stub!.close();
    expect(fake.asked).not.toContain('D');
    expect(fake.asked).not.toContain('^C');
    expect(fake.mode).toBe('0');
  });

  test('in physical mode already is left in it', async () => {
    const { fake, stub } = await open({ ...QEMU, physicalMode: '1' });
    await stub!.close();
    expect(fake.mode).toBe('1');
    expect(fake.asked.filter((one) => one.startsWith('Qqemu'))).toEqual([]);
  });

  test('that says nothing while it runs is interrupted, and then goes on', async () => {
    const { fake, stub } = await open(
      { memory: QEMU.memory!, running: 'silent' },
      { physical: false, timeout: 300 },
    );
    expect(fake.asked).toContain('^C');
    expect(await stub!.read(0x4000_0000n, 2)).toEqual(Uint8Array.of(0, 0x11));
    await stub!.close();
    await expect.poll(() => fake.asked.slice(-2)).toEqual(['c', 'end']);
  });

  test('without physical mode is refused, unless addresses are its own', async () => {
    const { fake, error } = await open({ memory: QEMU.memory!, running: 'qemu' });
    expect(error).toBeInstanceOf(ImageError);
    expect((error as ImageError).message).toMatch(/^gdb:\/\/there: this stub has no physical-memory mode/);
    expect((error as ImageError).hint).toContain('--base');
    // It ran until we came.
    await expect.poll(() => fake.asked.slice(-2)).toEqual(['c', 'end']);
    expect((await open({ memory: QEMU.memory! }, { physical: false })).stub).toBeDefined();
  });

  test('reads in packets that it can take, up to a hole', async () => {
    const { fake, stub } = await open(QEMU);
    expect(await stub!.read(0x5000_0000n, 0x600)).toEqual(new Uint8Array(0x500).fill(0xff));
    // 512 bytes a packet: 254 bytes in hexadecimal.
    expect(fake.asked).toContain('m50000000,fe');
    expect(await stub!.read(0x6000_0000n, 8)).toEqual(new Uint8Array(0));
    await stub!.close();
  });

  test('says which CPUs there are', async () => {
    const { fake, facts } = await open({ ...QEMU, threads: 3 }, { cpuNumber: 2 });
    expect(facts!.cpus).toBe(3);
    expect(fake.asked).toContain('Hg03');
    const { error } = await open({ ...QEMU, threads: 3 }, { cpuNumber: 3 });
    expect(String(error)).toContain('there is no CPU 3');
    expect((error as ImageError).hint).toBe('the stub lists CPUs 0 to 2');
  });

  test('with a monitor says where memory is', async () => {
    const mtree = `FlatView #0
 AS "memory", root: system
  0000000040000000-000000004fffffff (prio 0, ram): ram`;
    const { facts } = await open({ ...QEMU, mtree });
    expect(facts!.map).toEqual([{ start: 0x4000_0000n, end: 0x5000_0000n }]);
    expect((await open(QEMU)).facts!.map).toBeUndefined();
  });

  test('whose answer arrives damaged is asked again', async () => {
    const { stub } = await open({ ...QEMU, damage: true });
    expect(await stub!.read(0x4000_0000n, 1)).toEqual(Uint8Array.of(0));
    await stub!.close();
  });

  test('that hangs up, at whatever point, is an error at once', async () => {
    for (let dropAfter = 0; dropAfter < 9; dropAfter++) {
      const { error } = await open({ ...QEMU, dropAfter });
      expect(String(error)).toBe('ImageError: gdb://there: the connection was closed by the other side');
    }
  });

  test('that hangs up later is an error of the read', async () => {
    const { stub } = await open({ ...QEMU, dropAfter: 12 });
    await expect(stub!.read(0x5000_0000n, 0x500)).rejects.toThrow('closed by the other side');
    await expect(stub!.register(0)).rejects.toThrow('closed by the other side');
    await expect(stub!.close()).rejects.toThrow('closed by the other side');
  });

  test('that does not answer is an error in time', async () => {
    const { error } = await open({ ...QEMU, mute: 'qqemu.PhyMemMode' }, { timeout: 300 });
    expect(String(error)).toContain('no answer to qqemu.PhyMemMode in 0.3 s');
    const silent = await open({ ...QEMU, mute: 'qSupported' }, { timeout: 300 });
    expect(String(silent.error)).toContain('no answer to qSupported in 0.3 s');
    expect((silent.error as ImageError).hint).toContain('another one may be connected');
  });

  test('whose program has ended has nothing to read', async () => {
    const { error } = await open({ ...QEMU, stop: 'W00' });
    expect(String(error)).toContain('the program has ended (W00)');
  });

  test('that does not listen, or that is no stub, is reported', async () => {
    const refused = await Stub.open(
      { host: '127.0.0.1', port: 9, name: 'gdb://there' },
      { cpuNumber: 0, physical: true, timeout: 500 },
    ).catch((error: unknown) => error);
    expect(String(refused)).toBe("ImageError: gdb://there: can't connect: ECONNREFUSED");
    const web = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const { port } = web.address() as { port: number };
    const other = await Stub.open(
      { host: '127.0.0.1', port, name: 'gdb://web' },
      { cpuNumber: 0, physical: true, timeout: 500 },
    ).catch((error: unknown) => error);
    expect(String(other)).toContain('closed by the other side');
    await new Promise((resolve) => web.close(resolve));
  });
});
