/** Mutations of posted faults and of texts without any: what reading them must end with. Shared by a test and by `npm run fuzz -- --logs`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wordsIn } from '../../src/cli/text/descriptor-words.ts';
import { faultJson, faultLines, walkOnlyLines } from '../../src/cli/text/fault-text.ts';
import { countFaults, parsePost } from '../../src/glossary/faults/parse.ts';
import { makeStyle } from '../../src/text/style.ts';
import { Random } from '../support/random.ts';
import { Violation } from './check.ts';

/** No text takes longer, whatever it is. */
const MAX_MILLISECONDS = 1000;

const texts = ['posts.jsonl', 'quiet.jsonl'].flatMap((name) =>
  readFileSync(join(import.meta.dirname, '../../fixtures/faults', name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { text: string }).text),
);

const PIECES = [
  '=',
  '0x',
  '>',
  '> ',
  '[',
  ']',
  '\n',
  '\r',
  '(',
  ':',
  '  ',
  '=3D',
  '=\n',
  'ffffffffffffffff',
  '\u0000',
  'esr',
  'fsr',
];

function mutated(random: Random, text: string): string {
  let result = text;
  for (let n = random.between(1, 6); n > 0; n--) {
    const at = random.between(0, result.length);
    const length = random.between(1, 40);
    switch (random.between(0, 5)) {
      case 0:
        result = result.slice(0, at) + result.slice(at + length);
        break;
      case 1:
        result = result.slice(0, at) + random.pick(PIECES) + result.slice(at);
        break;
      case 2: {
        const other = random.pick(texts);
        const from = random.between(0, other.length);
        result = result.slice(0, at) + other.slice(from, from + 400) + result.slice(at);
        break;
      }
      case 3:
        result =
          result.slice(0, at) +
          result.slice(at, at + length).repeat(random.between(2, 40)) +
          result.slice(at + length);
        break;
      case 4:
        result = result.replaceAll('\n', random.pick([' ', '\r\n', '\n> ', '\n\n']));
        break;
      default:
        result = result.slice(0, at) + random.pick('0123456789abcdefx'.split('')) + result.slice(at + 1);
    }
  }
  return result;
}

/**
 * One mutated text, read and printed in every way.
 * @throws Violation where that takes more than a second of CPU time; whatever reading throws.
 */
export function runLog(
  seed: number,
  round: number,
): { readonly faults: number; readonly milliseconds: number } {
  const random = new Random(seed + round * 7919);
  const text = mutated(random, texts[round % texts.length]!);
  const style = makeStyle(false);
  const start = process.cpuUsage();
  const { faults, walks } = parsePost(text);
  for (const fault of countFaults(faults)) {
    if (faultLines(fault, style).length === 0) throw new Violation('a fault without a word');
    faultJson(fault);
  }
  for (const walk of walks) walkOnlyLines(walk, style);
  wordsIn(text);
  const { user, system } = process.cpuUsage(start);
  const milliseconds = (user + system) / 1000;
  if (milliseconds > MAX_MILLISECONDS)
    throw new Violation(`${milliseconds.toFixed(0)} ms for ${text.length} characters`);
  return { faults: faults.length, milliseconds };
}
