/** QEMU driven without guest code: the qtest protocol over its standard streams, and its trace of translations. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { machineArguments, type Qemu, type SharedRam } from './emulator.ts';

/** A line of QEMU's trace or of its complaints. */
export type LineListener = (line: string) => void;

export class QtestMachine {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: { resolve: (value: bigint) => void; reject: (error: Error) => void }[] = [];
  #said = '';
  #ended: Error | undefined;

  /** Starts the machine with its CPU switched off. @param devices - more arguments. */
  constructor(qemu: Qemu, ram: SharedRam, machine: string, devices: readonly string[], onLine: LineListener) {
    const args = [
      ...machineArguments({ cpu: 'cortex-a57,start-powered-off=on', machine, ram }),
      ...['-icount', 'shift=0,sleep=off', '-qtest', 'stdio', '-qtest-log', '/dev/null'],
      ...devices,
    ];
    this.#child = spawn(qemu.path, args);
    eachLine(this.#child.stdout, (line) => this.#answer(line));
    eachLine(this.#child.stderr, (line) => {
      this.#said = `${this.#said}${line}\n`.slice(-4000);
      onLine(line);
    });
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('close', (status, signal) =>
      this.#fail(new Error(`QEMU ended with ${signal ?? status}: ${this.#said}`)),
    );
  }

  /** Sends commands at once. @returns the value of the last one, 0 where it has none. */
  async send(...commands: readonly string[]): Promise<bigint> {
    const values = await this.sendAll(commands);
    return values.at(-1) ?? 0n;
  }

  /** The value of each command, 0 where it has none. */
  sendAll(commands: readonly string[]): Promise<bigint[]> {
    const ended = this.#ended;
    if (ended) return Promise.reject(ended);
    const answers = commands.map(
      () => new Promise<bigint>((resolve, reject) => this.#waiting.push({ resolve, reject })),
    );
    this.#child.stdin.write(`${commands.join('\n')}\n`);
    return Promise.all(answers);
  }

  /** Ends the machine. */
  async dispose(): Promise<void> {
    if (this.#ended) return;
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL');
    await closed;
  }

  #answer(line: string): void {
    const [word, value = '0'] = line.split(' ');
    const next = this.#waiting.shift();
    if (word === 'OK') next?.resolve(BigInt(value));
    else next?.reject(new Error(`qtest answered '${line}'`));
  }

  #fail(error: Error): void {
    this.#ended = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

function eachLine(stream: NodeJS.ReadableStream, listener: LineListener): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) listener(line);
  });
}
