/** Finds descriptors in arguments, and in the text of a log, a printed walk or a memory dump. */

import { EVENT_HEAD, wordOf } from '../../glossary/faults/event-lines.ts';
import { printedWalks } from '../../glossary/faults/printed-walk.ts';
import { undamaged } from '../../glossary/faults/text/damage.ts';
import { messageOf } from '../../glossary/faults/text/prefix.ts';
import { hex } from '../../text/numbers.ts';
import { parseAddress } from '../input/address.ts';
import type { GranuleName } from './readings.ts';

export interface DescriptorWord {
  readonly word: bigint;
  /** Whether it has 8 digits, like a 32-bit word. */
  readonly short: boolean;
  /** The place that the text gives. */
  readonly level?: number | undefined;
  readonly stage?: 1 | 2 | undefined;
  readonly granule?: GranuleName | undefined;
}

/** The words of a text that are descriptors by their name or form, and the numbers that are left out. */
export interface FoundWords {
  readonly words: readonly DescriptorWord[];
  /** As written, with the reason. */
  readonly left: readonly string[];
}

/** @throws CliError (usage) for anything but a number of at most 64 bits. */
export function typedWord(text: string): DescriptorWord {
  return { word: parseAddress(text, 'descriptor'), short: /^0x[0-9a-f]{8}$/i.test(text.replaceAll('_', '')) };
}

/** An address at the start of a dump's line, before a colon. */
const DUMP_ADDRESS = /^\s*(?:0x)?[0-9a-f]{4,16}:\s/i;
const WITH_0X = /(?<![\w.])0x[0-9a-f]{1,16}\b/gi;
/** Without 0x a word must have all its digits. */
const BARE = /(?<![\w.])(?:[0-9a-f]{16}|[0-9a-f]{8})\b/gi;
/** Names of descriptors. */
const DESCRIPTOR =
  /\b(?:pgd|p4d|pud|pmd|pte|ppte|dte|descriptor|desc|entry|word|block|page|table)s?\s*(?:is|:|=|->)?\s*$/i;
/** What comes before an address, an index or a register's value: a name, `@`, a bracket; for some names nothing more. */
const OTHER =
  /(?:[@[(]|\b[a-z_][\w.]*(?:\s[a-z]+){0,2}\s*[:=]|(?:index|idx|event|address|addr|offset|at|\bx\/\d{0,4}\w{0,3}|\b(?:esr|far|hpfar|elr|spsr|par|v?ttbr[01]?|v?tcr|sctlr|mair|[hd]far|[id]fsr|fsr|pc|lr|sp|[xr]\d{1,2})(?:_el\d{1,2})?)\s)\s*(?:0x)?$/i;
/** crash's vtop: the physical address at the end of the walk. */
const PAGE = /^\s*PAGE: /;
const NOT_WALKED = 'the text has a walk, and this is none of its entries';
/** Instructions around the PC in an oops. */
const CODE = /\bCode: /;

/**
 * The words of a text. Entries of a printed walk have their names, levels and stage. In other lines, words with 0x count, or if there are none,
 * those of 8 or 16 digits, unless they have another name.
 */
export function wordsIn(text: string): FoundWords {
  const { lines } = undamaged(text);
  const walks = printedWalks(lines);
  const words: DescriptorWord[] = [];
  const left: string[] = [];
  const done = new Set<bigint>();
  let record = 0;
  for (const [i, line] of lines.entries()) {
    const walk = walks.find(({ first, last }) => i >= first && i <= last);
    if (walk !== undefined) {
      if (i !== walk.first) continue;
      const { entries, stage, granule, format } = walk.walk;
      if (format === 'own') {
        left.push(
          ...entries.map(({ name, value }) => `${hex(value)} (${name} of an IOMMU with a format of its own)`),
        );
        continue;
      }
      for (const { value, level } of entries) {
        words.push({
          word: value,
          short: format === 'short',
          ...(format === 'long' && { level, stage, granule }),
        });
        done.add(value);
      }
      continue;
    }
    if (CODE.test(line)) continue;
    if (EVENT_HEAD.test(line)) record = WORDS_OF_EVENT;
    else if (record > 0 && wordOf(line) !== undefined) {
      record--;
      left.push(`${line.trim().split(/\s+/).at(-1)} (a word of an event record)`);
      continue;
    }
    const rest = messageOf(line).replace(DUMP_ADDRESS, '');
    const marked = [...rest.matchAll(WITH_0X)];
    const found = marked.length > 0 ? marked : [...rest.matchAll(BARE)];
    for (const { 0: digits, index } of found) {
      const word = typedWord(marked.length > 0 ? digits : `0x${digits}`);
      const before = rest.slice(0, index);
      const walked = walks.length > 0 && (PAGE.test(line) || !DUMP_ADDRESS.test(messageOf(line)));
      const named = DESCRIPTOR.test(before) && !(walked && PAGE.test(line));
      const reason = named ? undefined : walked ? NOT_WALKED : reasonAgainst(before, word.word);
      if (reason !== undefined) left.push(`${digits} (${reason})`);
      else if (!done.has(word.word)) words.push(word);
    }
  }
  return { words, left };
}

const WORDS_OF_EVENT = 4;
const KERNEL = 0xffff_0000_0000_0000n;

function reasonAgainst(before: string, word: bigint): string | undefined {
  if (OTHER.test(before)) return 'by its name or place it is an address, an index or a register';
  return word >= KERNEL && word % 2n === 0n ? "a kernel's address" : undefined;
}
