/**
 * Reads register values from the output of debuggers and firmware: gdb's `info registers`, register dumps of U-Boot, TF-A and Xen, and
 * `NAME=0x…` in any text.
 */
import { kindOf } from '../../machine/registers/names.ts';
import { hex } from '../../text/numbers.ts';
import { inputError } from '../io.ts';

/**
 * A name and a value: `TTBR0_EL1 0x4000…` of gdb, `scr_el3 = 0x738` of TF-A, `HCR_EL2: 00000000807c663f` of Xen, `(42) TCR (/64): 0x…`
 * of OpenOCD. Without 0x a value is hexadecimal if it has 8 or 16 digits after a colon, as firmware writes it.
 */
const PAIR =
  /(?<![\w.])([A-Za-z][A-Za-z0-9_]*)[ \t]*(?:\(\/\d+\)[ \t]*)?(?:[=:][ \t]*(0x[0-9a-f_]+|[0-9a-f]{8}(?:[0-9a-f]{8})?(?![\w])|[^\s,;]+)|[ \t]+(0x[0-9a-f_]+))/gi;

/** The flags that gdb adds to a value, and the time at the start of log lines: `[ EL=1 D A I F ]`. */
const FLAGS = /\[[^\]\n]*\]/g;

const NOTHING =
  'no JSON document with register values, and no register dump: expected are { "TTBR0_EL1": "0x…", … }, lines of gdb\'s info registers, of U-Boot, TF-A or Xen, or NAME=0x…';

/** Values by the names in the text. @throws CliError (input) for a text without any, or a value that can't be read. */
export function registersOfText(text: string, source: string): Record<string, bigint> {
  const values: Record<string, bigint> = {};
  let known = 0;
  for (const [, name = '', behind, apart] of text.replace(FLAGS, '').matchAll(PAIR)) {
    const kind = kindOf(name.toUpperCase().replace(/_N?S$/, ''));
    const value = hexValue(behind ?? apart ?? '');
    if (kind === 'bystander') {
      known++;
      if (value !== undefined) values[name] = value;
      continue;
    }
    if (kind === 'unknown' && (value === undefined || !looksLikeRegister(name))) continue;
    if (value === undefined) {
      throw inputError(
        `${source}: ${name} = '${behind}' is not a value of at most 64 bits`,
        'values are written 0x4000_0000',
      );
    }
    const before = Object.entries(values).find(([other]) => other.toUpperCase() === name.toUpperCase());
    if (before !== undefined && before[1] !== value) {
      throw inputError(`${source}: ${name} is given twice, as ${hex(before[1])} and as ${hex(value)}`);
    }
    if (kind !== 'unknown') known++;
    values[before?.[0] ?? name] = value;
  }
  if (known === 0) throw inputError(`${source}: ${NOTHING}`);
  return values;
}

/** An unknown word before a number counts as a register if it is written like one, so that misspelt names are noticed. */
function looksLikeRegister(name: string): boolean {
  return /^[A-Z][A-Z0-9_]*$/.test(name) ? /\d|_EL\d/.test(name) || name.length >= 3 : /_el\d$/i.test(name);
}

function hexValue(text: string): bigint | undefined {
  const digits = /^(?:0x)?([0-9a-f][0-9a-f_]*)$/i.exec(text)?.[1]?.replaceAll('_', '');
  if (digits === undefined) return undefined;
  const isHex = /^0x/i.test(text) || digits.length === 8 || digits.length === 16;
  if (!isHex && !/^0+$/.test(digits)) return undefined;
  const value = BigInt(`0x${digits}`);
  return value >> 64n ? undefined : value;
}
