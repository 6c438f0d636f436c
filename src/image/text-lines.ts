/** Text files as lines, and hex digits as bytes: shared by the readers of Intel HEX, S-records and hex dumps. */
import { hex } from '../memory/hex.ts';
import { type ByteSource, bytesAt } from './bytes.ts';
import { ImageError } from './errors.ts';

/** Maximum size of a text, which is read as a whole. */
export const MAX_TEXT_BYTES = 64 << 20;

export interface Line {
  /** Line number, from 1. */
  readonly number: number;
  /** Offset of its first byte in the file. */
  readonly offset: number;
  /** The line without its line ending. */
  readonly text: string;
}

/** @throws ImageError for files above 64 MiB. */
export function* linesOf(source: ByteSource): Generator<Line> {
  if (source.size > MAX_TEXT_BYTES) {
    throw new ImageError(source.name, `has ${hex(source.size)} bytes; of text, at most 64 MiB are read`, {
      hint: 'turn it into a binary first: xxd -r for hex dumps, objcopy -I ihex (or srec) -O binary; then give FILE@BASE',
    });
  }
  const { text, start, width } = decode(bytesAt(source, 0, source.size));
  let number = 1;
  for (let from = 0; from < text.length; number++) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    yield { number, offset: start + from * width, text: text.slice(from, end) };
    from = end + 1;
  }
}

/** The beginning of a file as text, or undefined if it contains control characters. */
export function textStart(source: ByteSource, maxBytes: number): string | undefined {
  const { text } = decode(bytesAt(source, 0, Math.min(source.size, maxBytes)));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: text never contains these.
  return text === '' || /[\x00-\x07\x0b\x0e-\x1a\x1c-\x1f\x7f]/.test(text) ? undefined : text;
}

/** PowerShell's `>` writes UTF-16. Everything else is read as Latin-1; only its ASCII part matters. */
function decode(bytes: Uint8Array): { text: string; start: number; width: number } {
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe;
  if (wide) return { text: new TextDecoder('utf-16le').decode(bytes), start: 2, width: 2 };
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return { text: new TextDecoder('latin1').decode(bytes.subarray(start)), start, width: 1 };
}

export function lineError(source: ByteSource, line: Line, message: string, hint?: string): ImageError {
  const details = hint === undefined ? { offset: line.offset } : { offset: line.offset, hint };
  return new ImageError(source.name, `line ${line.number}: ${message}`, details);
}

const NO_DIGIT = 0xff;
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (let value = 0; value < 16; value++) {
  DIGITS[value.toString(16).charCodeAt(0)] = value;
  DIGITS[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** The value of a hex digit by its character code, or undefined. */
export function digitValue(code: number): number | undefined {
  const value = code < 256 ? DIGITS[code]! : NO_DIGIT;
  return value === NO_DIGIT ? undefined : value;
}

/** Digit pairs of `text` from `from` on to its end, into `into`. The number of bytes, or undefined if these are not pairs of digits, or too many. */
export function hexBytes(text: string, from: number, into: Uint8Array): number | undefined {
  const count = (text.length - from) / 2;
  if (!Number.isInteger(count) || count < 0 || count > into.length) return undefined;
  for (let i = 0; i < count; i++) {
    const high = digitValue(text.charCodeAt(from + 2 * i));
    const low = digitValue(text.charCodeAt(from + 2 * i + 1));
    if (high === undefined || low === undefined) return undefined;
    into[i] = (high << 4) | low;
  }
  return count;
}
