/** Parts of which lines about registers are made: joined with commas, and wrapped. */
import { wrap } from '../../text/columns.ts';

/** The widest a line gets. */
const LINE = 98;

/** Parts in wrapped lines, indented further from the second line on. */
export function lines(indent: string, text: string): string[] {
  return wrap(text, LINE - indent.length - 2).map((line, i) => `${indent}${i === 0 ? '' : '  '}${line}`);
}

/** Joins the parts that are there. */
export const joined = (parts: readonly (string | false | undefined)[], separator = ', ') =>
  parts.filter(Boolean).join(separator);
