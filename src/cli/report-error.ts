/** What a command line says of an error, and its exit code. */
import { CommanderError } from 'commander';
import { ImageError } from '../image/errors.ts';
import { StudyError } from '../study/errors.ts';
import { makeStyle, wantsColour } from '../text/style.ts';
import { CliError, type CliIo, EXIT, usageError } from './io.ts';

/** One line and perhaps a hint. A stack trace only if it is asked for. */
export function reportError(error: unknown, io: CliIo): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const style = makeStyle(wantsColour('auto', io.stderr, io.env));
  const say = (text: string) => io.stderr.write(`${text}\n`);
  if (error instanceof CliError) {
    say(`lpae: ${style.bad(error.message)}`);
    if (error.hint !== undefined) say(`      ${error.hint}`);
    return error.exitCode;
  }
  if (error instanceof StudyError) return reportError(usageError(error.message), io);
  if (error instanceof ImageError) {
    // Images are read on demand, so damage is found late.
    say(`lpae: ${style.bad(error.message)}`);
    if (error.hint !== undefined) say(`      ${error.hint}`);
    return EXIT.input;
  }
  const message = error instanceof Error ? error.message : String(error);
  say(`lpae: ${style.bad(`internal error: ${message}`)}`);
  if (io.env.LPAE_DEBUG === '1' && error instanceof Error) say(error.stack ?? '');
  else say('      this is a bug in lpae, not a mistake in your input; LPAE_DEBUG=1 shows where');
  return EXIT.input;
}
