/** The declarations that sources of faults consist of: forms of first lines with their meaning, and forms of later lines that add to them. */
import type { DecodedFault } from './decoded-fault.ts';
import { deviceBefore } from './device.ts';

export type Groups = Readonly<Record<string, string | undefined>>;
export type Found = Pick<DecodedFault, 'kind' | 'name'> & Partial<DecodedFault>;

/** A form of a line, and its meaning. The group `at`, if present, is the fault's address. */
export interface Form {
  readonly source: DecodedFault['source'];
  readonly pattern: RegExp;
  /** Returns undefined for a line that reports nothing after all. */
  readonly read: (groups: Groups) => Found | undefined;
}

/** A form of a line that adds to the fault above it. */
export interface More {
  readonly pattern: RegExp;
  /** Which faults it can add to. */
  readonly of: (last: DecodedFault) => boolean;
  readonly add: (last: DecodedFault, groups: Groups) => DecodedFault | undefined;
}

/** A fault's first line, and how much of the text it took. */
export interface Head {
  readonly fault: DecodedFault;
  readonly end: number;
}

/** The fault that begins in the first `own` characters of a text, found by the forms. */
export function headIn(forms: readonly Form[], text: string, own = text.length): Head | undefined {
  for (const { source, pattern, read } of forms) {
    const match = pattern.exec(text);
    if (match === null || match.index >= own) continue;
    const groups = match.groups ?? {};
    const found = read(groups);
    if (found === undefined) continue;
    const address = groups.at === undefined ? undefined : numberOf(groups.at);
    const device = deviceBefore(text, match.index);
    return {
      fault: { source, address, device, registers: [], notes: [], ...found },
      end: match.index + match[0].length,
    };
  }
  return undefined;
}

/** A fault with the facts that a later line adds, or undefined if it adds nothing. */
export function moreIn(table: readonly More[], last: DecodedFault, line: string): DecodedFault | undefined {
  for (const { pattern, of, add } of table) {
    if (!of(last)) continue;
    const match = pattern.exec(line);
    const added = match === null ? undefined : add(last, match.groups ?? {});
    if (added !== undefined) return added;
  }
  return undefined;
}

/** A hexadecimal number, with or without 0x. */
export function numberOf(digits: string): bigint {
  return BigInt(`0x${digits.replace(/^0x/i, '')}`);
}

/** The access for a word such as `read`, `rd`, `WRITE`, `AW`. */
export function accessNamed(word: string | undefined): 'read' | 'write' | 'execute' | undefined {
  const first = word?.toLowerCase();
  if (first === undefined) return undefined;
  if (/^(?:r|rd|read|load|ar|read-only)$/.test(first)) return 'read';
  if (/^(?:w|wr|write|store|aw)$/.test(first)) return 'write';
  return /^(?:x|i|ifetch|execute|exec|instruction|fetch)$/.test(first) ? 'execute' : undefined;
}
