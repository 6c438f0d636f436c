/** What `walk` and `dump` look at: tables made from a request, or the memory image of another machine, a PE or an SMMU. */

import { type ImageFile, type ImageRow, parseImageFile } from '../golden/image-file.ts';
import { type Answer, imageProbe } from '../golden/image-probe.ts';
import { GoldenFileError } from '../golden/result.ts';
import { type Access, createWalker, WalkerError } from '../walker/index.ts';
import { parseAddress } from './address.ts';
import { readJson } from './input.ts';
import { type CliIo, inputError, usageError } from './io.ts';
import { performOrRefuse } from './perform.ts';
import { parseRequest } from './request.ts';

/** A PE's walker, or an SMMU with the stream whose transactions are translated. `regime` is a walker's, or as `smmuv3-s1`. */
export interface Translator {
  readonly regime: string;
  walk(ia: bigint, access: Access): Answer;
}

export interface Target {
  readonly name: string;
  readonly regime: string;
  readonly walker: Translator;
  /** The row of the image that was asked for. */
  readonly row?: ImageRow;
  /** What the request's operations refused, to be said beside the tables. */
  readonly warnings: readonly string[];
}

/** Options of `walk` and `dump` that choose within an image, as they were typed. */
export interface TargetOptions {
  readonly sid?: string;
  readonly ssid?: string;
  readonly row?: string;
}

/** @throws CliError (input) for a file that is neither, or of a regime that is not known here; (usage) for options that do not fit it. */
export async function readTarget(file: string, io: CliIo, options: TargetOptions = {}): Promise<Target> {
  const json = await readJson(file, io);
  const { kind, schema } = (json ?? {}) as { kind?: unknown; schema?: unknown };
  if (schema === 'pgtable-scatterlists/1') {
    throw inputError(`${file}: scatterlists of many domains`, 'lpae replay runs them');
  }
  if (kind === 'image') return imageTarget(json, file, options);
  for (const name of ['sid', 'ssid', 'row'] as const) {
    if (options[name] !== undefined) throw usageError(`--${name} chooses within an image; ${file} is none`);
  }
  return requestTarget(json, file);
}

function requestTarget(json: unknown, file: string): Target {
  const request = parseRequest(json, file);
  const { domain, outcomes } = performOrRefuse(request, file);
  const { regime, registers } = domain.registers.hardware;
  return {
    name: request.name ?? file,
    regime,
    walker: createWalker(domain.memory, { regime, registers }),
    warnings: outcomes
      .map(({ ok, error, op }, i) =>
        ok ? '' : `ops[${i}] ${op.op}: ${error?.message ?? 'not done in full'}`,
      )
      .filter(Boolean),
  };
}

function imageTarget(json: unknown, file: string, options: TargetOptions): Target {
  const said = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      const known = [GoldenFileError, WalkerError].some((kind) => error instanceof kind);
      if (known) throw inputError(`${file}: ${(error as Error).message}`);
      throw error;
    }
  };
  const image = said(() => parseImageFile(json));
  const row = rowOf(image, options);
  const transaction = { ...stream(image, row, options), ...(row?.registers && { registers: row.registers }) };
  const { name, regime } = image;
  const probe = said(() => imageProbe(image));
  const walk = (va: bigint, access: Access) => {
    const { privileged = true, pan = false } = access;
    return said(() => probe({ where: 'walk', expect: [], ...access, ...transaction, va, privileged, pan }));
  };
  return { name, regime, walker: { regime, walk }, warnings: [], ...(row && { row }) };
}

/** Rows are counted as the file counts them. */
function rowOf(image: ImageFile, { row }: TargetOptions): ImageRow | undefined {
  if (row === undefined) return undefined;
  const found = /^\d+$/.test(row) && image.rows.find(({ where }) => where === `translations[${Number(row)}]`);
  if (!found) {
    const last = image.rows.filter(({ where }) => where.endsWith(']')).length - 1;
    throw usageError(`--row: ${row} is no row of this image`, `its rows are 0 to ${last}`);
  }
  return found;
}

/** The StreamID that was asked for, or else the row's, or the first row's; and the SubstreamID. */
function stream(image: ImageFile, row: ImageRow | undefined, { sid, ssid }: TargetOptions) {
  const asked = (text: string | undefined, name: string, bits: bigint) => {
    if (text === undefined) return undefined;
    if (!image.regime.startsWith('smmu'))
      throw usageError(`${name} is for an SMMU; this image is of ${image.regime}`);
    const id = parseAddress(text, name);
    if (id >> bits) throw usageError(`${name}: ${text} has more than ${bits} bits`);
    return id;
  };
  const streamId = asked(sid, '--sid', 32n);
  if (streamId !== undefined && image.registers.strtab_base === undefined) {
    throw usageError('--sid chooses from a stream table; this image holds a single stream');
  }
  const substreamId = asked(ssid, '--ssid', 20n);
  const found = streamId ?? row?.sid ?? image.rows.find((one) => one.sid !== undefined)?.sid;
  return {
    ...(found !== undefined && { sid: found }),
    ...(substreamId !== undefined && { substreamId: Number(substreamId) }),
  };
}
