/** How much of a document memory holds: what is larger is refused with a message, before the heap is gone. */
import { getHeapStatistics } from 'node:v8';
import { roughSize } from '../../text/numbers.ts';
import { type CliError, inputError } from '../io.ts';

const HEAP = getHeapStatistics().heap_size_limit;
/** V8's longest string has a little less than 2^29 characters. A document takes about six times its text while it is read. */
const MOST_TEXT = Math.min(2 ** 29 - 2 ** 10, Math.floor(HEAP / 8));
/** A leaf of a table, read and compared, takes 300 to 400 bytes of heap. */
export const MOST_LEAVES = Math.floor(HEAP / 400);

const GB = 1e9;

/** @throws CliError (input) for a document of more bytes than are read. */
export function checkDocumentSize(name: string, bytes: number): void {
  if (bytes > MOST_TEXT) throw tooLarge(name, bytes);
}

function tooLarge(name: string, bytes: number): CliError {
  return inputError(
    `${name}: this file has ${(bytes / GB).toFixed(1)} GB; a JSON document of at most ${roughSize(MOST_TEXT)} is read, since all of it is held in memory`,
    'give a part of it, or more memory: NODE_OPTIONS=--max-old-space-size=<MiB>',
  );
}
