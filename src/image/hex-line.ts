/** One line of a pasted hex dump: an address, words, and perhaps the same bytes as text. Tools: crash, gdb, U-Boot, xxd, hexdump, od, QEMU, OpenOCD, devmem2. */
import { digitValue } from './text-lines.ts';

/** Words of a line, each `width` bytes. */
export interface DataLine {
  readonly kind: 'data';
  readonly address: bigint;
  /** The address's digits as written. */
  readonly digits: string;
  readonly width: 1 | 2 | 4 | 8;
  /** Number of bytes in `lineBytes`, in the order of their digits. */
  readonly count: number;
  /** True for `address:`, false for `address` without a colon. */
  readonly colon: boolean;
  /** `0x` before the address, or before the words. */
  readonly prefixed: boolean;
  /** The text column, if there is one: the byte orders of words that it agrees with, and the number of spaces before it. */
  readonly column:
    | { readonly asWritten: boolean; readonly reversed: boolean; readonly gap: number }
    | undefined;
}

/** `*` means that the previous line repeats; an address alone marks the end of the dump. */
export type HexLine =
  | DataLine
  | { readonly kind: 'repeat' }
  | { readonly kind: 'address'; readonly address: bigint };

const MAX_LINE = 4096;
const MAX_BYTES = 512;
/** The bytes of the line that was parsed last. */
export const lineBytes = new Uint8Array(MAX_BYTES);

const ADDRESS = /^[ \t]*(?:0x([0-9a-f]{1,16})|([0-9a-f]{4,16}))(?:([ \t]+<.*>)?(:))?(?=[ \t]|$)/i;
const DEVMEM2 =
  /^(?:Value|Read) at address[ \t]+(?:0x)?([0-9a-f]{1,16})[ \t]+\([^)]*\):[ \t]+0x([0-9a-f]{1,16})$/i;
/** A line of a printed walk: `L1[002] @ 0x80031010 = 0x0000000080032003` of Zephyr and `lpae walk`. Mail may write `=` as =3D. */
const WALK_LINE =
  /\bL-?\d\[(?:0x)?[0-9a-f]{1,5}\] @ ?0x([0-9a-f]{1,16}) =(?:3D)? 0x([0-9a-f]{16}|[0-9a-f]{8})(?![0-9a-f])/i;
/** FVP's trace of walks: `TTW DTLB LPAE 1:3 000080500000 : 0000000080501003`. */
const TRACE_LINE =
  /\bTTW [ID]?(?:TLB)? ?(?:LPAE|VMSA)? ?[12]:[0-3] (?:0x)?([0-9a-f]{8,16})(?:_N?S)? ?:? (?:0x)?([0-9a-f]{16})\b/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals put them there.
