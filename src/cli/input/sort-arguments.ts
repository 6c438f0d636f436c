/** Sorts the arguments after the first file of a command: addresses, and anything that can only be another file. */
import { existsSync } from 'node:fs';
import { parseAddress, readAddress } from './address.ts';

/** @throws CliError (usage) for anything else. */
export function sortArguments(texts: readonly string[]): { addresses: bigint[]; files: string[] } {
  const files = texts.filter(
    (text) => readAddress(text) === undefined && (/@|:\/\//.test(text) || existsSync(text)),
  );
  const addresses = texts
    .filter((text) => !files.includes(text))
    .map((text) => parseAddress(text, 'address'));
  return { addresses, files };
}
