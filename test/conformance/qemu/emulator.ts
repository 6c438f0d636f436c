/** QEMU as a process: which one there is, and how it runs a program in RAM that is a file shared with this process. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The QEMU that was found. */
export interface Qemu {
  readonly path: string;
  readonly version: string;
  /** 702 for 7.2. */
  readonly release: number;
}

/**
 * Looks for `qemu-system-aarch64`, or for what the environment variable LPAE_QEMU names.
 * @throws Error where there is none and the environment variable CI is set: there the suite may not be skipped.
 */
export function findQemu(): Qemu | undefined {
  const path = process.env.LPAE_QEMU ?? 'qemu-system-aarch64';
  try {
    const text = execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const [, version = '', major = '0', minor = '0'] = /version ((\d+)\.(\d+)[^\s]*)/.exec(text) ?? [];
    return { path, version, release: Number(major) * 100 + Number(minor) };
  } catch (error) {
    if (process.env.CI)
      throw new Error(`CI must compare with QEMU, and ${path} does not run`, { cause: error });
    return undefined;
  }
}

/** No program here takes longer than seconds. */
const TIME_LIMIT_MS = 60_000;

/** Where RAM starts on the `virt` machine. */
export const RAM_BASE = 0x4000_0000;

/** RAM in a file, shared with QEMU. It is sparse: only what is written takes space. */
export class SharedRam {
  readonly size: number;
  readonly path: string;
  readonly #directory: string;
  readonly #file: number;

  constructor(size: number) {
    this.size = size;
    this.#directory = mkdtempSync(join(tmpdir(), 'lpae-conformance-'));
    this.path = join(this.#directory, 'ram');
    this.#file = openSync(this.path, 'w+');
    ftruncateSync(this.#file, size);
  }

  write(pa: number, bytes: Uint8Array): void {
    writeSync(this.#file, bytes, 0, bytes.byteLength, pa - RAM_BASE);
  }

  writeWords64(pa: number, words: readonly bigint[]): void {
    this.write(pa, new Uint8Array(BigUint64Array.from(words).buffer));
  }

  writeWords32(pa: number, words: Uint32Array): void {
    this.write(pa, new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  }

  read(pa: number, byteLength: number): ArrayBuffer {
    const buffer = new ArrayBuffer(byteLength);
    readSync(this.#file, new Uint8Array(buffer), 0, byteLength, pa - RAM_BASE);
    return buffer;
  }

  /** Forgets everything: the whole file reads as zeros again. */
  clear(): void {
    ftruncateSync(this.#file, 0);
    ftruncateSync(this.#file, this.size);
  }

  /** Removes the file. */
  dispose(): void {
    closeSync(this.#file);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** The machine that a program is run on. */
export interface MachineOptions {
  readonly cpu: string;
  /** Options of `-machine virt`: exception levels. */
  readonly machine: string;
  readonly ram: SharedRam;
  /** Where the CPU starts. */
  readonly entry: number;
}

/** Arguments that all machines have: nothing but a CPU, RAM and what is built in. */
export function machineArguments({ cpu, machine, ram }: Omit<MachineOptions, 'entry'>): string[] {
  const megabytes = ram.size / 0x10_0000;
  return [
    ...['-machine', `virt,memory-backend=ram${machine && `,${machine}`}`, '-cpu', cpu, '-m', `${megabytes}M`],
    ...['-object', `memory-backend-file,id=ram,share=on,mem-path=${ram.path},size=${megabytes}M`],
    ...['-nodefaults', '-display', 'none', '-monitor', 'none', '-serial', 'none', '-parallel', 'none'],
  ];
}

/**
 * Runs the program in RAM until it exits by semihosting.
 * @throws Error when QEMU fails, says something, or does not end.
 */
export function run(qemu: Qemu, options: MachineOptions): Promise<void> {
  const args = [
    ...machineArguments(options),
    ...['-accel', 'tcg,thread=single', '-semihosting-config', 'enable=on,target=native'],
    ...['-device', `loader,addr=0x${options.entry.toString(16)},cpu-num=0`],
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(qemu.path, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: TIME_LIMIT_MS });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0 && said === '') resolve();
      else
        reject(new Error(`QEMU ended with ${signal ?? status}: ${said || 'no message'} (${args.join(' ')})`));
    });
  });
}
