/** A machine that runs, read through QEMU's gdbstub, says what its memory says when it is saved at the same moment. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lpae, lpaeJson } from '../cli/run.ts';
import { findQemu } from '../conformance/qemu/emulator.ts';
import { findUBoot, LiveMachine } from './live-machine.ts';

const qemu = findQemu();

const BOARDS = [
  {
    board: 'qemu_arm64',
    cpu: ['-machine', 'virt,virtualization=on', '-cpu', 'cortex-a72', '-smp', '2'],
    regime: 'el2',
    // Where U-Boot has its console, and RAM.
    device: '0x900_0000',
  },
  {
    board: 'qemu_arm',
    cpu: ['-machine', 'virt', '-cpu', 'cortex-a15'],
    regime: 'pl1&0',
    device: '0x900_0000',
  },
] as const;

describe.each(BOARDS)('U-Boot ($board), while it runs', ({ board, cpu, regime, device }) => {
  const uboot = findUBoot(board);
  const there = qemu !== undefined && uboot !== undefined;
  const it = test.runIf(there);
  let machine: LiveMachine;

  beforeAll(async () => {
    if (!there) return;
    machine = await LiveMachine.start(qemu.path, [...cpu, '-m', '128M', '-bios', uboot]);
    await machine.booted();
  }, 150_000);
  afterAll(async () => {
    if (there) await machine.dispose();
  });

  it('is walked by its own registers, and goes on', async () => {
    expect(await machine.status()).toBe('running');
    const { code, out, err } = await lpae(['walk', machine.gdb, '0x4000_0000', device]);
    expect({
      code,
      err: err.replace(/^.*(registers are|regime|does not read|left out|ignored).*\n/gm, ''),
    }).toEqual({
      code: 0,
      err: '',
    });
    expect(out).toContain(regime);
    expect(await machine.status()).toBe('running');
  });

  it('is dumped as its memory is, in every way, and stays stopped where it was', async () => {
    await machine.monitor('stop');
    const ram = join(machine.folder, 'ram');
    await machine.monitor(`pmemsave 0x40000000 0x8000000 "${ram}"`);
    const { json } = await lpaeJson(['capture', machine.gdb, '0x4000_0000']);
    const registers = join(machine.folder, 'registers.json');
    writeFileSync(registers, JSON.stringify({ regime: json.regime, registers: json.registers }));
    const image = [`${ram}@0x4000_0000`, '--registers', registers];
    for (const more of [['dump'], ['dump', '--tree', '--full'], ['lint']] as const) {
      const [command, ...options] = more;
      const [live, saved] = [
        await lpae([command, machine.gdb, ...options]),
        await lpae([command, ...image, ...options]),
      ];
      expect(live.out).toBe(saved.out);
      expect(live.code).toBe(saved.code);
      expect(live.out.length).toBeGreaterThan(100);
    }
    const diff = await lpae(['diff', machine.gdb, image[0]!, '--registers', registers]);
    expect(diff.out).toContain('the same');
    expect(await machine.status()).toBe('paused');
    await machine.monitor('cont');
  });

  it('is verified: what it was believed to map holds, and a wrong line is found', async () => {
    const { out: want } = await lpae(['verify', '--write', '-', machine.gdb]);
    expect((await lpae(['verify', '-', machine.gdb], { stdin: want })).code).toBe(0);
    const wrong = want.replace(/-> (0x[0-9a-f]+)/, '-> identity+0x1000_0000');
    expect(wrong).not.toBe(want);
    const { code, out } = await lpae(['verify', '-', machine.gdb], { stdin: wrong });
    expect([code, out]).toEqual([1, expect.stringContaining('no: 1 of ')]);
    expect(await machine.status()).toBe('running');
  });

  it('tells of a fault, and makes a capture that holds', async () => {
    const file = join(machine.folder, 'capture.json');
    const { code } = await lpae(['capture', machine.gdb, '0x4000_0000', device, '-o', file, '--force']);
    expect(code).toBe(0);
    expect((await lpae(['check', file])).code).toBe(0);
    // Two faults of one text ask the machine twice.
    const fault = await lpae([
      ...['fault', 'esr=0x96000044 far=0x40000000', '\n', 'esr=0x96000045 far=0x40001000'],
      ...['--tables', machine.gdb],
    ]);
    expect(fault.out).toContain('0x40001000');
    expect(fault.code).toBe(1);
    expect(await machine.status()).toBe('running');
  });

  it('has other CPUs where it has several, and says how many there are', async () => {
    const several = cpu.includes('-smp' as never);
    const { code, err } = await lpae([
      'walk',
      machine.gdb,
      '0x4000_0000',
      '--cpu-number',
      several ? '2' : '1',
    ]);
    expect(code).toBe(3);
    expect(err).toContain(several ? 'CPUs 0 to 1' : 'CPU 0 alone');
    expect(await machine.status()).toBe('running');
  });
});
