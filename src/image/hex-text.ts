/** Pasted hex dumps: crash, gdb, U-Boot, xxd, hexdump, od, QEMU, OpenOCD, devmem2. Lines that are not part of a dump are skipped and reported. */
import type { ByteSource } from './bytes.ts';
import { ImageError } from './errors.ts';
import { Gathered } from './gathered.ts';
import { type DataLine, lineBytes, parseHexLine } from './hex-line.ts';
import type { MemoryImage } from './image.ts';
import { type Line, lineError, linesOf } from './text-lines.ts';
import { XenWalk } from './xen-walk.ts';

/** Lines that seem to come from one tool, and the byte order that their text columns suggest. */
interface Style {
  readonly sample: DataLine;
  readonly gap: number;
  lines: number;
  asWritten: number;
  reversed: number;
}

/** A wider gap before a text column means a short line that was padded. */
const WIDEST_GAP = 4;
/** Digits of an address, as od writes it. */
const OD_DIGITS = 7;
const SHOWN_LINES = 3;
const SHOWN_CHARACTERS = 60;

/**
 * Bytes are in memory order. Words are values, so they are little-endian in memory. Groups of `xxd` are in memory order. If there is
 * a text column, it decides.
 * @param base - added to each address, modulo 2^64.
 * @throws ImageError if no line is a dump, addresses are not hex, or lines contradict each other.
 */
export function readHexText(source: ByteSource, base: bigint): MemoryImage {
  return new Reader(source, base).read();
}

class Reader {
  readonly #source: ByteSource;
  readonly #gathered: Gathered;
  readonly #styles: Style[] = [];
  /** The style of the last line of each kind, for lines that don't show a gap. */
  readonly #latest = new Map<string, number>();
  readonly #skipped: Line[] = [];
  #skippedCount = 0;
  readonly #xen = new XenWalk();
  #before: DataLine | undefined;
  /** A `*` whose end is not known yet. */
  #star: Line | undefined;

  constructor(source: ByteSource, base: bigint) {
    this.#source = source;
    this.#gathered = new Gathered(source, base);
  }

