/** Access traces from files: addresses, one per line or as JSON, or scatterlists of real drivers. */
import * as v from 'valibot';
import { isObject, maybe, members, oneShapeOf } from '../../json/schemas.ts';
import { StudyError } from '../../study/errors.ts';
import {
  addressNumber,
  type DeviceTraceOptions,
  deviceTrace,
  LARGEST_BUFFER,
  type Trace,
} from '../../study/tlb/trace.ts';
import { counted, sizeText } from '../../text/numbers.ts';
import { inputError, usageError } from '../io.ts';
import type { Output } from '../output.ts';
import { ADDRESS_HINT, readAddress } from './address.ts';
import { openNamedSource } from './file-source.ts';
import { parseJson, tooMuch } from './input.ts';
import { address, readDocument } from './json.ts';
import { parseScatterlists, SCATTERLISTS_SCHEMA } from './scatterlists-file.ts';

/** A line of a trace is about 20 bytes. */
const MAX_BYTES = 1 << 30;

const FORMS =
  'a trace has one address per line (# begins a comment), or is a JSON list of addresses, or a file of scatterlists';

/**
 * Reads a trace, gzip or plain. `accesses` limits every trace, the other options are for files of scatterlists.
 * @throws CliError (input) for a file that is not a trace, (usage) for options that don't suit it.
 */
export async function readTrace(file: string, out: Output, options: DeviceTraceOptions): Promise<Trace> {
  const { name, source } = await openNamedSource(file, out.io);
  if (source.size > MAX_BYTES) throw tooMuch(name, MAX_BYTES);
  const bytes = new Uint8Array(source.size);
  source.read(0, bytes);
  try {
    return parseTrace(bytes, name, out, options);
  } catch (error) {
    if (error instanceof StudyError) throw inputError(`${name}: ${error.message}`);
    throw error;
  }
}

function parseTrace(bytes: Uint8Array, name: string, out: Output, options: DeviceTraceOptions): Trace {
  const text = new TextDecoder().decode(bytes);
  const isJson = /^\s*[{[]/.test(text.slice(0, 512));
  const json = isJson ? parseJson(bytes, name) : undefined;
  if (isObject(json) && json.schema === SCATTERLISTS_SCHEMA) {
    const file = parseScatterlists(json, name);
    const requests = file.requests.map(({ iova, sg }) => ({ first: iova, size: sg.byteLength }));
    const { largest = LARGEST_BUFFER } = options;
    const left = requests.filter(({ size }) => size > largest).length;
    if (left > 0) {
      out.note(
        `${counted(left, 'request')} of more than ${sizeText(largest)} left out: taken for a guest's memory, not for buffers (--largest)`,
      );
    }
    return deviceTrace(file.name, requests, options);
  }
  if (options.burst !== undefined || options.largest !== undefined || options.unmaps === false) {
    const hint = `${name} is a list of addresses`;
    throw usageError('--burst, --largest and --lazy are for files of scatterlists', hint);
  }
  const addresses = isJson ? addressesOfJson(json, name) : addressesOfText(text, name);
  if (addresses.length === 0) throw inputError(`${name}: has no address`, FORMS);
  return { name, addresses: Float64Array.from(addresses.slice(0, options.accesses)) };
}

const list = v.array(address);
const named = members({ name: maybe(v.unknown()), addresses: list });
/** The JSON of an access trace. */
export const addressesSchema = oneShapeOf(
  [list, named],
  (json) => (isObject(json) ? named : list),
  'must be a list of addresses',
);

function addressesOfJson(json: unknown, name: string): number[] {
  const read = readDocument(addressesSchema, json, name);
  return (Array.isArray(read) ? read : read.addresses).map(addressNumber);
}

/** The rest of the line after the address is ignored. */
function addressesOfText(text: string, name: string): number[] {
  const addresses: number[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const [word = ''] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (word === '') continue;
    const address = readAddress(word);
    if (address === undefined) {
      const shown = word.length > 40 ? `${word.slice(0, 40)}…` : word;
      throw inputError(`${name}:${i + 1}: '${shown}' is not an address`, `${FORMS}; ${ADDRESS_HINT}`);
    }
    addresses.push(addressNumber(address));
  }
  return addresses;
}
