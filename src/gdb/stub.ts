/**
 * A stub of the gdb remote protocol, as a machine to read. It is stopped while it is read, then left as it was. Nothing is ever written.
 * (gdb's manual, "Remote Protocol", General Query Packets; QEMU's manual, "GDB usage", of physical memory.)
 */
import { ImageError } from '../image/errors.ts';
import { Connection, type StubAddress } from './connection.ts';
import { type Description, readDescription } from './description.ts';
import { type MappedMemory, memoryOfMtree } from './memory-map.ts';
import { bytesOfHex, hexOfText } from './packet.ts';

/** Options for talking to a stub. */
export interface StubOptions {
  /** The CPU whose registers are read: 0 is the first one that the stub lists. */
  readonly cpuNumber: number;
  /** Whether addresses are physical. Otherwise they are those that the CPU, or the process, sees. */
  readonly physical: boolean;
  /** Milliseconds for each answer. */
  readonly timeout: number;
}

/** What a stub reports about its machine when it is opened. */
export interface StubFacts {
  readonly description: Description;
  readonly cpus: number;
  /** RAM and ROM, if the stub can list them. */
  readonly map?: readonly MappedMemory[];
}

/** Milliseconds that an answer may take. */
export const ANSWER_TIMEOUT = 5000;
/** The size limit of answers if the stub does not give one. */
const DEFAULT_PACKET = 400;
/** Descriptions are some ten KiB. */
const MAX_DOCUMENT = 1 << 22;

export class Stub {
  readonly #connection: Connection;
  readonly #name: string;
  #packetSize = DEFAULT_PACKET;
  /** Whether it was running before we connected. */
  #ran = false;
  /** Whether the stub understands QEMU's own packets. */
  #isQemu = false;
  /** QEMU's previous mode of reading memory, if we changed it. */
  #modeBefore: string | undefined;

  private constructor(connection: Connection, name: string) {
    this.#connection = connection;
    this.#name = name;
  }

