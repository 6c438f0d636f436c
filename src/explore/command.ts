/** The playground's question as a map request, and as the command that gives the same answer in a terminal. */
import { hex } from '../memory/hex.ts';
import { sizeText } from '../text/numbers.ts';
import { configurationOf, type Playground } from './playground.ts';

/**
 * The question as `lpae map` reads it.
 * @returns undefined where a request can't say it: in a request the CPU page size also chooses the granule, if it is a size that is offered.
 */
export function requestOf(asked: Playground): object | undefined {
  const { format, request } = configurationOf(asked);
  const { cpuPage, granule, semantics, iova, sg } = asked;
  const { pgsizeBitmap, ias, oas, features } = request;
  const decides = cpuPage !== granule && (pgsizeBitmap & BigInt(cpuPage)) !== 0n;
  if (decides && semantics === 'page-align') return undefined;
  return {
    format: format.name,
    config: { pgsize_bitmap: hex(pgsizeBitmap), ias, oas, ...(features && { features }) },
    // Only page-align looks at CPU pages, so any other page size means the same.
    cpu_page_size: sizeText(decides ? granule : cpuPage),
    semantics,
    iova: hex(iova),
    sg: sg.map(({ phys, length }) => [hex(BigInt(phys)), hex(BigInt(length))]),
  };
}

/** What to paste into a shell. */
export function commandOf(asked: Playground): string | undefined {
  const request = requestOf(asked);
  return request && `lpae map - <<'END'\n${JSON.stringify(request, null, 1)}\nEND\n`;
}
