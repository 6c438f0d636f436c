/** Memory that someone dumped as a target, with register values beside it. */
import { imageMemory } from '../../image/index.ts';
import { createMachine } from '../../machine/machine.ts';
import type { Input } from '../input/open-input.ts';
import { checkRegisters, regimeOfValues } from '../input/registers.ts';
import { type CliIo, usageError } from '../io.ts';
import type { TargetOptions } from './options.ts';
import { askedStream, givenRegisters, said, securityNotes, securityOf, smmuRegime } from './parts.ts';
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
  const asked = given.regime ?? regimeOfValues(given.registers);
  checkRegisters(asked, given.registers);
  const stream = askedStream(asked, given.registers.strtab_base !== undefined, options);
  const machine = smmuRegime({ memory, ...given, regime: asked, ...securityOf(options) }, stream, name);
  const walker = said(name, () => createMachine(machine))(stream);
  return {
    name,
    regime: machine.regime,
    walker,
    machine,
    stream,
    dumped: true,
    warnings: [
      ...images.flatMap(({ source, notes }) => notes.map((note) => `${source}: ${note}`)),
      ...securityNotes(walker),
    ],
  };
}
