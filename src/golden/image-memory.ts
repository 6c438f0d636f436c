/** The JSON of a golden image's memory: frames of words, or words by address. (pgtable-golden/1, kind image.) */
import * as v from 'valibot';
import { oneShapeOf, pair, record } from '../json/schemas.ts';
import { PART } from './image-words.ts';
import { members } from './members.ts';
import { hexWord } from './schema.ts';

const OFFSET = 'expected a byte offset below 4096, a multiple of 8, in decimal or as 0x…';
const offsetInFrame = v.pipe(
  v.string(OFFSET),
  v.regex(/^(\d{1,4}|0x[0-9a-fA-F]{1,3})$/, OFFSET),
  v.check((offset) => Number(offset) < 4096 && Number(offset) % 8 === 0, OFFSET),
);

const frameSchema = members(
  { pa: hexWord, words64: record(offsetInFrame, hexWord) },
  'member of a frame',
  PART,
);
const wordSchema = pair({ pa: hexWord, word: hexWord });

interface Frame {
  readonly pa: bigint;
  readonly words64: Readonly<Record<string, bigint>>;
}

interface Word {
  readonly pa: bigint;
  readonly word: bigint;
}

function wordsOf(parts: readonly (Frame | Word)[]): (readonly [pa: bigint, word: bigint])[] {
  const words: (readonly [pa: bigint, word: bigint])[] = [];
  for (const part of parts) {
    if ('word' in part) words.push([part.pa, part.word]);
    else for (const offset in part.words64) words.push([part.pa + BigInt(offset), part.words64[offset]!]);
  }
  return words;
}

/** Sorting numbers takes a third of what a set of bigints does. Two PAs that a double can't tell apart are looked at closer. */
function areAtDifferentPas(words: readonly (readonly [pa: bigint, word: bigint])[]): boolean {
  const sorted = Float64Array.from(words, ([pa]) => Number(pa)).sort();
  for (let i = 1; i < sorted.length; i++)
    if (sorted[i] === sorted[i - 1]) return new Set(words.map(([pa]) => pa)).size === words.length;
  return true;
}

/** Frames with their words by offset, or single words as `[pa, word]`; a list may hold both. */
export const memorySchema = v.pipe(
  v.array(
    oneShapeOf(
      [frameSchema, wordSchema],
      (json) => (Array.isArray(json) ? wordSchema : frameSchema),
      'must be a frame { pa, words64 } or a pair: ["0x<pa>", "0x<word>"]',
    ),
  ),
  // Offsets in a frame are multiples of 8.
  v.check((parts) => parts.every(({ pa }) => pa % 8n === 0n), 'the pa of a 64-bit word is a multiple of 8'),
  v.transform((parts) => wordsOf(parts)),
  v.check((words) => areAtDifferentPas(words), 'must not hold two words at one pa'),
);