const ESCAPES = /\x1b\[[0-9;?]*[ -/]*[@-~]/g;
/** `<6>[   12.345678] ` and `[2024-01-01 12:00:00] `. */
const TIMESTAMPS = /^[ \t]*(?:<\d+>)?(?:\[[^\]]*\][ \t]*)+/;
/** `=> `, `(gdb) `, `crash> `, `root@board:~# `. */
const PROMPT = /^[ \t]*(?:\([\w-]+\)|[\w.@:~/-]*(?:=>|[#$>%]))[ \t]+/;

/** Undefined if it is not a line of a dump. The bytes are in `lineBytes` until the next call. */
export function parseHexLine(text: string): HexLine | undefined {
  if (text.length > MAX_LINE) return undefined;
  const clean = text.replaceAll('\r', '').replace(ESCAPES, '').trimEnd();
  const walk = WALK_LINE.exec(clean) ?? TRACE_LINE.exec(clean);
  if (walk !== null) return wordLine(walk[1]!, walk[2]!);
  const parsed = parseBare(clean);
  if (parsed !== undefined) return parsed;
  const bare = clean.replace(TIMESTAMPS, '').replace(PROMPT, '');
  return bare === clean ? undefined : parseBare(bare);
}

function parseBare(text: string): HexLine | undefined {
  if (text === '*') return { kind: 'repeat' };
  const match = ADDRESS.exec(text);
  if (match === null) return parseDevmem2(text);
  const [whole, prefixedDigits, bareDigits, , colonText] = match;
  const digits = prefixedDigits ?? bareDigits!;
  const colon = colonText !== undefined;
  const address = BigInt(`0x${digits}`);
  const rest = text.slice(whole.length);
  if (rest === '') return colon || prefixedDigits !== undefined ? undefined : { kind: 'address', address };
  const { words, column, exact } = splitColumn(rest, colon);
  const scanned = scanWords(words);
  if (scanned === undefined) return undefined;
  const found =
    column.trim() === '' ? undefined : matchColumn(column, scanned.count, scanned.width, exact ? 0 : 2);
  // The text column disagrees: digits were lost, or are not hex.
  if (found !== undefined && !found.asWritten && !found.reversed) return undefined;
  const prefixed = prefixedDigits !== undefined || scanned.prefixed;
  return {
    kind: 'data',
    address,
    digits,
    colon,
    width: scanned.width,
    count: scanned.count,
    prefixed,
    column: found,
  };
}

/** One word at an address, as a line of a dump. Undefined if the address is not that of the word. */
export function wordLine(digits: string, value: string): DataLine | undefined {
  const width = value.length > 8 ? 8 : 4;
  const address = BigInt(`0x${digits}`);
  if (address % BigInt(width) !== 0n) return undefined;
  scanWords(value.padStart(width * 2, '0'));
  return {
    kind: 'data',
    address,
    digits,
    width,
    count: width,
    colon: true,
    prefixed: true,
    column: undefined,
  };
}

/** devmem2 prints no leading zeros: a value that fits is taken as a 4-byte word, its default. */
function parseDevmem2(text: string): DataLine | undefined {
  const [, digits, value] = DEVMEM2.exec(text) ?? [];
  if (digits === undefined || value === undefined) return undefined;
  return wordLine(digits, value);
}

/** After `address: words`, a text column follows two spaces. Without a colon it is `|text|` or `>text<`. */
function splitColumn(rest: string, colon: boolean): { words: string; column: string; exact: boolean } {
  if (colon) {
    const gap = rest.indexOf('  ', rest.length - rest.trimStart().length);
    return gap < 0 ? noColumn(rest) : { words: rest.slice(0, gap), column: rest.slice(gap), exact: false };
  }
  for (const [open, close] of ['||', '><']) {
    const at = rest.indexOf(` ${open}`) + 1;
    if (at === 0 || at === rest.length - 1 || !rest.endsWith(close!)) continue;
    return { words: rest.slice(0, at), column: rest.slice(at + 1, -1), exact: true };
  }
  return noColumn(rest);
}

function noColumn(words: string): { words: string; column: string; exact: boolean } {
  return { words, column: '', exact: false };
}

/** Words of one width, separated by blanks. Their bytes go to `lineBytes` as written. */
function scanWords(text: string): { width: 1 | 2 | 4 | 8; count: number; prefixed: boolean } | undefined {
  let [at, count, width, prefixed] = [0, 0, 0, false];
  for (;;) {
    while (isBlank(text, at)) at++;
    if (at === text.length) break;
    if (text[at] === '0' && (text[at + 1] === 'x' || text[at + 1] === 'X')) {
      prefixed = true;
      at += 2;
    }
    const start = at;
    for (let high = 0; at < text.length && !isBlank(text, at); at++) {
      const value = digitValue(text.charCodeAt(at));
      if (value === undefined || count === MAX_BYTES) return undefined;
      if ((at - start) % 2 === 0) high = value << 4;
      else lineBytes[count++] = high | value;
    }
    const digits = at - start;
    if (width === 0) width = digits / 2;
    if (digits !== width * 2) return undefined;
  }
  return isWidth(width) ? { width, count, prefixed } : undefined;
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}

function isWidth(bytes: number): bytes is 1 | 2 | 4 | 8 {
  return bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8;
}

/**
 * Text columns show memory order, so they reveal the byte order of a word's digits. If the text begins with spaces, or lost
 * trailing ones, its position is ambiguous, and every possible one is tried.
 */
function matchColumn(
  column: string,
  count: number,
  width: number,
  from: number,
): NonNullable<DataLine['column']> {
  const asWritten = placeOf(column, count, 0, from);
  const reversed = width === 1 ? undefined : placeOf(column, count, width - 1, from);
  const gap = Math.min(asWritten ?? column.length, reversed ?? column.length);
  return { asWritten: asWritten !== undefined, reversed: reversed !== undefined, gap };
}

function placeOf(column: string, count: number, order: number, from: number): number | undefined {
  for (let place = Math.max(from, column.length - count); place <= column.length; place++) {
    if (fitsAt(column, place, count, order)) return place;
    if (column[place] !== ' ') return undefined;
  }
  return undefined;
}

/** `order` is XORed into the index of a byte: 0, or width - 1 to reverse the bytes of words. */
function fitsAt(column: string, place: number, count: number, order: number): boolean {
  for (let i = 0; i < place; i++) if (column[i] !== ' ') return false;
  for (let i = 0; i < count; i++) {
    const byte = lineBytes[i ^ order]!;
    const shown = place + i < column.length ? column.charCodeAt(place + i) : 0x20;
    if (shown !== (byte >= 0x20 && byte < 0x7f ? byte : 0x2e)) return false;
  }
  return true;
}
