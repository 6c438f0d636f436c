/** Descriptors as they are typed, and as they stand in the text of a log or a memory dump. */
import { parseAddress } from '../input/address.ts';

export interface DescriptorWord {
  readonly word: bigint;
  /** Written with 8 digits, as a 32-bit word is. */
  readonly short: boolean;
}

/** @throws CliError (usage) for what is no number of at most 64 bits. */
export function typedWord(text: string): DescriptorWord {
  return { word: parseAddress(text, 'descriptor'), short: /^0x[0-9a-f]{8}$/i.test(text.replaceAll('_', '')) };
}

/** An address at the start of a dump's line, before a colon. */
const DUMP_ADDRESS = /^\s*(?:0x)?[0-9a-f]{4,16}:\s/i;
const WITH_0X = /(?<![\w.])0x[0-9a-f]{1,16}\b/gi;
/** Without 0x a word must have all its digits. */
const BARE = /(?<![\w.])(?:[0-9a-f]{16}|[0-9a-f]{8})\b/gi;

/** The words that a text holds: with 0x, or in a line without such ones those of 8 or 16 digits. */
export function wordsIn(text: string): DescriptorWord[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const rest = line.replace(DUMP_ADDRESS, '');
    const marked = rest.match(WITH_0X) ?? [];
    const found = marked.length ? marked : (rest.match(BARE) ?? []).map((digits) => `0x${digits}`);
    return found.map(typedWord);
  });
}
