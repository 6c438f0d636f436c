/** A stub of the gdb remote protocol that is no machine: it says what a test wants it to say, and keeps what it was asked. */
import { createServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface FakeMachine {
  /** Bytes in hexadecimal, by the address of the first. */
  readonly memory?: Readonly<Record<string, string>>;
  /** Values by name, in the order of their numbers, 64 bits each. */
  readonly registers?: Readonly<Record<string, string>>;
  readonly architecture?: string;
  readonly threads?: number;
  /** QEMU's physical-memory mode as it stands; without it the stub has none. */
  readonly physicalMode?: '0' | '1';
  /** What QEMU's monitor prints of its memory. */
  readonly mtree?: string;
  /** The machine runs: `qemu` says so when somebody connects, `silent` answers nothing but an interrupt. */
  readonly running?: 'qemu' | 'silent';
  /** After so many packets the connection is dropped. */
  readonly dropAfter?: number;
  /** The same at a command that begins so. */
  readonly dropAt?: string;
  /** This command is never answered. */
  readonly mute?: string;
  /** The first answer arrives damaged. */
  readonly damage?: boolean;
  readonly acks?: boolean;
  /** The reason for the stop. */
  readonly stop?: string;
}

const packet = (text: string) => {
  const sum = [...Buffer.from(text, 'latin1')].reduce((all, byte) => (all + byte) % 256, 0);
  return `$${text}#${sum.toString(16).padStart(2, '0')}`;
};
const inHex = (text: string) => Buffer.from(text).toString('hex');

export class FakeStub {
  /** Every command, and `^C` for an interrupt, `end` for the end of a connection. */
  readonly asked: string[] = [];
  readonly #machine: FakeMachine;
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  #mode: string | undefined;
  #damage: boolean;

  private constructor(machine: FakeMachine) {
    this.#machine = machine;
    this.#mode = machine.physicalMode;
    this.#damage = machine.damage === true;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(machine: FakeMachine): Promise<FakeStub> {
    const stub = new FakeStub(machine);
    await new Promise<void>((resolve) => stub.#server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get mode(): string | undefined {
    return this.#mode;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    const { running, dropAt, dropAfter = Number.POSITIVE_INFINITY } = this.#machine;
    let text = '';
    let count = 0;
    let last = '';
    const say = (answer: string) => {
      last = packet(answer);
      socket.write(this.#damage ? last.replace(/..$/, 'zz') : last);
      this.#damage = false;
    };
    this.#sockets.push(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.asked.push('end'));
    if (running === 'qemu') socket.write(packet('T02thread:01;'));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (;;) {
        const [whole, one, command] = /^(?:([-+\p{Cc}])|\$([^#]*)#..)/u.exec(text) ?? [];
        if (whole === undefined) return;
        text = text.slice(whole.length);
        if (one === '-') socket.write(last);
        if (one === '\x03') {
          this.asked.push('^C');
          say('T02thread:01;');
        }
        if (command === undefined) continue;
        this.asked.push(command);
        if (++count > dropAfter || (dropAt !== undefined && command.startsWith(dropAt))) {
          socket.destroy();
          return;
        }
        if (this.#machine.acks !== false) socket.write('+');
        if (command === this.#machine.mute || (command === '?' && running === 'silent')) continue;
        for (const answer of this.#answer(command)) say(answer);
      }
    });
  }

  #answer(command: string): string[] {
    const { threads = 1, mtree, stop = 'T05thread:01;' } = this.#machine;
    if (command === 'qSupported') return ['PacketSize=200;qXfer:features:read+'];
    if (command === '?') return [stop];
    if (command === 'qfThreadInfo')
      return [`m${Array.from({ length: threads }, (_, i) => `0${i + 1}`).join(',')}`];
    if (command === 'qsThreadInfo') return ['l'];
    if (command === 'qqemu.PhyMemMode') return [this.#mode ?? ''];
    if (command.startsWith('Qqemu.PhyMemMode:') && this.#mode !== undefined) {
      this.#mode = command.slice(-1);
      return ['OK'];
    }
    if (command === `qRcmd,${inHex('info mtree -f')}` && mtree !== undefined)
      return [...mtree.split('\n').map((line) => `O${inHex(`${line}\r\n`)}`), 'OK'];
    if (command.startsWith('H') || command === 'D') return ['OK'];
    const [, name = '', offset = '0', size = '0'] =
      /^qXfer:features:read:([^:]+):([0-9a-f]+),([0-9a-f]+)$/.exec(command) ?? [];
    if (name !== '') {
      const all = this.#documents()[name];
      if (all === undefined) return ['E00'];
      const [from, length] = [Number.parseInt(offset, 16), Number.parseInt(size, 16)];
      const part = all.slice(from, from + length);
      return [`${from + length < all.length ? 'm' : 'l'}${part}`];
    }
    if (command.startsWith('p')) return [this.#register(Number.parseInt(command.slice(1), 16))];
    const [, address = '', length = ''] = /^m([0-9a-f]+),([0-9a-f]+)$/.exec(command) ?? [];
    return address === '' ? [''] : [this.#memory(BigInt(`0x${address}`), Number.parseInt(length, 16))];
  }

  #documents(): Readonly<Record<string, string>> {
    const { registers = {}, architecture = 'aarch64' } = this.#machine;
    const list = Object.keys(registers).map((name) => `<reg name="${name}" bitsize="64"/>`);
    return {
      'target.xml': `<?xml version="1.0"?><target><architecture>${architecture}</architecture><xi:include href="system.xml"/></target>`,
      'system.xml': `<feature name="system">${list.join('\n')}</feature>`,
    };
  }

  #register(number: number): string {
    const value = Object.values(this.#machine.registers ?? {})[number];
    return value === undefined ? 'E45' : Buffer.from(BigUint64Array.of(BigInt(value)).buffer).toString('hex');
  }

  /** As much as lies in one piece; nothing is an error. */
  #memory(address: bigint, length: number): string {
    for (const [start, bytes] of Object.entries(this.#machine.memory ?? {})) {
      const at = Number(address - BigInt(start)) * 2;
      if (at >= 0 && at < bytes.length) return bytes.slice(at, at + 2 * length);
    }
    return 'E14';
  }
}

/** The same in a thread of its own, for who waits without letting anything else happen. */
export async function startApart(
  machine: FakeMachine,
): Promise<{ port: number; stop: () => Promise<unknown> }> {
  const script = `import('tsx/esm/api').then(async ({ tsImport }) => {
    const { FakeStub } = await tsImport('./fake-stub.ts', '${import.meta.url}');
    const { parentPort, workerData } = require('node:worker_threads');
    parentPort.postMessage((await FakeStub.start(workerData)).port);
  })`;
  const worker = new Worker(script, { eval: true, workerData: machine });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { port, stop: () => worker.terminate() };
}
