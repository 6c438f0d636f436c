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
  v.check((offset) => BigInt(offset) < 4096n && BigInt(offset) % 8n === 0n, OFFSET),
);

const frameSchema = members(
  { pa: hexWord, words64: record(offsetInFrame, hexWord) },
  'member of a frame',
  PART,
);
const wordSchema = pair({ pa: hexWord, word: hexWord });

/** Frames with their words by offset, or single words as `[pa, word]`; a list may hold both. */
export const memorySchema = v.pipe(
  v.array(
    oneShapeOf(
      [frameSchema, wordSchema],
      (json) => (Array.isArray(json) ? wordSchema : frameSchema),
      'must be a frame { pa, words64 } or a pair: ["0x<pa>", "0x<word>"]',
    ),
  ),
  v.transform((parts) =>
    parts.flatMap((part) =>
      'words64' in part
        ? Object.entries(part.words64).map(([offset, word]) => [part.pa + BigInt(offset), word] as const)
        : [[part.pa, part.word] as const],
    ),
  ),
  v.check((words) => words.every(([pa]) => pa % 8n === 0n), 'the pa of a 64-bit word is a multiple of 8'),
  v.check(
    (words) => new Set(words.map(([pa]) => pa)).size === words.length,
    'must not hold two words at one pa',
  ),
);
