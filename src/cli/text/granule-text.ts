/** Who owns which granules, as lines and as JSON. */
import { GPI_VALUES } from '../../arch/descriptors/gpt.ts';
import type { GranuleRange } from '../../machine/granules.ts';
import type { GranuleDifference } from '../../space/diff-granules.ts';
import { columns } from '../../text/columns.ts';
import { counted, hex, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';

const FAILED = {
  fail: 'no access',
  walk: 'not valid: a GPT walk fault',
  address_size: 'the table is beyond PPS: a GPT address size fault',
  external: 'no RAM where the table should be: an external abort',
} as const;

function ownerText({ gpi, gpc }: GranuleRange): string {
  if (gpi !== undefined) return GPI_VALUES[gpi] ?? hex(gpi);
  return gpc === undefined ? '' : FAILED[gpc];
}

/** `0x0000080000-0x00bfffffff  1G  level 1  Realm`. */
export function granuleLines(ranges: readonly GranuleRange[], style: Style): string[] {
  const digits = (ranges.at(-1)?.last ?? 0n).toString(16).length;
  const rows = ranges.map((range) => {
    const { first, last, level, gpc } = range;
    const owner = ownerText(range);
    return [
      `${hex(first, digits)}-${hex(last, digits)}`,
      sizeText(last - first + 1n),
      `level ${level}`,
      gpc === undefined ? style.leaf(owner) : style.bad(owner),
    ];
  });
  const sum = style.faint(`  ${counted(ranges.length, 'range')} of physical addresses`);
  return [...columns(rows, { right: [1], indent: '  ' }), sum];
}

export function granuleJson(range: GranuleRange): object {
  const { first, last, level, gpi, gpc } = range;
  return {
    first,
    last,
    size: last - first + 1n,
    level,
    owner: ownerText(range),
    ...(gpi !== undefined && { gpi }),
    ...(gpc !== undefined && { gpc }),
  };
}

/** Of each difference a line of either side: `- wanted  0x40000000-0x7fffffff  1G  Non-secure`. */
export function granuleDiffLines(differences: readonly GranuleDifference[], style: Style): string[] {
  const row = (sign: string, { first, last }: GranuleDifference, side: GranuleRange | undefined) => [
    sign,
    `${hex(first)}-${hex(last)}`,
    sizeText(last - first + 1n),
    side === undefined ? BEYOND : ownerText(side),
  ];
  const rows = differences.flatMap((one) => [
    row(style.bad('- wanted'), one, one.a),
    row(style.good('+ found'), one, one.b),
  ]);
  return columns(rows, { right: [2], indent: '  ' });
}

const BEYOND = 'beyond the protected addresses (GPCCR_EL3.PPS)';

export function granuleDiffJson({ first, last, a, b }: GranuleDifference): object {
  const side = (range: GranuleRange | undefined) => {
    if (range === undefined) return null;
    const { gpi, gpc } = range;
    return { owner: ownerText(range), ...(gpi !== undefined && { gpi }), ...(gpc !== undefined && { gpc }) };
  };
  return { first, last, size: last - first + 1n, a: side(a), b: side(b) };
}
