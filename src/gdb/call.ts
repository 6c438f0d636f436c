/** Messages between the thread that reads memory and the thread that talks to a stub. */
import type { StubAddress } from './connection.ts';
import type { StubFacts, StubOptions } from './stub.ts';

/** The layout of their shared memory: three numbers, then the bytes of an answer. */
export const SHARED = {
  /** Where each number is. */
  state: 0,
  kind: 1,
  length: 2,
  /** Where the bytes begin. */
  bytes: 16,
  size: 16 + 0x4000,
} as const;
export const STATE = { waiting: 0, done: 1 } as const;
/** The kind of an answer: bytes, no value, or a {@link Failure} as JSON. */
export const KIND = { bytes: 0, nothing: 1, failure: 2 } as const;

export interface WorkerData {
  readonly address: StubAddress;
  readonly options: StubOptions;
  readonly shared: SharedArrayBuffer;
}

/** An ImageError, without the name of the target in front of its message. */
export interface Failure {
  readonly message: string;
  readonly hint?: string;
}

/** The first message of the thread that talks. */
export type Opened = { readonly facts: StubFacts } | { readonly failure: Failure };

/** The requests that follow. */
export type Call =
  | { readonly ask: 'memory'; readonly address: bigint; readonly length: number }
  | { readonly ask: 'register'; readonly number: number }
  | { readonly ask: 'close' };
