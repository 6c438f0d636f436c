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

/** Options of both sides of a comparison, and register files of either. */
export interface SideOptions extends TargetOptions {
  readonly registersA?: string;
  readonly registersB?: string;
}

/**
 * Both sides of a comparison. Register values are for the sides that need them: beside memory or a running machine, a request keeps
 * the registers that its tables make, and a golden image its own. `registersA` and `registersB` are for one side, whatever it is.
 * @throws CliError as {@link readTarget} does; (usage) for a request that can't be carried out in full.
 */
export async function readSides(
  files: readonly [a: string, b: string],
  io: CliIo,
  { registersA, registersB, ...options }: SideOptions,
): Promise<[a: Target, b: Target]> {
  const [a, b] = [
    (await openAll([files[0]], io, options))[0]!,
    (await openAll([files[1]], io, options))[0]!,
  ] as const;
  const side = async (input: Input, other: Input, own: string | undefined) => {
    const shared = needsNone(input, other) ? withoutRegisters(options) : options;
    const target = await targetOf([input], io, own === undefined ? shared : { ...shared, registers: own });
    const [undone] = target.undone ?? [];
    if (undone !== undefined)
      throw usageError(
        `${target.name} can't be made: ${undone}`,
        'nothing was compared; lpae map shows what was refused',
      );
    return target;
  };
  return [await side(a, b, registersA), await side(b, a, registersB)];
}

/** How much of its registers an input brings along. */
function kindOf(input: Input): 'request' | 'image' | 'memory' {
  if (!('json' in input)) return 'memory';
  return (input.json as { kind?: unknown } | null)?.kind === 'image' ? 'image' : 'request';
}

/** Where neither side needs register values that were given, that is said by the sides themselves. */
function needsNone(input: Input, other: Input): boolean {
  const [kind, otherKind] = [kindOf(input), kindOf(other)];
  return kind === 'request' ? otherKind !== 'request' : kind === 'image' && otherKind === 'memory';
}

function withoutRegisters({ imageFormat, cpu, paBits, security }: TargetOptions): TargetOptions {
  return {
    ...(imageFormat !== undefined && { imageFormat }),
    ...(cpu !== undefined && { cpu }),
    ...(paBits !== undefined && { paBits }),
    ...(security !== undefined && { security }),
  };
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
