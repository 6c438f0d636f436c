/** However a command ends, a machine that ran goes on. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findQemu } from '../conformance/qemu/emulator.ts';
import { LiveMachine } from './live-machine.ts';

const qemu = findQemu();
const ROOT = join(import.meta.dirname, '../..');

describe.runIf(qemu !== undefined)('a machine that runs', () => {
  let machine: LiveMachine;
  beforeAll(async () => {
    machine = await LiveMachine.start(qemu!.path, ['-machine', 'virt', '-cpu', 'cortex-a57', '-m', '64M']);
  });
  afterAll(() => machine.dispose());

  /** Runs a command as a process of its own, and ends it by a signal once the machine stands. @returns its exit code. */
  async function interrupted(signal: NodeJS.Signals, delay: number): Promise<number | null> {
    const command = ['--import', 'tsx', 'src/cli/main.ts', 'dump', machine.gdb, '--regime', 'el1', '--full'];
    const child = spawn(process.execPath, command, { cwd: ROOT, stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await expect.poll(() => machine.status(), { timeout: 60_000, interval: 1 }).toBe('paused');
    await new Promise((resolve) => setTimeout(resolve, delay));
    child.kill(signal);
    return ended;
  }

  test.each([
    ['SIGINT', 0],
    ['SIGINT', 20],
    ['SIGTERM', 5],
    ['SIGHUP', 0],
  ] as const)('goes on after %s, %d ms after it was stopped', async (signal, delay) => {
    const code = await interrupted(signal, delay);
    // The command may have been quicker than the signal, which then ends a process without handlers: no code.
    expect([0, 2, 130, null]).toContain(code);
    expect(await machine.status()).toBe('running');
  });
});
