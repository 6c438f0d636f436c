/** Reads files into a target: tables made from a request, a golden image, a memory dump with register values, or a running machine. */
import { isGdbAddress } from '../input/gdb-address.ts';
import { openInput } from '../input/open-input.ts';
import { type CliIo, inputError, usageError } from '../io.ts';
import type { TargetOptions } from './options.ts';
import type { Target } from './target.ts';

/**
 * Reads files into one target: a request or a golden image, or memory images (several make one memory).
 * @throws CliError (input) for files that can't be read or combined; (usage) for options that don't suit them.
 */
export async function readTarget(
  files: readonly string[],
  io: CliIo,
  options: TargetOptions,
): Promise<Target> {
  return targetOf(await openAll(files, io, options), io, options);
}

/**
 * The same, except that several JSON documents make several targets.
 * @throws CliError, as {@link readTarget} does.
 */
export async function readTargets(
  files: readonly string[],
  io: CliIo,
  options: TargetOptions,
): Promise<Target[]> {
  const inputs = await openAll(files, io, options);
  if (inputs.some((input) => 'image' in input)) return [await targetOf(inputs, io, options)];
  return Promise.all(inputs.map((input) => targetOf([input], io, options)));
}

type FileInput = Awaited<ReturnType<typeof openInput>>;
type Input = FileInput | { readonly name: string; readonly gdb: string };

async function openAll(files: readonly string[], io: CliIo, options: TargetOptions): Promise<Input[]> {
  return Promise.all(
    files.map((file) =>
      isGdbAddress(file) ? { name: file, gdb: file } : openInput(file, io, options.imageFormat),
    ),
  );
}

async function targetOf(inputs: readonly Input[], io: CliIo, options: TargetOptions): Promise<Target> {
  const machine = inputs.find((input) => 'gdb' in input);
  if (machine !== undefined && inputs.length > 1) {
    throw usageError(`${machine.name} is a running machine, and can't be combined with other files`);
  }
  if (machine !== undefined) return (await import('./live.ts')).liveTarget(machine.gdb, io, options);
  for (const option of ['smmu', 'base', 'cpuNumber'] as const) {
    if (options[option] === undefined) continue;
    const name = option === 'cpuNumber' ? 'cpu-number' : option;
    throw usageError(`--${name} is for a running machine: gdb://HOST:PORT`);
  }
  const files = inputs.filter((input): input is FileInput => !('gdb' in input));
  const documents = files.filter((input) => 'json' in input);
  const [document] = documents;
  // Each kind of target loads many modules that the others don't need.
  if (document === undefined) return (await import('./dump.ts')).dumpTarget(files, io, options);
  if (inputs.length > 1) {
    throw usageError(
      `${document.name} is a JSON document, and can't be combined with other files`,
      'register values for memory images come from --registers FILE',
    );
  }
  const { json, name } = document;
  const { kind, schema } = (json ?? {}) as { kind?: unknown; schema?: unknown };
  if (schema === 'pgtable-scatterlists/1') {
    throw inputError(
      `${name}: scatterlists of many domains`,
      'lpae replay runs them, lpae study says what they cost, lpae tlb --trace has a device use them',
    );
  }
  if (kind === 'image') return (await import('./image.ts')).imageTarget(json, name, io, options);
  return (await import('./request.ts')).requestTarget(json, name, options);
}
