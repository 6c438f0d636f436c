/**
 * A running machine behind a gdb stub. Reading is synchronous, because a walk needs that: one thread talks to the stub, and the one that
 * reads waits for it. Every wait has a time limit.
 */
import { Worker } from 'node:worker_threads';
import { ImageError } from '../image/errors.ts';
import { type Call, type Failure, KIND, type Opened, SHARED, STATE, type WorkerData } from './call.ts';
import type { StubAddress } from './connection.ts';
import type { StubFacts, StubOptions } from './stub.ts';

/** The largest single read, in bytes. */
export const MAX_READ = 0x1000;

/** When it runs from TypeScript sources, as in tests and scripts, the thread needs a loader for them. */
const FROM_SOURCES = import.meta.url.endsWith('.ts');
const BY_TSX = `import('tsx/esm/api').then(({ tsImport }) => tsImport('./worker.ts', '${import.meta.url}'))`;

export class GdbMachine {
  readonly name: string;
  readonly facts: StubFacts;
  readonly #worker: Worker;
  readonly #numbers: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #timeout: number;
  #ended: ImageError | undefined;

  private constructor(worker: Worker, { address, options, shared }: WorkerData, facts: StubFacts) {
    this.name = address.name;
    this.facts = facts;
    this.#worker = worker;
    this.#numbers = new Int32Array(shared, 0, SHARED.bytes / 4);
    this.#bytes = new Uint8Array(shared, SHARED.bytes);
    // An answer may consist of several packets. The stub's own time limit, with a better message, expires first.
    this.#timeout = 4 * options.timeout;
  }

  /**
   * Connects, and stops the machine until {@link close}.
   * @throws ImageError if nothing answers, or the stub can't do what is needed. The machine is then left as it was.
   */
  static async open(address: StubAddress, options: StubOptions): Promise<GdbMachine> {
    const shared = new SharedArrayBuffer(SHARED.size);
    const data: WorkerData = { address, options, shared };
    const worker = FROM_SOURCES
      ? new Worker(BY_TSX, { eval: true, workerData: data })
      : new Worker(new URL('./worker.js', import.meta.url), { workerData: data });
    const opened = await new Promise<Opened>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () =>
        reject(new ImageError(address.name, 'the thread that talks to it has ended')),
      );
    });
    if ('failure' in opened) {
      await worker.terminate();
      throw errorOf(opened.failure, address.name);
    }
    // A caller that forgets to close does not keep the process alive.
    worker.unref();
    return new GdbMachine(worker, data, opened.facts);
  }

  /**
   * Memory from `address` on, at most {@link MAX_READ} bytes. Fewer bytes than `length`: there is no memory after them.
   * @throws ImageError when the connection fails.
   */
  read(address: bigint, length: number): Uint8Array {
    return this.#call({ ask: 'memory', address, length }) ?? new Uint8Array(0);
  }

  /** A register's value by its number in the description, or undefined if it has none. @throws ImageError as {@link read} does. */
  register(number: number): bigint | undefined {
    const value = this.#call({ ask: 'register', number });
    return value === undefined ? undefined : new DataView(value.buffer).getBigUint64(0, true);
  }

  /** Leaves the machine as it was. Nothing can be read afterwards. Never throws: if the connection is gone, there is nothing to restore. */
  close(): void {
    if (this.#ended === undefined) {
      try {
        this.#call({ ask: 'close' });
      } catch {
        // The stub is gone, so there is nothing to restore.
      }
      this.#ended = new ImageError(this.name, 'the connection is closed');
    }
    void this.#worker.terminate();
  }

  #call(call: Call): Uint8Array | undefined {
    if (this.#ended !== undefined) throw this.#ended;
    const numbers = this.#numbers;
    Atomics.store(numbers, SHARED.state, STATE.waiting);
    this.#worker.postMessage(call);
    if (Atomics.wait(numbers, SHARED.state, STATE.waiting, this.#timeout) === 'timed-out') {
      this.#ended = new ImageError(this.name, `no answer in ${this.#timeout / 1000} s`);
      throw this.#ended;
    }
    const [kind, length] = [numbers[SHARED.kind]!, numbers[SHARED.length]!];
    if (kind === KIND.nothing) return undefined;
    // A copy, because the next answer overwrites the same memory.
    const bytes = this.#bytes.slice(0, length);
    if (kind === KIND.bytes) return bytes;
    throw errorOf(JSON.parse(new TextDecoder().decode(bytes)) as Failure, this.name);
  }
}

function errorOf({ message, hint }: Failure, name: string): ImageError {
  return new ImageError(name, message, hint === undefined ? {} : { hint });
}
