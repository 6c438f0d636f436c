/** Memory that someone dumped as a target, with register values beside it. */
import { imageMemory } from '../../image/index.ts';
import { createMachine, ungivenOf } from '../../machine/machine.ts';
import type { Input } from '../input/open-input.ts';
import { type CliIo, usageError } from '../io.ts';
import type { TargetOptions } from './options.ts';
import {
  askedStream,
  chosenStream,
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

/** @throws CliError (usage) where register values are missing, or don't go with the image. */
export async function dumpTarget(
  inputs: readonly Input[],
  io: CliIo,
  options: TargetOptions,
): Promise<Target> {
  if (options.row !== undefined) throw usageError('--row chooses within a golden image; this is not one');
  const images = inputs.flatMap((input) => ('image' in input ? [input.image] : []));
  const name = images.map(({ source }) => source).join(' + ');
  const memory = imageMemory(images);
  const given = await givenRegisters(io, options);
  const regime = given.asked ?? given.said;
  const request = { given: given.file, over: given.over, regime, stage: given.stage };
  const exact = given.asked === undefined && given.said !== undefined;
  const values = resolved({ ...request, exact }, given.source);
  const { registers } = values;
  const asked = askedStream(values.regime, registers.strtab_base !== undefined, options);
  const { stream, note } = said(name, () => chosenStream({ memory, registers }, values.regime, asked));
  const described = { memory, registers, cpu: given.cpu, regime: values.regime, ...securityOf(options) };
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
    warnings: [
      ...images.flatMap(({ source, notes }) => notes.map((note) => `${source}: ${note}`)),
      ...registerNotes(values),
      ...securityNotes(walker),
      ...ungiven.map(ungivenNote),
      ...(note === undefined ? [] : [note]),
    ],
  };
}