  read(): MemoryImage {
    for (const line of linesOf(this.#source)) this.#take(line);
    if (this.#star !== undefined) this.#skip(this.#star);
    if (this.#styles.length === 0) throw this.#nothing();
    this.#gathered.eachRun((bytes, style) => {
      const { sample } = this.#styles[style]!;
      if (!isAsWritten(this.#styles[style]!)) reverseWords(bytes, sample.width);
    });
    const segments = this.#gathered.segments('same-bytes');
    const notes = [...this.#styles.map(describe), ...this.#skippedNote()];
    return { source: this.#source.name, format: 'hex-text', segments, notes };
  }

  #take(line: Line): void {
    const parsed = this.#xen.parse(line.text) ?? parseHexLine(line.text);
    if (parsed?.kind === 'data') {
      this.#endRepeat(line, parsed.address);
      this.#checkRadix(line, parsed);
      this.#gathered.add(line, parsed.address, lineBytes, parsed.count, this.#styleOf(parsed));
      this.#before = parsed;
      return;
    }
    if (parsed?.kind === 'address') this.#endRepeat(line, parsed.address);
    else if (parsed?.kind === 'repeat' && this.#before !== undefined) this.#star = line;
    else if (line.text.trim() !== '') this.#skipUnread(line);
    this.#before = undefined;
  }

  #endRepeat(line: Line, address: bigint): void {
    if (this.#star !== undefined && !this.#gathered.repeatUpTo(line, address)) this.#skip(this.#star);
    this.#star = undefined;
  }

  /** od counts in octal by default: after 16 bytes the address is 20. */
  #checkRadix(line: Line, now: DataLine): void {
    const before = this.#before;
    if (before === undefined || before.colon || now.colon || before.digits.length !== OD_DIGITS) return;
    if (now.address - before.address === BigInt(before.count)) return;
    for (const [radix, name] of [
      [8, 'octal'],
      [10, 'decimal'],
    ] as const) {
      const [from, to] = [readIn(radix, before.digits), readIn(radix, now.digits)];
      if (to - from !== before.count) continue;
      const message = `from ${before.digits} to ${now.digits} are the ${before.count} bytes of the line before only if addresses are ${name}`;
      throw lineError(this.#source, line, message, 'od -A x writes hex addresses');
    }
  }

  #styleOf(line: DataLine): number {
    const kind = `${line.width} ${line.colon} ${line.prefixed}`;
    const latest = this.#latest.get(kind);
    const gap = line.column?.gap;
    const shown = gap === undefined || gap > WIDEST_GAP ? undefined : gap;
    let index =
      shown === undefined
        ? latest
        : this.#styles.findIndex((style) => style.gap === shown && sameKind(style, line));
    if (index === undefined || index < 0) {
      index = this.#styles.length;
      this.#styles.push({ sample: line, gap: shown ?? 0, lines: 0, asWritten: 0, reversed: 0 });
    }
    this.#latest.set(kind, index);
    const style = this.#styles[index]!;
    style.lines++;
    if (line.column?.asWritten !== line.column?.reversed)
      style[line.column?.asWritten ? 'asWritten' : 'reversed']++;
    return index;
  }

  /** After it, the extent of a `*` is unknown. */
  #skipUnread(line: Line): void {
    if (this.#star !== undefined) this.#skip(this.#star);
    this.#star = undefined;
    this.#skip(line);
  }

  #skip(line: Line): void {
    this.#skippedCount++;
    if (this.#skipped.length < SHOWN_LINES) this.#skipped.push(line);
  }

  #skippedNote(): string[] {
    if (this.#skippedCount === 0) return [];
    const shown = this.#skipped.map(({ number, text }) => `line ${number}: '${printable(text)}'`).join(', ');
    const [lines, more] = [
      this.#skippedCount === 1 ? '1 line is' : `${this.#skippedCount} lines are`,
      this.#skippedCount > SHOWN_LINES ? ', …' : '',
    ];
    return [`${lines} not part of a dump and skipped: ${shown}${more}`];
  }

  #nothing(): ImageError {
    const [first] = this.#skipped;
    const message =
      first === undefined
        ? 'is empty'
        : `no line is a hex dump; line ${first.number} is '${printable(first.text)}'`;
    return new ImageError(this.#source.name, message, {
      hint: "a line is `address: words`, as crash's rd, gdb's x/8gx, U-Boot's md, xxd, hexdump -C and QEMU's xp write it",
    });
  }
}

function sameKind({ sample }: Style, line: DataLine): boolean {
  return sample.width === line.width && sample.colon === line.colon && sample.prefixed === line.prefixed;
}

/** True if digits are in memory order. Without a text column, only xxd's pairs of bytes are. */
function isAsWritten({ sample, gap, asWritten, reversed }: Style): boolean {
  if (sample.width === 1) return true;
  if (asWritten !== reversed) return asWritten > reversed;
  return sample.width === 2 && sample.colon && !sample.prefixed && gap <= 2;
}

function reverseWords(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

function describe(style: Style): string {
  const { sample, lines, asWritten, reversed } = style;
  const counted = lines === 1 ? '1 line' : `${lines} lines`;
  if (sample.width === 1) return `${counted} of bytes, in memory order`;
  const why = asWritten === reversed ? '' : ', as the text beside them shows';
  return isAsWritten(style)
    ? `${counted} of ${sample.width}-byte groups, taken in memory order${why || ', as xxd writes them'}`
    : `${counted} of ${sample.width}-byte words, taken as little-endian${why}`;
}

function readIn(radix: 8 | 10, digits: string): number {
  return (radix === 8 ? /^[0-7]+$/ : /^\d+$/).test(digits) ? Number.parseInt(digits, radix) : Number.NaN;
}

/** A line as it can be shown in a terminal. */
function printable(text: string): string {
  const shown = text.trim().replace(/[^\x20-\x7e]/g, '.');
  return shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)}…` : shown;
}
