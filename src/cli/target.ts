/** What commands look at: tables made from a request, a golden image, or memory that someone dumped with register values beside it. */
import type { ImageRow } from '../golden/image-file.ts';
import type { MachineDescription, StreamChoice, Translator } from '../image/machine.ts';
import { type CliIo, inputError, usageError } from './io.ts';
import { openInput } from './open-input.ts';
import type { TargetOptions } from './target-options.ts';

export interface Target {
  readonly name: string;
  /** A walker's regime, or `smmuv3-s1`, `-s2`, `-nested`. */
  readonly regime: string;
  readonly walker: Translator;
  /** What the walker is made of. */
  readonly machine: MachineDescription;
  readonly stream: StreamChoice;
  /** Registers and memory came from outside: worth saying what they mean. */
  readonly dumped: boolean;
  /** Frames of an image that lists tables and nothing else: 4 KiB each. */
  readonly frames?: readonly bigint[];
  /** The row of the image that was asked for. */
  readonly row?: ImageRow;
  /** To be said beside the result: what a request refused, what a reader assumed. */
  readonly warnings: readonly string[];
}

/**
 * Reads files into one target: a request or a golden image, or memory images (several make one memory).
 * @throws CliError (input) for files that can't be read, or don't go together; (usage) for options that don't fit them.
 */
export async function readTarget(
  files: readonly string[],
  io: CliIo,
  options: TargetOptions,
): Promise<Target> {
  const inputs = await Promise.all(files.map((file) => openInput(file, io, options.imageFormat)));
  const documents = inputs.filter((input) => 'json' in input);
  const [document] = documents;
  // Each kind of target pulls in much that the others can do without.
  if (document === undefined) return (await import('./target-dump.ts')).dumpTarget(inputs, io, options);
  if (inputs.length > 1) {
    throw usageError(
      `${document.name} is a JSON document, and stands by itself`,
      'register values for memory images come from --registers FILE',
    );
  }
  const { json, name } = document;
  const { kind, schema } = (json ?? {}) as { kind?: unknown; schema?: unknown };
  if (schema === 'pgtable-scatterlists/1') {
    throw inputError(`${name}: scatterlists of many domains`, 'lpae replay runs them');
  }
  if (kind === 'image') return (await import('./target-image.ts')).imageTarget(json, name, io, options);
  return (await import('./target-request.ts')).requestTarget(json, name, options);
}
