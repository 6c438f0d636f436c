/**
 * A Linux kernel that runs, dumped through QEMU's gdbstub and from a core of the same moment. It takes Debian's installer for arm64
 * (debian-installer-12-netboot-arm64), which is large: where it is not, this is skipped.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lpae, lpaeJson } from '../cli/run.ts';
import { findQemu } from '../conformance/qemu/emulator.ts';
import { LiveMachine } from './live-machine.ts';

const qemu = findQemu();
const FOLDER =
  process.env.LPAE_LINUX ?? '/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64';
const [kernel, initrd] = [join(FOLDER, 'linux'), join(FOLDER, 'initrd.gz')];

describe.runIf(qemu !== undefined && existsSync(kernel))('a Linux kernel that runs', () => {
  let machine: LiveMachine;
  beforeAll(async () => {
    machine = await LiveMachine.start(qemu!.path, [
      ...['-machine', 'virt', '-cpu', 'cortex-a72', '-m', '512M', '-kernel', kernel, '-initrd', initrd],
      ...['-append', 'console=ttyAMA0'],
    ]);
    await machine.says(/Run \/init as init process/);
  }, 300_000);
  afterAll(() => machine.dispose());

  test('has the same tables in both', async () => {
    await machine.monitor('stop');
    const core = join(machine.folder, 'core');
    await machine.monitor(`dump-guest-memory ${core}`);
    const { json } = await lpaeJson(['capture', machine.gdb, '0xffff_8000_0801_0000']);
    const registers = join(machine.folder, 'registers.json');
    writeFileSync(registers, JSON.stringify({ regime: json.regime, registers: json.registers }));
    const live = await lpae(['dump', machine.gdb, '--full']);
    const saved = await lpae(['dump', core, '--registers', registers, '--full']);
    expect(live.out).toBe(saved.out);
    expect(live.out.split('\n').length).toBeGreaterThan(100);
    expect(await machine.status()).toBe('paused');
    await machine.monitor('cont');
    expect((await lpae(['walk', machine.gdb, '0xffff_8000_0801_0000'])).code).toBe(0);
    expect(await machine.status()).toBe('running');
  });
});
