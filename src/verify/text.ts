/**
 * Intentions as text: lines as `lpae dump` prints them, and as people write them. The text of a dump is an intention: under its heading,
 * `[first, last]  regime`, a line says all of its flags, and what it does not name must not be set.
 */
import { regimeNamed, regimesNamed } from '../arch/regimes.ts';
import { defaultSecurity, securityNamed } from '../arch/security.ts';
import { RANGE_FORMS, readAddress, readRange } from '../text/addresses.ts';
import { cellsOf, isCsvHeader, readCsvRow } from './csv.ts';
import type { IntentLine } from './intent.ts';
import { IntentDraft } from './intent-draft.ts';
import { readLine } from './line.ts';
import { readRule } from './rule.ts';
import type { Complain } from './words.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences of colours start with one.
const COLOURS = /\u001b\[[0-9;]*m/g;

/** The heading of a dump: `[0x0, 0xffff]  el3, Secure state`. */
const HEADING = /^\[\s*(0x[0-9a-f]+),\s*(0x[0-9a-f]+)\s*\]\s+([^,]+?)(?:,\s*(\S+) state)?(,\s*in part)?$/i;
/** What stands below a dump's ranges. */
const SUM = /^[\d,]+ ranges?, [\d,]+ lea(?:f|ves), .* mapped$/;
/** What a dump says of registers before its first heading begins so. */
const DERIVATION = /^(?:\S+ {2}\d+ physical address bits|StreamID 0x|STE\b|stage [12] )/;

/** Reads the text. @throws IntentError with all that can't be understood. */
export function readIntentText(text: string): IntentDraft {
  const draft = new IntentDraft();
  let exact = false;
  let preamble: boolean | undefined;
  let header: readonly string[] | undefined;
  text
    .replace(/^\ufeff/, '')
    .replaceAll(COLOURS, '')
    .split(/\r\n|\n|\r/)
    .forEach((whole, index) => {
      const number = index + 1;
      const complain: Complain = (message, hint) => draft.complain(number, message, hint);
      const [line, comment] = apart(whole);
      if (line === '') return;
      preamble ??= DERIVATION.test(line);
      const heading = HEADING.exec(line);
      if (heading) {
        readHeading(heading, draft, complain);
        exact = true;
        preamble = false;
        return;
      }
      if (preamble || SUM.test(line)) return;
      const cells = cellsOf(line);
      if (cells !== undefined) {
        if (isCsvHeader(cells)) header = cells;
        else add(draft, number, readCsvRow(cells, header, complain), comment);
        return;
      }
      const rule = /^never\b\s*(.*)$/i.exec(line);
      if (rule) {
        const read = readRule(rule[1]!, line, number, complain);
        if (read !== undefined) draft.rules.push(read);
      } else if (!readDirective(line, draft, complain)) {
        add(
          draft,
          number,
          readLine(line, exact, complain, (note) => draft.notes.push(`line ${number}: ${note}`)),
          comment,
        );
      }
    });
  if (preamble) draft.complain(0, 'what a dump says of registers, and no heading with ranges below it');
  return draft;
}

type Unplaced = Omit<IntentLine, 'line'>;

function add(draft: IntentDraft, line: number, read: Unplaced | undefined, comment: string): void {
  if (read === undefined) return;
  draft.lines.push({ ...read, line, ...(comment !== '' && { label: comment }) });
}

/** A line without its comment, and the comment. */
function apart(whole: string): [line: string, comment: string] {
  const at = whole.indexOf('#');
  return at < 0 ? [whole.trim(), ''] : [whole.slice(0, at).trim(), whole.slice(at + 1).trim()];
}

function readHeading(
  [, from = '', to = '', name = '', state, part]: RegExpExecArray,
  draft: IntentDraft,
  complain: Complain,
): void {
  const regime = regimeNamed(name);
  if (regime === undefined) complain(`there is no regime '${name}'`);
  else draft.addRegimes([regime], complain);
  const security = state === undefined ? regime && defaultSecurity(regime) : securityNamed(state);
  if (security !== undefined) draft.setSecurity(security, complain);
  else if (state !== undefined) complain(`there is no security state '${state}'`);
  const [first, last] = [readAddress(from), readAddress(to)];
  if (first === undefined || last === undefined || last < first) complain(`[${from}, ${to}] is no range`);
  else if (part !== undefined) draft.only.push({ first, last });
}

/** `rest any`, `regime el3`, `security secure`, `only 0x0+4G`, `rounded`. */
function readDirective(line: string, draft: IntentDraft, complain: Complain): boolean {
  const [, word = '', value = ''] = /^([a-z]+)\b[\s:=]*(.*)$/i.exec(line) ?? [];
  switch (word.toLowerCase()) {
    case 'rest':
      draft.setRest(value, complain);
      return true;
    case 'regime':
    case 'regimes':
      readRegimes(value, draft, complain);
      return true;
    case 'security': {
      const state = securityNamed(value.replace(/ state$/i, ''));
      if (/^any$/i.test(value)) return true;
      if (state === undefined)
        complain(`there is no security state '${value}'`, 'secure, nonsecure, realm, root, or any');
      else draft.setSecurity(state, complain);
      return true;
    }
    case 'only': {
      const range = readRange(value);
      if (range.ok) draft.only.push({ first: range.first, last: range.last });
      else complain(range.problem, RANGE_FORMS);
      return true;
    }
    case 'rounded':
      if (value === '') draft.rounded = true;
      else complain(`'rounded' stands alone, or behind a range`);
      return true;
    default:
      return false;
  }
}

function readRegimes(value: string, draft: IntentDraft, complain: Complain): void {
  if (/^any$/i.test(value)) return;
  const names = value.split(/[,\s]+/).filter(Boolean);
  if (names.length === 0) complain('regime: which one?', 'regime el3, or regime any');
  const found = names.flatMap((name) => {
    const regimes = regimesNamed(name);
    if (regimes.length === 0)
      complain(`there is no regime '${name}'`, 'el1, el2, el20, el3, s2, nested, pl1, smmuv3 …, or any');
    return regimes;
  });
  draft.addRegimes(found, complain, true);
}
