/** The parts of every kind of target: register values, the regime that follows from them, the chosen stream. */
import { isStream, type MachineRegime } from '../../arch/regimes.ts';
import type { SecurityState } from '../../arch/security.ts';
import { GoldenFileError } from '../../golden/result.ts';
import { present } from '../../json/schemas.ts';
import {
  createMachine,
  type MachineDescription,
  type RegisterValues,
  type StreamChoice,
  smmuRegistersOf,
  type Translator,
} from '../../machine/machine.ts';
import {
  type AskedRegime,
  type IgnoredRegister,
  RegisterError,
  type RegisterRequest,
  type ResolvedRegisters,
  resolveRegisters,
} from '../../machine/registers/index.ts';
import { type UngivenRange, ungivenAt } from '../../machine/ungiven.ts';
import { createSmmu } from '../../smmu/smmu.ts';
import { validStreamIds } from '../../smmu/stream-ids.ts';
import { counted, hex } from '../../text/numbers.ts';
import { identificationName } from '../../walker/identification.ts';
import { WalkerError } from '../../walker/index.ts';
import { parseAddress } from '../input/address.ts';
import { readUnzipped } from '../input/file-source.ts';
import { nameOf, parseJson } from '../input/input.ts';
import { registersOfText } from '../input/register-text.ts';
import { type RegisterFile, readRegisterFile, registersOfOptions } from '../input/registers.ts';
import { type CliIo, inputError, usageError } from '../io.ts';
import type { TargetOptions } from './options.ts';
import type { Target } from './target.ts';

/** Turns an error about the contents of a file into one that names the file. */
export function said<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const known = [GoldenFileError, WalkerError].some((kind) => error instanceof kind);
    if (known) throw inputError(`${file}: ${(error as Error).message}`);
    throw error;
  }
}

/** `--security`, if given. */
export function securityOf({
  security,
}: Pick<GivenRegisters, 'security'>): Pick<MachineDescription, 'security'> {
  return security === undefined ? {} : { security };
}

/** What has to be said of a PE with FEAT_RME whose granule protection table nobody gave. */
export function securityNotes({ security, granuleProtection }: Translator): string[] {
  const rme = security === 'realm' || security === 'root';
  return rme && granuleProtection === undefined
    ? [
        'GPCCR_EL3 is not given, or has GPC = 0: granule protection checks are off, and what translates here is accessible',
      ]
    : [];
}

export function askedStream(
  regime: AskedRegime,
  hasTable: boolean,
  { sid, ssid }: TargetOptions,
): StreamChoice {
  const asked = (text: string | undefined, name: string, bits: bigint) => {
    if (text === undefined) return undefined;
    if (regime !== 'smmuv3' && !isStream(regime))
      throw usageError(`${name} is for an SMMU; this image has regime ${regime}`);
    const id = parseAddress(text, name);
    if (id >> bits) throw usageError(`${name}: ${text} has more than ${bits} bits`);
    return Number(id);
  };
  const streamId = asked(sid, '--sid', 32n);
  if (streamId !== undefined && !hasTable) {
    throw usageError('--sid chooses from a stream table; this image has a single stream');
  }
  const substreamId = asked(ssid, '--ssid', 20n);
  return { ...(streamId !== undefined && { streamId }), ...(substreamId !== undefined && { substreamId }) };
}

/**
 * The stream from the options, or the only one in the stream table.
 * @throws CliError (usage) that lists the valid StreamIDs if there are several or none.
 */
export function chosenStream(
  { memory, registers, security }: Pick<MachineDescription, 'memory' | 'registers' | 'security'>,
  regime: AskedRegime,
  stream: StreamChoice,
): { readonly stream: StreamChoice; readonly note?: string } {
  const isSmmu = regime === 'smmuv3' || isStream(regime);
  if (!isSmmu || registers.strtab_base === undefined || stream.streamId !== undefined) return { stream };
  const { ids, complete } = validStreamIds(createSmmu(memory, smmuRegistersOf(registers, security)));
  const [only] = ids;
  if (only !== undefined && ids.length === 1 && complete) {
    const note = `StreamID ${hex(only)}: it is the only one with a valid stream table entry`;
    return { stream: { ...stream, streamId: only }, note };
  }
  const config =
    registers.strtab_base_cfg === undefined
      ? ' (SMMU_STRTAB_BASE_CFG, --strtab-cfg, is not given: taken as a linear table of one entry)'
      : '';
  if (only === undefined) {
    throw usageError(
      `no StreamID has a valid stream table entry${config}`,
      'choose one with --sid 0x…, to see why it has none',
    );
  }
  throw usageError(
    `which stream? Valid are the StreamIDs ${idsText(ids)}${complete ? '' : ' …'}${config}`,
    'choose one: --sid 0x…',
  );
}

/** `0x1, 0x8 to 0xf`. */
function idsText(ids: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const id of ids) {
    const run = runs.at(-1);
    if (run !== undefined && id === run.last + 1) run.last = id;
    else runs.push({ first: id, last: id });
  }
  const text = ({ first, last }: { first: number; last: number }) =>
    last - first < 2
      ? Array.from({ length: last - first + 1 }, (_, i) => hex(first + i)).join(', ')
      : `${hex(first)} to ${hex(last)}`;
  return runs.map(text).join(', ');
}

/** The given register values: those of a file, and the options that override them. */
export interface GivenRegisters {
  readonly file: RegisterValues;
  readonly over: RegisterValues;
  /** The file's name, if there is one. */
  readonly source?: string;
  /** The regime from the options, and the one in the file. */
  readonly asked?: AskedRegime;
  readonly said?: AskedRegime;
  /** `--security`, or else what the file says. */
  readonly security?: SecurityState;
  readonly stage?: 1 | 2;
  readonly cpu: RegisterFile['cpu'] & { readonly identification?: RegisterValues };
}

