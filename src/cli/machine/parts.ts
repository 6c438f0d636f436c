/** What targets of every kind are made of: register values, the regime they make, the stream that is asked. */
import { isStream, type MachineRegime } from '../../arch/regimes.ts';
import { GoldenFileError } from '../../golden/result.ts';
import {
  createMachine,
  type MachineDescription,
  type StreamChoice,
  type Translator,
} from '../../machine/machine.ts';
import { WalkerError } from '../../walker/index.ts';
import { parseAddress } from '../input/address.ts';
import { openInput } from '../input/open-input.ts';
import {
  type AskedRegime,
  type RegisterFile,
  readRegisterFile,
  registersOfOptions,
} from '../input/registers.ts';
import { type CliIo, inputError, usageError } from '../io.ts';
import type { TargetOptions } from './options.ts';

/** Errors of what a file holds are the file's. */
export function said<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const known = [GoldenFileError, WalkerError].some((kind) => error instanceof kind);
    if (known) throw inputError(`${file}: ${(error as Error).message}`);
    throw error;
  }
}

/** `--security`, where it was typed. */
export function securityOf({ security }: TargetOptions): Pick<MachineDescription, 'security'> {
  return security === undefined ? {} : { security };
}

/** What a security state asks for that no walk here does. */
export function securityNotes({ security }: Translator): string[] {
  return security === 'realm' || security === 'root'
    ? [
        'granule protection checks (FEAT_RME) are not modelled: what translates here may still be a granule protection fault',
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
      throw usageError(`${name} is for an SMMU; this image is of ${regime}`);
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
export async function givenRegisters(
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

/** An SMMU's regime is what the stream table entry says: stage 1, stage 2 or both. */
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
