/** The thread that talks to a stub: it handles the asynchronous socket while the walking thread waits. */
import { parentPort, workerData } from 'node:worker_threads';
import { ImageError } from '../image/errors.ts';
import { type Call, type Failure, KIND, type Opened, SHARED, STATE, type WorkerData } from './call.ts';
import { Stub } from './stub.ts';

const { address, options, shared } = workerData as WorkerData;
const numbers = new Int32Array(shared, 0, SHARED.bytes / 4);
const bytes = new Uint8Array(shared, SHARED.bytes);
const port = parentPort!;

try {
  const [stub, facts] = await Stub.open(address, options);
  port.on('message', (call: Call) => void answer(stub, call));
  port.postMessage({ facts } satisfies Opened);
} catch (error) {
  port.postMessage({ failure: failureOf(error) } satisfies Opened);
}

async function answer(stub: Stub, call: Call): Promise<void> {
  try {
    const value = await perform(stub, call);
    if (value === undefined) done(KIND.nothing);
    else done(KIND.bytes, value);
  } catch (error) {
    done(KIND.failure, new TextEncoder().encode(JSON.stringify(failureOf(error))));
  }
  if (call.ask === 'close') port.close();
}

async function perform(stub: Stub, call: Call): Promise<Uint8Array | undefined> {
  if (call.ask === 'memory') return stub.read(call.address, call.length);
  if (call.ask === 'close') {
    await stub.close();
    return undefined;
  }
  const value = await stub.register(call.number);
  return value === undefined ? undefined : new Uint8Array(BigUint64Array.of(value).buffer);
}

function done(kind: number, value: Uint8Array = new Uint8Array(0)): void {
  bytes.set(value);
  numbers[SHARED.kind] = kind;
  numbers[SHARED.length] = value.length;
  Atomics.store(numbers, SHARED.state, STATE.done);
  Atomics.notify(numbers, SHARED.state);
}

function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ImageError)) return { message };
  const plain = message.slice(`${error.source}: `.length);
  return { message: plain, ...(error.hint !== undefined && { hint: error.hint }) };
}
