/** The playground's question as a map request, and as the command that gives the same answer in a terminal. */
import { hex } from '../memory/hex.ts';
import { sizeText } from '../text/numbers.ts';
import { configurationOf, type Playground } from './playground.ts';

/** The question as `lpae map` reads it. */
export function requestOf(asked: Playground): object {
  const { format, request } = configurationOf(asked);
  const { cpuPage, granule, semantics, iova, sg } = asked;
  const { pgsizeBitmap, ias, oas, features } = request;
  // Of sizes that suit two granules the CPU page decides, as in Linux, unless the request does.
  const decides = cpuPage !== granule && (pgsizeBitmap & BigInt(cpuPage)) !== 0n;
  return {
    format: format.name,
    config: {
      pgsize_bitmap: hex(pgsizeBitmap),
      ...(decides && { granule: sizeText(granule) }),
      ias,
      oas,
      ...(features && { features }),
    },
    cpu_page_size: sizeText(cpuPage),
    semantics,
    iova: hex(iova),
    sg: sg.map(({ phys, length }) => [hex(BigInt(phys)), hex(BigInt(length))]),
  };
}

/** What to paste into a shell. */
export function commandOf(asked: Playground): string {
  return `lpae map - <<'END'\n${JSON.stringify(requestOf(asked), null, 1)}\nEND\n`;
}