/** Register values found together with the memory, as in a running machine. */
export interface FoundRegisters {
  readonly file: RegisterFile;
  readonly source: string;
}

/** `--registers FILE`, which replaces what was `found`, and the options. */
export async function givenRegisters(
  io: CliIo,
  options: TargetOptions,
  found?: FoundRegisters,
): Promise<GivenRegisters> {
  const path = options.registers;
  const file = path === undefined ? found?.file : await readRegisters(path, io);
  const source = path === undefined ? found?.source : nameOf(path);
  const over = registersOfOptions({ ...options });
  const identification = identificationOf({ ...file?.given, ...over });
  return {
    file: withoutIdentification(file?.given ?? {}),
    over: withoutIdentification(over),
    ...(source !== undefined && { source }),
    ...(options.regime !== undefined && { asked: options.regime }),
    ...present({ security: options.security ?? file?.security }),
    ...(file?.regime !== undefined && { said: file.regime }),
    ...(options.stage !== undefined && { stage: Number(options.stage) as 1 | 2 }),
    cpu: {
      ...file?.cpu,
      ...(options.cpu !== undefined && { model: options.cpu }),
      ...(options.paBits !== undefined && { paBits: options.paBits }),
      ...(identification !== undefined && { identification }),
    },
  };
}

/** What the PE says of itself, by the manual's names. */
function identificationOf(given: RegisterValues): RegisterValues | undefined {
  const found = Object.entries(given).flatMap(([name, value]) => {
    const known = identificationName(name);
    return known === undefined ? [] : [[known, value] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function withoutIdentification(given: RegisterValues): RegisterValues {
  return Object.fromEntries(Object.entries(given).filter(([name]) => identificationName(name) === undefined));
}

async function readRegisters(file: string, io: CliIo): Promise<RegisterFile> {
  const name = nameOf(file);
  const bytes = await readUnzipped(file, io);
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === '') throw inputError(`${name}: empty`);
  if (/^\ufeff?\s*[{[]/.test(text)) return readRegisterFile(parseJson(bytes, name), name);
  return { given: registersOfText(text, name), cpu: {} };
}

/**
 * The values for the regime that was chosen, or that follows from them.
 * @throws CliError: (usage) for missing or unclear options, (input) for the contents of a file.
 */
export function resolved(request: RegisterRequest, source: string | undefined): ResolvedRegisters {
  try {
    return resolveRegisters(request);
  } catch (error) {
    if (!(error instanceof RegisterError)) throw error;
    const { kind, message } = error;
    if (kind === 'missing') {
      throw usageError(
        message,
        'register values are options (--ttbr0 0x…, --reg TTBR0_EL2=0x…), or a file: --registers FILE',
      );
    }
    if (kind === 'regime' || source === undefined) throw usageError(message);
    throw inputError(`${source}: ${message}`);
  }
}

/** Notes on an answer: the regime that follows, assumptions, and registers that are not used. */
export function registerNotes({ regime, because, assumed, ignored }: ResolvedRegisters): string[] {
  const of = (kind: IgnoredRegister['kind']) => ignored.filter((one) => one.kind === kind);
  const names = (list: readonly IgnoredRegister[]) => list.map(({ register }) => register).join(', ');
  const others = of('other');
  const bystanders = of('bystander').length;
  return [
    ...(because === undefined ? [] : [`regime ${regime}: ${because}`]),
    ...assumed,
    ...of('field').map(({ register, why }) => `${register}: ${why}`),
    ...of('unmodelled').map(({ register, why }) => `${register} is ignored: ${why}`),
    ...(of('unknown').length > 0 ? [`not known here, and ignored: ${names(of('unknown'))}`] : []),
    ...(others.length > 0 ? [`${regime} does not read ${names(others)}`] : []),
    ...(bystanders > 0 ? [`${counted(bystanders, 'register')} that no walk reads left out`] : []),
  ];
}

/** Bits of given registers that are set and that no walk reads. Most registers of a running system have some. */
export function bitNotes({ ignored }: ResolvedRegisters): string[] {
  return ignored.filter(({ kind }) => kind === 'bits').map(({ register, why }) => `${register}: ${why}`);
}

/** An SMMU's regime comes from the stream table entry: stage 1, stage 2 or both. */
export function smmuRegime(
  machine: Omit<MachineDescription, 'regime'> & { readonly regime: AskedRegime },
  stream: StreamChoice,
  name: string,
): MachineDescription {
  const { regime: asked } = machine;
  if (asked !== 'smmuv3') return { ...machine, regime: asked };
  const make = (regime: MachineRegime): MachineDescription => ({ ...machine, regime });
  const trees = said(name, () => createMachine(make('smmuv3-s1')))(stream).trees();
  const stages = new Set(trees.map(({ root }) => root.stage));
  if (stages.size === 2) return make('smmuv3-nested');
  return make(stages.has(2) ? 'smmuv3-s2' : 'smmuv3-s1');
}

/** A range whose table base was not given. */
export function ungivenNote({ register, first, last }: UngivenRange): string {
  return `${register} is not given: its range, ${hex(first)} to ${hex(last)}, is taken to be disabled`;
}

/** @throws CliError (usage) for an address whose table base was not given. */
export function checkBaseGiven({ ungiven = [] }: Pick<Target, 'ungiven'>, ia: bigint): void {
  const range = ungivenAt(ungiven, ia);
  if (range === undefined) return;
  const { register } = range;
  throw usageError(
    `${hex(ia)} is translated by ${register}, which is not given`,
    `give it: --reg ${register}=0x…`,
  );
}
