/** What must be undone when a command line ends, whichever way it does: a machine that was stopped goes on. */
import { type CliIo, EXIT_INTERRUPTED } from './io.ts';

const pending = new Map<CliIo, Set<() => void>>();

/** `act` is synchronous, so that it can be done while the process exits. It must not throw. */
export function atEnd(io: CliIo, act: () => void): void {
  if (pending.size === 0) {
    process.on('exit', endAll);
    process.on('SIGINT', interrupted);
    process.on('SIGTERM', interrupted);
  }
  const acts = pending.get(io) ?? new Set();
  acts.add(act);
  pending.set(io, acts);
}

/** Does what is pending of this command line. */
export function end(io: CliIo): void {
  const acts = pending.get(io);
  pending.delete(io);
  for (const act of acts ?? []) act();
  if (pending.size > 0) return;
  process.off('exit', endAll);
  process.off('SIGINT', interrupted);
  process.off('SIGTERM', interrupted);
}

function endAll(): void {
  for (const io of [...pending.keys()]) end(io);
}

function interrupted(): void {
  endAll();
  process.exit(EXIT_INTERRUPTED);
}
