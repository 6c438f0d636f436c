/** Intentions as files: their text, and what is said of one that is not understood. */
import { counted } from '../../text/numbers.ts';
import { IntentError, problemText } from '../../verify/intent.ts';
import { type CliIo, inputError, usageError } from '../io.ts';
import { readUnzipped } from './file-source.ts';
import { nameOf } from './input.ts';

/** @throws CliError (input) for what is no text. */
export async function readText(file: string, io: CliIo): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readUnzipped(file, io));
  } catch (error) {
    if (error instanceof TypeError) throw inputError(`${nameOf(file)}: neither UTF-8 text nor gzip data`);
    throw error;
  }
}

/** Problems that are shown before the rest is only counted. */
const SHOWN = 20;

/** What can't be understood or asked is a matter of usage, and never a difference. */
export function understood<T>(name: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof IntentError)) throw error;
    const { problems } = error;
    const lines = problems.slice(0, SHOWN).map((one) => `${name}: ${problemText(one)}`);
    const more = problems.length - lines.length;
    throw usageError(
      [...lines, ...(more > 0 ? [`${name}: ${counted(more, 'more problem')}`] : [])].join('\n'),
    );
  }
}
