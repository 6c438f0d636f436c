/** A connection to a stub of the gdb remote protocol: one request at a time, each answered in time or an error. */
import { connect, type Socket } from 'node:net';
import { ImageError } from '../image/errors.ts';
import { PacketReader, packetOf } from './packet.ts';

/** Where a stub listens. */
export interface StubAddress {
  readonly host: string;
  readonly port: number;
  /** Its name in messages: `gdb://localhost:1234`. */
  readonly name: string;
}

/** The replies that the target has stopped (S, T) or has ended (W, X). */
const STOP = /^[STWX][0-9a-f]{2}/;
const INTERRUPT = Uint8Array.of(3);
/** How often a packet is sent again if it arrived damaged. */
const MAX_RETRIES = 3;

interface Waiting {
  readonly command: string;
  readonly resolve: (answer: string) => void;
  readonly reject: (error: Error) => void;
  /** Whether the answer is a stop reply. */
  readonly forStop: boolean;
  readonly timer: NodeJS.Timeout;
  retries: number;
}

export class Connection {
  readonly #socket: Socket;
  readonly #address: StubAddress;
  readonly #timeout: number;
  readonly #reader = new PacketReader();
  #waiting: Waiting | undefined;
  #ended: ImageError | undefined;
  /** Packets are acknowledged until both sides agree not to. */
  #acks = true;
  /** A stop reply that came without a request. */
  readonly #stops: string[] = [];
  /** Packets that arrived before anything waited for them. */
  readonly #more: string[] = [];

  private constructor(socket: Socket, address: StubAddress, timeout: number) {
    this.#socket = socket;
    this.#address = address;
    this.#timeout = timeout;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#end(`the connection failed: ${error.message}`));
    socket.on('close', () => this.#end('the connection was closed by the other side'));
  }

  /** @param timeout - milliseconds for connecting, and for each answer. @throws ImageError if nothing listens there. */
  static open(address: StubAddress, timeout: number): Promise<Connection> {
    const { host, port, name } = address;
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      const refuse = (why: string) => {
        clearTimeout(timer);
        socket.destroy();
        reject(
          new ImageError(name, `can't connect: ${why}`, {
            hint: 'a QEMU that was started with -s listens at port 1234; -gdb tcp::PORT says another',
          }),
        );
      };
      const timer = setTimeout(() => refuse(`no answer in ${timeout / 1000} s`), timeout);
      socket.once('error', (error: NodeJS.ErrnoException) => refuse(error.code ?? error.message));
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(new Connection(socket, address, timeout));
      });
    });
  }

  /** Whether the stub reported a stop without a request, which shows that the target ran before we connected. */
  get stoppedForUs(): boolean {
    return this.#stops.length > 0;
  }

  /** @throws ImageError without an answer in time, or without a connection. */
  request(command: string): Promise<string> {
    // An answer that came after its time limit does not belong to this request.
    this.#more.length = 0;
    return this.#ask(command, packetOf(command), false);
  }

  /** The next packet, of an answer that has several. @throws ImageError as {@link request} does. */
  async next(): Promise<string> {
    const more = this.#more.shift();
    if (more !== undefined) return more;
    return this.#ask('the rest of an answer', new Uint8Array(0), false);
  }

  /** Sends a request whose answer is a stop reply. Undefined: no answer, because a running target gives none. */
  async stopReason(): Promise<string | undefined> {
    return this.#ask('?', packetOf('?'), true).catch((error: unknown) => {
      if (this.#ended !== undefined) throw error;
      return undefined;
    });
  }

  /** Stops a running target. @throws ImageError if it does not stop in time. */
  interrupt(): Promise<string> {
    return this.#ask('an interrupt', INTERRUPT, true);
  }

  /** Turns acknowledgements of packets off, which saves messages on a reliable connection. */
  async withoutAcks(): Promise<void> {
    if ((await this.request('QStartNoAckMode')) === 'OK') this.#acks = false;
  }

  /** Sends a last packet, which has no answer, and hangs up. */
  async close(last?: string): Promise<void> {
    if (this.#ended !== undefined) return;
    this.#end('the connection is closed');
    this.#socket.end(last === undefined ? '' : packetOf(last));
    // What was sent must arrive before the connection is torn down.
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 500);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#socket.destroy();
  }

  #ask(command: string, bytes: Uint8Array, forStop: boolean): Promise<string> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting = undefined;
        reject(this.#unanswered(command));
      }, this.#timeout);
      this.#waiting = { command, resolve, reject, forStop, timer, retries: 0 };
      this.#socket.write(bytes);
    });
  }

  #unanswered(command: string): ImageError {
    const message = `no answer to ${command} in ${this.#timeout / 1000} s`;
    return new ImageError(this.#address.name, message, {
      hint: 'is it a gdb stub? Most of them, QEMU too, serve one debugger at a time: another one may be connected',
    });
  }

  #receive(chunk: Uint8Array): void {
    try {
      for (const received of this.#reader.push(chunk)) {
        if (received.kind === 'packet') this.#answer(new TextDecoder('latin1').decode(received.data));
        else if (received.kind === 'damaged' && this.#acks) this.#socket.write('-');
        else if (received.kind === 'nak') this.#again();
      }
    } catch {
      this.#end('what it sends are no packets of the gdb remote protocol');
      this.#socket.destroy();
    }
  }

  #answer(text: string): void {
    if (this.#acks) this.#socket.write('+');
    const isStop = STOP.test(text);
    const waiting = this.#waiting;
    if (isStop && waiting?.forStop !== true) {
      this.#stops.push(text);
      return;
    }
    if (waiting === undefined) {
      this.#more.push(text);
      return;
    }
    this.#waiting = undefined;
    clearTimeout(waiting.timer);
    waiting.resolve(text);
  }

  #again(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || waiting.retries >= MAX_RETRIES) return;
    waiting.retries++;
    this.#socket.write(packetOf(waiting.command));
  }

  #end(why: string): void {
    this.#ended ??= new ImageError(this.#address.name, why);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    waiting.reject(this.#ended);
  }
}
