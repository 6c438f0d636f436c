/** What commands look at: tables made from a request, a golden image, or memory that someone dumped with register values beside it. */
import { type ImageFile, type ImageRow, parseImageFile } from '../golden/image-file.ts';
import { imageMachine } from '../golden/image-probe.ts';
import { GoldenFileError } from '../golden/result.ts';
import { imageMemory } from '../image/index.ts';
import {
  createMachine,
  type Machine,
  type MachineDescription,
  type StreamChoice,
  type Translator,
} from '../image/machine.ts';
import type { PhysicalMemory } from '../memory/index.ts';
import { WalkerError } from '../walker/index.ts';
import { parseAddress } from './address.ts';
import { type CliIo, inputError, usageError } from './io.ts';
import { type Input, openInput } from './open-input.ts';
import { performOrRefuse } from './perform.ts';
import {
  checkRegisters,
  type RegisterFile,
  readRegisterFile,
  regimeOfValues,
  registersOfOptions,
} from './registers.ts';
import { parseRequest } from './request.ts';
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
  if (document === undefined) return dumpTarget(inputs, io, options);
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
  if (kind === 'image') return imageTarget(json, name, io, options);
  for (const option of ['sid', 'ssid', 'row'] as const) {
    if (options[option] !== undefined)
      throw usageError(`--${option} chooses within an image; ${name} is none`);
  }
  return requestTarget(json, name);
}

function requestTarget(json: unknown, file: string): Target {
  const request = parseRequest(json, file);
  const { domain, outcomes } = performOrRefuse(request, file);
  const { regime, registers } = domain.registers.hardware;
  const machine = { memory: domain.memory, regime, registers: { ...registers } };
  return {
    name: request.name ?? file,
    regime,
    walker: said(file, () => createMachine(machine))(),
    machine,
    stream: {},
    dumped: false,
    warnings: outcomes
      .map(({ ok, error, op }, i) =>
        ok ? '' : `ops[${i}] ${op.op}: ${error?.message ?? 'not done in full'}`,
      )
      .filter(Boolean),
  };
}

/** Errors of what a file holds are the file's. */
function said<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const known = [GoldenFileError, WalkerError].some((kind) => error instanceof kind);
    if (known) throw inputError(`${file}: ${(error as Error).message}`);
    throw error;
  }
}

async function imageTarget(json: unknown, file: string, io: CliIo, options: TargetOptions): Promise<Target> {
  const image = said(file, () => parseImageFile(json));
  const row = rowOf(image, options);
  const given = await givenRegisters(io, options);
  const { name, cpu } = image;
  const regime = given.regime ?? image.regime;
  const stream = streamOf(image, row, options);
  const registers = { ...image.registers, ...row?.registers, ...given.registers };
  const memory = said(file, () => imageMachine(image)).memory;
  const machine = { memory, regime, cpu: { ...cpu, ...given.cpu }, registers };
  const walker = said(file, () => createMachine(machine))(stream);
  // An SMMU's image has stream tables, context descriptors and queues too.
  const frames = regime.startsWith('smmu') ? {} : { frames: framesOf(image) };
  return {
    name,
    regime,
    walker,
    machine,
    stream,
    dumped: false,
    warnings: [],
    ...frames,
    ...(row && { row }),
  };
}

function framesOf({ words }: ImageFile): bigint[] {
  return [...new Set(words.map(([pa]) => pa & ~0xfffn))];
}

/** Rows are counted as the file counts them. */
function rowOf(image: ImageFile, { row }: TargetOptions): ImageRow | undefined {
  if (row === undefined) return undefined;
  const found = /^\d+$/.test(row) && image.rows.find(({ where }) => where === `translations[${Number(row)}]`);
  if (!found) {
    const last = image.rows.filter(({ where }) => where.endsWith(']')).length - 1;
    throw usageError(`--row: ${row} is no row of this image`, `its rows are 0 to ${last}`);
  }
  return found;
}

