/** Options of studies as people type them: lists of names and of sizes, numbers in a range. */
import type { Command } from 'commander';
import { type Choice, GRANULES, OFFERED, STAGES } from '../../study/combinations.ts';
import { sizeText } from '../../text/numbers.ts';
import { usageError } from '../io.ts';
import { readAddress } from './address.ts';

/** Granules, page sizes and stages as typed. */
export interface ChoiceOptions {
  readonly granule?: string;
  readonly sizes?: string;
  readonly stages?: string;
}

/** @param stages - the default stages, for the help. */
export function addChoiceOptions(command: Command, stages: string): Command {
  return command
    .option('--granule <sizes>', 'smallest pages of the IOMMU; default 4K,16K,64K')
    .option('--sizes <list>', `page sizes to offer, of ${OFFERED.join(', ')}; default all`)
    .option('--stages <list>', `of ${STAGES.join(', ')}; default ${stages}`);
}

/** The chosen values. An axis that was not given stays undefined. @throws CliError (usage). */
export function choiceOf({ granule, sizes, stages }: ChoiceOptions): Choice {
  return {
    ...(granule !== undefined && { granules: sizesOf('--granule', granule, GRANULES) }),
    ...(sizes !== undefined && { sizes: namesOf('--sizes', sizes, OFFERED) }),
    ...(stages !== undefined && { stages: namesOf('--stages', stages, STAGES) }),
  };
}

/** The names in the text, in the order of `known`. All of them without a text. @throws CliError (usage). */
export function namesOf<T extends string>(
  option: string,
  text: string | undefined,
  known: readonly T[],
): readonly T[] {
  if (text === undefined) return known;
  const names = listOf(text);
  const wrong = names.find((one) => !known.some((other) => other === one));
  if (wrong !== undefined) throw usageError(`${option}: '${wrong}' is not one of ${known.join(', ')}`);
  return known.filter((name) => names.includes(name));
}

/** The same for sizes in bytes, written in any form of an address. @throws CliError (usage). */
export function sizesOf<T extends number>(
  option: string,
  text: string | undefined,
  known: readonly T[],
): readonly T[] {
  if (text === undefined) return known;
  const asked = listOf(text).map((one) => {
    const size = readAddress(one);
    return size === undefined ? one : sizeText(size);
  });
  const names = known.map((size) => sizeText(size));
  const kept = namesOf(option, asked.join(','), names);
  return known.filter((_, i) => kept.includes(names[i]!));
}

/** A whole number from `least` to `most`, also in forms such as `64K`. @throws CliError (usage). */
export function wholeOf(option: string, text: string, least: number, most: number): number {
  const value = Number(readAddress(text) ?? -1n);
  if (value >= least && value <= most) return value;
  throw usageError(
    `${option}: '${text}' is not a whole number from ${least} to ${most}`,
    'such as 64, 1M or 0x400_0000',
  );
}

/** A number from 0 to 1. @throws CliError (usage). */
export function shareOf(option: string, text: string): number {
  const share = text.trim() === '' ? Number.NaN : Number(text);
  if (share >= 0 && share <= 1) return share;
  throw usageError(`${option}: '${text}' is not a share from 0 to 1`);
}

/** The parts of `a,b,c`. */
export function listOf(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}
