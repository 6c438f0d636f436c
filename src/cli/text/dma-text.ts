/** What the DMA layer answered, as lines and as JSON. */

import { columns, wrap } from '../../text/columns.ts';
import { counted, hex, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { protText } from '../input/request.ts';
import type { DmaOutcome } from '../run/dma.ts';

const LINE = 96;
/** Segments that are shown. */
const SHORT_LIST = 16;

/** The operation and its answer in a line; below it the segments that the device gets, or why it was refused. */
export function dmaOutcomeLines(outcome: DmaOutcome, index: number, style: Style): string[] {
  const { op, mapping, unmapped, error } = outcome;
  const title = `${style.faint(`${index}`)} ${style.title(`dma ${op.op}`)}  ${askedText(outcome)}`;
  if (error !== undefined) {
    const lines = wrap(error.message, LINE).map((line) => `  ${line}`);
    return [`${title}  = ${style.bad(String(error.errno))}`, ...lines];
  }
  if (mapping === undefined) {
    return [`${title}  = ${style.good(`${hex(unmapped ?? 0n)} (${sizeText(unmapped ?? 0n)} unmapped)`)}`];
  }
  const { range, segments, paddingBytes, overMappedBytes, prot } = mapping;
  const answer = `IOVA ${hex(range.iova)}, ${sizeText(range.size)} in ${counted(segments.length, 'segment')}`;
  const rows = segments
    .slice(0, SHORT_LIST)
    .map(({ dmaAddress, length, firstEntry, entryCount }) => [
      hex(dmaAddress),
      sizeText(length),
      entryCount === 1 ? `entry ${firstEntry}` : `entries ${firstEntry} to ${firstEntry + entryCount - 1}`,
    ]);
  const more = segments.length - rows.length;
  return [
    `${title}  ${protText(prot)}  = ${style.good(answer)}`,
    ...columns(rows, { right: [1], indent: '    ' }),
    ...(more > 0 ? [`    … ${counted(more, 'more segment')} (--json lists them)`] : []),
    ...(overMappedBytes > 0n
      ? [
          style.faint(
            `  ${sizeText(overMappedBytes)} mapped beyond the request${paddingBytes > 0n ? `, ${sizeText(paddingBytes)} of them to keep segments off boundary lines` : ''}`,
          ),
        ]
      : []),
  ];
}

function askedText({ op }: DmaOutcome): string {
  if (op.op === 'unmap') return `operation ${op.of}`;
  const device = op.device === 0 ? '' : `device ${op.device}, `;
  const what =
    op.op === 'map_single'
      ? `PA ${hex(op.phys)}, ${sizeText(op.size)}`
      : `${counted(op.sg.length, 'entry', 'entries')}, ${sizeText(op.sg.reduce((sum, { length }) => sum + BigInt(length), 0n))}`;
  return `${device}${what}  ${op.direction}`;
}

/** Errors as golden files say them: negative numbers. */
export function dmaOutcomeJson({ op, mapping, unmapped, error }: DmaOutcome): object {
  return {
    op: op.op,
    ok: error === undefined,
    ...(mapping && {
      iova: mapping.range.iova,
      size: mapping.range.size,
      segments: mapping.segments.map(({ dmaAddress, length, firstEntry, entryCount }) => {
        return { address: dmaAddress, length, first_entry: firstEntry, entries: entryCount };
      }),
      padding: mapping.paddingBytes,
      over_mapped: mapping.overMappedBytes,
    }),
    ...(unmapped !== undefined && { unmapped }),
    ...(error && {
      error: { code: error.code, errno: error.errno, message: error.message, operands: error.operands },
    }),
  };
}
