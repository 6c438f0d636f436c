/** A golden image as a target: its memory and registers, or values given instead. */
import { isStream } from '../../arch/regimes.ts';
import { type ImageFile, type ImageRow, parseImageFile } from '../../golden/image-file.ts';
import { imageMachine } from '../../golden/image-probe.ts';
import { createMachine, type StreamChoice } from '../../machine/machine.ts';
import { type CliIo, usageError } from '../io.ts';
import type { TargetOptions } from './options.ts';
import {
  askedStream,
  bitNotes,
  chosenStream,
  givenRegisters,
  registerNotes,
  resolved,
  said,
  securityNotes,
  smmuRegime,
} from './parts.ts';
import type { Target } from './target.ts';

/** @throws CliError (input) for a file that is not a golden image; (usage) for options that do not fit it. */
export async function imageTarget(
  json: unknown,
  file: string,
  io: CliIo,
  options: TargetOptions,
): Promise<Target> {
  const image = said(file, () => parseImageFile(json));
  const row = rowOf(image, options);
  const given = await givenRegisters(io, options);
  const { name, cpu } = image;
  const regime = given.asked ?? given.said ?? (image.anyStages ? 'smmuv3' : image.regime);
  const security = given.security ?? image.security;
  const state = security === undefined ? {} : { security };
  const values = resolved(
    {
      given: { ...image.given, ...row?.given },
      over: { ...given.file, ...given.over },
      regime,
      stage: given.stage,
      security,
      exact: given.asked === undefined,
      complete: false,
    },
    given.source ?? file,
  );
  const { registers } = values;
  const memory = said(file, () => imageMachine(image)).memory;
  const rowOrOptions = streamOf(image, row, options);
  const { stream, note } = said(file, () =>
    chosenStream({ memory, registers, ...state }, values.regime, rowOrOptions),
  );
  const asked = {
    memory,
    regime: values.regime,
    cpu: { ...cpu, ...given.cpu },
    registers,
    ...state,
  };
  const machine = smmuRegime(asked, stream, file);
  const walker = said(file, () => createMachine(machine))(stream);
  // Of the file's own registers what is not read is the file's matter.
  const changed = given.source !== undefined || Object.keys(given.over).length > 0;
  // An SMMU's image has stream tables, context descriptors and queues too.
  const frames = isStream(machine.regime) ? {} : { frames: framesOf(image) };
  return {
    name,
    regime: machine.regime,
    walker,
    machine,
    stream,
    dumped: false,
    warnings: [
      ...(changed ? registerNotes(values) : []),
      ...securityNotes(walker),
      ...(note === undefined ? [] : [note]),
    ],
    details: [...image.notes, ...(changed ? [] : registerNotes(values)), ...bitNotes(values)],
    ...frames,
    ...(row && { row }),
  };
}

function framesOf({ words }: ImageFile): bigint[] {
  return [...new Set(words.map(([pa]) => pa & ~0xfffn))];
}

/** Rows are numbered as in the file. */
function rowOf(image: ImageFile, { row }: TargetOptions): ImageRow | undefined {
  if (row === undefined) return undefined;
  const found = /^\d+$/.test(row) && image.rows.find(({ where }) => where === `translations[${Number(row)}]`);
  if (!found) {
    const last = image.rows.filter(({ where }) => where.endsWith(']')).length - 1;
    throw usageError(`--row: this image has no row ${row}`, `its rows are 0 to ${last}`);
  }
  return found;
}

/** The StreamID and the SubstreamID from the options, or else from the chosen row. */
function streamOf(image: ImageFile, row: ImageRow | undefined, options: TargetOptions): StreamChoice {
  const { streamId, substreamId } = askedStream(
    image.regime,
    image.registers.strtab_base !== undefined,
    options,
  );
  const ssid = substreamId ?? (row?.ssid === undefined ? undefined : Number(row.ssid));
  const found = streamId ?? row?.sid;
  return {
    ...(found !== undefined && { streamId: Number(found) }),
    ...(ssid !== undefined && { substreamId: ssid }),
  };
}