/** The StreamID that was asked for, or else the row's, or the first row's; and the SubstreamID. */
function streamOf(image: ImageFile, row: ImageRow | undefined, options: TargetOptions): StreamChoice {
  const { streamId, substreamId } = askedStream(
    image.regime,
    image.registers.strtab_base !== undefined,
    options,
  );
  const ssid = substreamId ?? (row?.ssid === undefined ? undefined : Number(row.ssid));
  const found = streamId ?? row?.sid ?? image.rows.find((one) => one.sid !== undefined)?.sid;
  return {
    ...(found !== undefined && { streamId: Number(found) }),
    ...(ssid !== undefined && { substreamId: ssid }),
  };
}

function askedStream(regime: string, hasTable: boolean, { sid, ssid }: TargetOptions): StreamChoice {
  const asked = (text: string | undefined, name: string, bits: bigint) => {
    if (text === undefined) return undefined;
    if (!regime.startsWith('smmu')) throw usageError(`${name} is for an SMMU; this image is of ${regime}`);
    const id = parseAddress(text, name);
    if (id >> bits) throw usageError(`${name}: ${text} has more than ${bits} bits`);
    return Number(id);
  };
  const streamId = asked(sid, '--sid', 32n);
  if (streamId !== undefined && !hasTable) {
    throw usageError('--sid chooses from a stream table; this image holds a single stream');
  }
  const substreamId = asked(ssid, '--ssid', 20n);
  return { ...(streamId !== undefined && { streamId }), ...(substreamId !== undefined && { substreamId }) };
}

/** `--registers FILE`, and the options that take the place of its values. */
async function givenRegisters(
  io: CliIo,
  options: TargetOptions,
): Promise<Partial<RegisterFile> & Pick<RegisterFile, 'registers' | 'cpu'>> {
  const file = options.registers === undefined ? undefined : await readRegisters(options.registers, io);
  const registers = { ...file?.registers, ...registersOfOptions({ ...options }) };
  const regime = options.regime ?? file?.regime;
  return {
    registers,
    cpu: {
      ...file?.cpu,
      ...(options.cpu !== undefined && { model: options.cpu }),
      ...(options.paBits !== undefined && { paBits: options.paBits }),
    },
    ...(regime !== undefined && { regime }),
  };
}

async function readRegisters(file: string, io: CliIo): Promise<RegisterFile> {
  const input = await openInput(file, io);
  if (!('json' in input)) throw inputError(`${file}: no JSON document with register values`);
  return readRegisterFile(input.json, input.name);
}

/** Memory that was dumped, and registers beside it. */
async function dumpTarget(inputs: readonly Input[], io: CliIo, options: TargetOptions): Promise<Target> {
  if (options.row !== undefined) throw usageError('--row chooses within a golden image; this is none');
  const images = inputs.flatMap((input) => ('image' in input ? [input.image] : []));
  const name = images.map(({ source }) => source).join(' + ');
  const memory = imageMemory(images);
  const given = await givenRegisters(io, options);
  const asked = given.regime ?? regimeOfValues(given.registers);
  checkRegisters(asked, given.registers);
  const stream = askedStream(asked, given.registers.strtab_base !== undefined, options);
  const machine = smmuRegime({ memory, ...given, regime: asked }, stream, name);
  return {
    name,
    regime: machine.regime,
    walker: said(name, () => createMachine(machine))(stream),
    machine,
    stream,
    dumped: true,
    warnings: images.flatMap(({ source, notes }) => notes.map((note) => `${source}: ${note}`)),
  };
}

/** An SMMU's regime is what the stream table entry says: stage 1, stage 2 or both. */
function smmuRegime(machine: MachineDescription, stream: StreamChoice, name: string): MachineDescription {
  if (machine.regime !== 'smmuv3') return machine;
  const make = (regime: string) => ({ ...machine, regime });
  const trees = said(name, () => createMachine(make('smmuv3-s1')))(stream).trees();
  const stages = new Set(trees.map(({ root }) => root.stage));
  if (stages.size === 2) return make('smmuv3-nested');
  return make(stages.has(2) ? 'smmuv3-s2' : 'smmuv3-s1');
}

/** The memory of a target, for tools that look at more than its tables. */
export function memoryOf({ machine }: Target): PhysicalMemory {
  return machine.memory;
}

export type { Machine };