  /** Connects, and stops the machine. @throws ImageError that says what is missing; the machine is then left as it was. */
  static async open(address: StubAddress, options: StubOptions): Promise<[Stub, StubFacts]> {
    const stub = new Stub(await Connection.open(address, options.timeout), address.name);
    try {
      return [stub, await stub.#prepare(options)];
    } catch (error) {
      await stub.close().catch(() => {});
      throw error;
    }
  }

  /**
   * Memory from `address` on. Fewer bytes than `length`: no memory is behind them.
   * @throws ImageError when the connection fails.
   */
  async read(address: bigint, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    const most = Math.max(8, (this.#packetSize - 4) >> 1);
    for (let done = 0; done < length; ) {
      const size = Math.min(length - done, most);
      const answer = await this.#ask(`m${(address + BigInt(done)).toString(16)},${size.toString(16)}`);
      const got = /^E/.test(answer) ? undefined : bytesOfHex(answer);
      if (got === undefined || got.length === 0) return bytes.subarray(0, done);
      bytes.set(got.subarray(0, size), done);
      done += Math.min(got.length, size);
    }
    return bytes;
  }

  /** A register's value by its number, or undefined if the stub does not give it. */
  async register(number: number): Promise<bigint | undefined> {
    const bytes = bytesOfHex(await this.#ask(`p${number.toString(16)}`));
    if (bytes === undefined || bytes.length === 0 || bytes.length > 8) return undefined;
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  /** Restores the mode of reading memory, lets the machine run again if it was running, and disconnects. @throws ImageError if the stub is gone. */
  async close(): Promise<void> {
    try {
      if (this.#modeBefore !== undefined) await this.#ask(`Qqemu.PhyMemMode:${this.#modeBefore}`);
      // QEMU's answer to a detach request says that the machine continues.
      if (this.#ran && this.#isQemu) await this.#ask('D');
    } finally {
      await this.#connection.close(this.#ran && !this.#isQemu ? 'c' : undefined);
    }
  }

  async #prepare({ cpuNumber, physical }: StubOptions): Promise<StubFacts> {
    const features = (await this.#ask('qSupported')).split(';');
    const size = features.find((one) => one.startsWith('PacketSize='));
    if (size !== undefined) this.#packetSize = Number.parseInt(size.slice('PacketSize='.length), 16);
    if (features.includes('QStartNoAckMode+')) await this.#connection.withoutAcks();
    await this.#stop();
    const cpus = await this.#chooseCpu(cpuNumber);
    const mode = await this.#ask('qqemu.PhyMemMode');
    this.#isQemu = /^[01]$/.test(mode);
    if (physical) await this.#readPhysically(mode);
    const map = physical ? memoryOfMtree(await this.#monitor('info mtree -f')) : undefined;
    const described = features.includes('qXfer:features:read+');
    const description = described
      ? await readDescription((document) => this.#document(document))
      : { registers: [] };
    return { description, cpus, ...(map !== undefined && { map }) };
  }

  async #stop(): Promise<void> {
    this.#ran = this.#connection.stoppedForUs;
    let reason = await this.#connection.stopReason();
    if (reason === undefined || !/^[STWX]/.test(reason)) {
      reason = await this.#connection.interrupt();
      this.#ran = true;
    }
    if (/^[WX]/.test(reason))
      throw new ImageError(this.#name, `there is nothing to read: the program has ended (${reason})`);
  }

  /** @returns how many there are. */
  async #chooseCpu(number: number): Promise<number> {
    const threads: string[] = [];
    for (let answer = await this.#ask('qfThreadInfo'); answer.startsWith('m'); )
      if (threads.push(...answer.slice(1).split(',')) > 0) answer = await this.#ask('qsThreadInfo');
    const thread = threads[number];
    if (thread === undefined && number > 0) {
      const there = threads.length > 1 ? `CPUs 0 to ${threads.length - 1}` : 'CPU 0 alone';
      throw new ImageError(this.#name, `there is no CPU ${number}`, { hint: `the stub lists ${there}` });
    }
    if (thread !== undefined) await this.#ask(`Hg${thread}`);
    return Math.max(1, threads.length);
  }

  async #readPhysically(mode: string): Promise<void> {
    if (mode === '1') return;
    if (mode === '0' && (await this.#ask('Qqemu.PhyMemMode:1')) === 'OK') {
      this.#modeBefore = mode;
      return;
    }
    throw new ImageError(
      this.#name,
      'this stub has no physical-memory mode (qqemu.PhyMemMode): it reads memory as the CPU or the process sees it',
      {
        hint: 'where tables lie in a buffer there, --base 0xHOST=0xPA says at which address, and which PA that is; --base 0: addresses are PAs',
      },
    );
  }

  /** The answer of QEMU's monitor to a command, or nothing if there is no monitor. */
  async #monitor(command: string): Promise<string> {
    let text = '';
    let answer = await this.#ask(`qRcmd,${hexOfText(command)}`);
    for (; /^O(?!K$)/.test(answer); answer = await this.#connection.next()) {
      text += new TextDecoder().decode(bytesOfHex(answer.slice(1)) ?? new Uint8Array(0));
    }
    return answer === 'OK' ? text : '';
  }

  /** A document of the target's description. It comes in parts: `m` and a part, or `l` and the last one. */
  async #document(name: string): Promise<string> {
    let text = '';
    const most = Math.max(64, this.#packetSize - 5);
    while (text.length < MAX_DOCUMENT) {
      const part = await this.#ask(
        `qXfer:features:read:${name}:${text.length.toString(16)},${most.toString(16)}`,
      );
      if (!/^[ml]/.test(part)) break;
      text += part.slice(1);
      if (part.startsWith('l') || part.length === 1) return text;
    }
    throw new ImageError(this.#name, `its description of registers can't be read: ${name}`);
  }

  #ask(command: string): Promise<string> {
    return this.#connection.request(command);
  }
}
