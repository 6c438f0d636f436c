/** Building blocks for JSON documents of the command line, and their errors: `request.json: ops[3].iova must be …`. */
import * as v from 'valibot';
import { readJsonAs } from '../../json/read.ts';
import { inputError } from '../io.ts';
import { readAddress } from './address.ts';

/** The message for an unknown member. */
export const ADDRESS =
  'must be an address or size of at most 64 bits (0x8000_0000, 2M, 4G, a decimal number or a sum)';

/** An address or size: a string as on the command line, or a number that JSON holds exactly. */
export const address = v.pipe(
  v.union([v.string(), v.number()], ADDRESS),
  v.description(
    'an address or size in bytes, of at most 64 bits: 0x8000_0000, 2M, a decimal number, or a sum',
  ),
  v.transform((given) => (typeof given === 'string' ? readAddress(given) : exactly(given))),
  v.bigint(ADDRESS),
);

function exactly(value: number): bigint | undefined {
  return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
}

/** Reads a document from the file `source`. @throws CliError (input) that names the wrong part. */
export function readDocument<T extends v.GenericSchema>(
  schema: T,
  json: unknown,
  source: string,
): v.InferOutput<T> {
  const read = readJsonAs(schema, json);
  if (read.ok) return read.value;
  throw inputError(`${source}: ${read.problem}`);
}
