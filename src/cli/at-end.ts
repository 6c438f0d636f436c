/** Closes things at the end of a command line, however it ends: for example, a stopped machine must be resumed. */
import { type CliIo, EXIT_INTERRUPTED } from './io.ts';

interface Closable {
  /** Synchronous, so that it can run while the process exits. It never throws, and a second call does nothing. */
  close(): void;
}

const opened = new Map<CliIo, Set<Closable>>();
const opening = new Set<Promise<Closable>>();

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Opens something that is closed when the command line of this `io` ends. An interrupt during opening waits for it, and closes it too. */
export async function closedAtEnd<T extends Closable>(io: CliIo, open: () => Promise<T>): Promise<T> {
  if (opened.size + opening.size === 0) {
    process.on('exit', endAll);
    for (const signal of SIGNALS) process.on(signal, interrupted);
  }
  const promise = open();
  opening.add(promise);
  try {
    const one = await promise;
    opened.set(io, (opened.get(io) ?? new Set()).add(one));
    return one;
  } finally {
    opening.delete(promise);
    leaveIfDone();
  }
}

/** Closes everything that this command line has opened. */
export function end(io: CliIo): void {
  const ours = opened.get(io);
  if (ours === undefined) return;
  for (const one of ours) one.close();
  opened.delete(io);
  leaveIfDone();
}

function leaveIfDone(): void {
  if (opened.size + opening.size > 0) return;
  process.off('exit', endAll);
  for (const signal of SIGNALS) process.off(signal, interrupted);
}

function endAll(): void {
  for (const io of [...opened.keys()]) end(io);
}

async function interrupted(): Promise<void> {
  for (const result of await Promise.allSettled(opening))
    if (result.status === 'fulfilled') result.value.close();
  endAll();
  process.exit(EXIT_INTERRUPTED);
}
