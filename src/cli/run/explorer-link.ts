/** The part of the explorer's address that shows a map request: the playground's question where it can ask it, else the request itself. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PRESETS } from '../../explore/presets.ts';
import { linkOf, MOST_REQUEST, type PageState } from '../../explore/share.ts';
import { hex } from '../../memory/hex.ts';
import { playgroundOf } from '../input/playground-request.ts';
import { type MapRequest, parseRequest } from '../input/request.ts';
import { CliError, EXIT, inputError } from '../io.ts';
import type { Output } from '../output.ts';
import { performOrRefuse } from './perform.ts';

/** What of a page's state is not the question. */
export type Looked = Partial<Pick<PageState, 'view' | 'step' | 'at' | 'walk'>>;

/** @throws CliError (input) for what is no request, makes no tables, or is too long for a link. */
export function linkOfRequest(json: unknown, name: string, looked: Looked = {}): string {
  const request = parseRequest(json, name);
  const rest = { view: 'map', flips: [], ...looked } as const;
  const playground = askedBy(request, name);
  if (playground !== undefined) return linkOf({ playground, ...rest });
  if (request.dma !== undefined) {
    throw inputError(`${name}: the explorer has no DMA layer`, 'give the same as ops');
  }
  performOrRefuse({ ...request, ops: [] }, name);
  const text = shortened(json as Record<string, unknown>, request);
  if (text.length > MOST_REQUEST) {
    throw inputError(
      `${name}: its operations are too long for a link: ${text.length} characters of at most ${MOST_REQUEST}`,
    );
  }
  return linkOf({ playground: PRESETS[0]!.playground, request: text, ...rest });
}

function askedBy(request: MapRequest, name: string) {
  try {
    return playgroundOf(request, name);
  } catch (error) {
    if (error instanceof CliError) return undefined;
    throw error;
  }
}

/** The page that was built beside the program: three folders up from its modules, and from the bundle's chunks. */
export const BUILT_PAGE = join(import.meta.dirname, '../../../explorer.html');

/** Help for `--link`. */
export const LINK_HELP = 'print the address that shows this in the explorer, and nothing else';

/** Prints the address of the page that was built with the program, and of what it shows. */
export function printLink(out: Output, hash: string): number {
  const there = existsSync(BUILT_PAGE);
  const address = `${there ? pathToFileURL(BUILT_PAGE).href : 'explorer.html'}#${hash}`;
  if (!there) out.note('the page is not built here: lpae explore --write explorer.html makes it');
  if (out.json) out.document('lpae.explore/1', { address });
  else out.line(address);
  return EXIT.ok;
}

/** The request without what golden files say beside it. */
function shortened(json: Record<string, unknown>, { ram: { base, size } }: MapRequest): string {
  const {
    schema: _,
    kind: __,
    producer: ___,
    note: ____,
    result: _____,
    translations: ______,
    tables,
    ...rest
  } = json;
  const ram = tables === undefined ? {} : { ram: { base: hex(base), size: hex(size) } };
  return JSON.stringify({ ...rest, ...ram });
}
