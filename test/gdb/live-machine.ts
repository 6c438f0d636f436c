/** QEMU with its gdbstub, its monitor and a serial port, for tests that read a machine while it runs. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Booting takes a second, but not on a machine that is busy. */
const BOOT_LIMIT_MS = 120_000;

/**
 * U-Boot for QEMU's virt machine (Debian: u-boot-qemu).
 * @throws Error where there is none and the environment variable CI is set: there nothing may be skipped.
 */
export function findUBoot(board: 'qemu_arm' | 'qemu_arm64'): string | undefined {
  const path = `/usr/lib/u-boot/${board}/u-boot.bin`;
  if (existsSync(path)) return path;
  if (process.env.CI) throw new Error(`CI must boot U-Boot, and there is no ${path}`);
  return undefined;
}

/** A TCP port that nobody listens at. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export class LiveMachine {
  /** `gdb://…` */
  readonly gdb: string;
  readonly folder: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #monitor: Socket;
  #serial = '';
  #said = '';

  private constructor(gdb: string, folder: string, child: ChildProcessWithoutNullStreams, monitor: Socket) {
    this.gdb = gdb;
    this.folder = folder;
    this.#child = child;
    this.#monitor = monitor;
    child.stdout.on('data', (text: Buffer) => {
      this.#serial += text.toString('latin1');
    });
    monitor.on('data', (text: Buffer) => {
      this.#said += text.toString('latin1');
    });
    monitor.on('error', () => {});
  }

  /** @param args - the machine, its CPU, its RAM, what it boots. */
  static async start(program: string, args: readonly string[]): Promise<LiveMachine> {
    const folder = mkdtempSync(join(tmpdir(), 'lpae-gdb-'));
    const port = await freePort();
    const path = join(folder, 'monitor');
    const child = spawn(program, [
      ...args,
      ...['-nodefaults', '-display', 'none', '-net', 'none', '-serial', 'stdio'],
      ...['-gdb', `tcp:127.0.0.1:${port}`, '-monitor', `unix:${path},server=on,wait=off`],
    ]);
    let complaints = '';
    child.stderr.on('data', (text: Buffer) => {
      complaints += text.toString();
    });
    const monitor = await until(async () => {
      if (child.exitCode !== null) throw new Error(`QEMU ended: ${complaints}`);
      return existsSync(path) ? await connected(path) : undefined;
    });
    const machine = new LiveMachine(`gdb://127.0.0.1:${port}`, folder, child, monitor);
    await machine.#prompt();
    return machine;
  }

  /** Answers a U-Boot that asks, and waits until it has come to its prompt. */
  async booted(): Promise<void> {
    await until(async () => {
      this.#child.stdin.write('\r');
      return /^=> /m.test(this.#serial) || undefined;
    });
  }

  /** Waits until this stands on the serial port. */
  async says(pattern: RegExp): Promise<void> {
    await until(async () => pattern.test(this.#serial) || undefined);
  }

  /** What the monitor answers. */
  async monitor(command: string): Promise<string> {
    this.#said = '';
    this.#monitor.write(`${command}\n`);
    await this.#prompt();
    return this.#said;
  }

  async status(): Promise<string> {
    return /VM status: (.+?)\r?\n/.exec(await this.monitor('info status'))?.[1] ?? '';
  }

  async dispose(): Promise<void> {
    this.#monitor.destroy();
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL');
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #prompt(): Promise<void> {
    await until(async () => /\(qemu\) $/.test(this.#said) || undefined);
  }
}

function connected(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const limit = Date.now() + BOOT_LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > limit) throw new Error(`not in ${BOOT_LIMIT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
