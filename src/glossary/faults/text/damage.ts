/** Repairs the damage that mail, terminals and copying do to the text of a log: quoting, quoted-printable, colours, carriage returns, joined lines. */
import { mayContinue } from './prefix.ts';

/** A text as lines of messages, and the repairs that were made. */
export interface Mended {
  readonly lines: readonly string[];
  /** In words, for people. */
  readonly repairs: readonly string[];
}

interface Repair {
  readonly said: string;
  readonly mend: (text: string) => string;
}

/** The longest line: log lines are short, and longer ones would be slow to search. */
const LONGEST = 2000;

const ESCAPE = String.fromCharCode(27);
const COLOUR = new RegExp(`${ESCAPE}\\[[0-9;]*[A-Za-z]`, 'g');

const REPAIRS: readonly Repair[] = [
  { said: 'carriage returns were treated as line ends', mend: (text) => text.replace(/\r\n?/g, '\n') },
  {
    said: 'terminal colours were removed',
    mend: (text) => text.replace(COLOUR, ''),
  },
  { said: 'quoted-printable (=3D) was decoded', mend: fromQuotedPrintable },
  { said: 'quote marks (> or |) were removed', mend: unquoted },
  { said: 'marks of code (`) were removed', mend: (text) => text.replace(/`([\w.:[\]()& ]{1,80})`/g, '$1') },
  { said: 'lines that a mail program joined were split at their time stamps', mend: partedAtStamps },
  { said: 'numbers that were broken at the edge of a terminal were joined', mend: joinedAtEdge },
];

/** Never throws. Lines end with \n or \r\n. Overlong lines are cut. */
export function undamaged(text: string): Mended {
  const repairs: string[] = [];
  let mended = text.replace(/\r\n/g, '\n');
  for (const { said, mend } of REPAIRS) {
    const next = mend(mended);
    if (next !== mended) repairs.push(said);
    mended = next;
  }
  return { lines: mended.split('\n').map((line) => line.slice(0, LONGEST)), repairs };
}

const QUOTE = /^[ \t]{0,4}(?:[>|][ \t]?)+/;
/** RFC 2045: an encoded line has at most 76 characters, and is broken where the next would not fit. */
const SOFT_BREAK = { least: 68, most: 76 };

/** What an encoder writes: `=`, a blank at the end of a line, and the first bytes of blanks and dashes that are not ASCII. */
const ENCODED = /=3D|=C2=A0|=E2=80|=20(?=\s*$)/gm;

/**
 * Quoted-printable writes every `=` as =3D, so a text is encoded if it has more of such marks than plain `=`. Without any, a line of the
 * encoding's width that ends with `=` shows it.
 */
function fromQuotedPrintable(text: string): string {
  const encoded = text.match(ENCODED)?.length ?? 0;
  const plain = text.match(/=(?!3D|20|09|A0|0D|C2|E2|\n|$)/g)?.length ?? 0;
  const all = encoded > plain;
  const lines = text.split('\n');
  const joined: string[] = [];
  let open = false;
  for (const line of lines) {
    const last = joined.at(-1);
    if (open && last !== undefined) {
      // The quote mark of the next line belongs to the mail, not to the text.
      joined[joined.length - 1] = `${last.slice(0, -1)}${line.replace(QUOTE, '')}`;
    } else joined.push(line);
    open =
      /[^=]=$/.test(line) && (all || (line.length >= SOFT_BREAK.least && line.length <= SOFT_BREAK.most));
  }
  const whole = joined.join('\n');
  if (!all) return whole;
  return whole
    .replace(/=20(?=\s|$)/g, ' ')
    .replace(/=C2=A0/g, ' ')
    .replace(/=09/g, '\t')
    .replace(/=0D(?=\n|$)/g, '')
    .replace(/=3D/g, '=');
}

function unquoted(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(QUOTE, ''))
    .join('\n');
}

const STAMP = String.raw`\[\s{0,5}\d{1,6}\.\d{6}\]`;
const STAMPS = new RegExp(STAMP, 'g');
const INNER_STAMP = new RegExp(`(?<=\\S)[ \\t]+(?=${STAMP})`, 'g');

/** `… 0x10 [` and below it `478.919603] …`: the stamp is joined and begins a line. So does a stamp in the middle of a line. */
function partedAtStamps(text: string): string {
  return text
    .replace(/[ \t]*\[[ \t]*\n[ \t]*(?=\d{1,6}\.\d{6}\])/g, '\n[')
    .split('\n')
    .map((line) => (isRunTogether(line) ? line.replace(INNER_STAMP, '\n') : line))
    .join('\n');
}

/** Whether a line has several stamps. A single one may follow another log's prefix. */
function isRunTogether(line: string): boolean {
  const stamps = line.slice(0, LONGEST).match(STAMPS)?.length ?? 0;
  return stamps > 1 || (stamps === 1 && mayContinue(line));
}

const TERMINAL = 80;

/** Joins a line that fills the terminal's width and ends inside a number with the next one. */
function joinedAtEdge(text: string): string {
  const lines = text.split('\n');
  const joined: string[] = [];
  let full = false;
  for (const line of lines) {
    const last = joined.at(-1);
    const goesOn = full && /^[0-9a-f]+\b/i.test(line) && mayContinue(line);
    if (goesOn && last !== undefined) joined[joined.length - 1] = last + line;
    else joined.push(line);
    full = line.length === TERMINAL && /(?:0x|=)[0-9a-f]*$/i.test(line);
  }
  return joined.join('\n');
}
