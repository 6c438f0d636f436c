/** A memory dump with register values, as a target. */
import { imageMemory } from '../../image/index.ts';
import { createMachine, ungivenOf } from '../../machine/machine.ts';
import type { PhysicalMemory } from '../../memory/index.ts';
import type { Input } from '../input/open-input.ts';
import { type CliIo, usageError } from '../io.ts';
import type { TargetOptions } from './options.ts';
import {
  askedStream,
  bitNotes,
  chosenStream,
  type FoundRegisters,
  givenRegisters,
  registerNotes,
  resolved,
  said,
  securityNotes,
  securityOf,
  smmuRegime,
  ungivenNote,
} from './parts.ts';
import type { Target } from './target.ts';

/** Memory, its name, and notes on it. */
export interface FoundMemory {
  readonly name: string;
  readonly memory: PhysicalMemory;
  readonly notes: readonly string[];
  /** Register values found together with the memory. */
  readonly registers?: FoundRegisters;
}

/** @throws CliError (usage) if register values are missing, or don't suit the image. */
export function dumpTarget(inputs: readonly Input[], io: CliIo, options: TargetOptions): Promise<Target> {
  const images = inputs.flatMap((input) => ('image' in input ? [input.image] : []));
  const name = images.map(({ source }) => source).join(' + ');
  const notes = images.flatMap(({ source, notes: list }) => list.map((note) => `${source}: ${note}`));
  return memoryTarget({ name, memory: imageMemory(images), notes }, io, options);
}

/** The same for memory from elsewhere. @throws CliError, as {@link dumpTarget} does. */
export async function memoryTarget(
  { name, memory, notes, registers: found }: FoundMemory,
  io: CliIo,
  options: TargetOptions,
): Promise<Target> {
  if (options.row !== undefined) throw usageError('--row is for golden images; this is not one');
  const given = await givenRegisters(io, options, found);
  const regime = given.asked ?? given.said;
  const request = {
    given: given.file,
    over: given.over,
    regime,
    stage: given.stage,
    security: given.security,
  };
  const exact = given.asked === undefined && given.said !== undefined;
  const values = resolved({ ...request, exact }, given.source);
  const { registers } = values;
  const asked = askedStream(values.regime, registers.strtab_base !== undefined, options);
  const { stream, note } = said(name, () =>
    chosenStream({ memory, registers, ...securityOf(given) }, values.regime, asked),
  );
  const described = { memory, registers, cpu: given.cpu, regime: values.regime, ...securityOf(given) };
  const machine = smmuRegime(described, stream, name);
  const walker = said(name, () => createMachine(machine))(stream);
  const ungiven = said(name, () => ungivenOf(machine));
  return {
    name,
    regime: machine.regime,
    walker,
    machine,
    stream,
    dumped: true,
    ungiven,
    details: bitNotes(values),
    warnings: [
      ...notes,
      ...registerNotes(values),
      ...securityNotes(walker),
      ...ungiven.map(ungivenNote),
      ...(note === undefined ? [] : [note]),
    ],
  };
}
