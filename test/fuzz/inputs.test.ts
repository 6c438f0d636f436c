/** Short runs over what people give to the program: random register and golden files, and changes of every member of golden files. `npm run fuzz -- --registers=10000` is the long one. */
import { expect, test } from 'vitest';
import { Random } from '../support/random.ts';
import { INFORMATION } from './information.ts';
import { runInput } from './inputs.ts';
import { FILES, load, told } from './told-members.ts';

const newSeed = () => Math.floor(Math.random() * 2 ** 32);

test('200 random register and golden files: an answer or a message', async () => {
  const seed = newSeed();
  console.log(`fuzz seed ${seed}`);
  const ends = new Set<string>();
  for (let round = 0; round < 200; round++) ends.add(await runInput(seed, round));
  // Files are neither always refused nor never.
  for (const end of ['lpae check, exit code 3', 'lpae walk, exit code 1', 'lpae dump, exit code 0']) {
    expect([...ends]).toContain(end);
  }
}, 120_000);

test('a change of any member of a golden file is reported, except of members that are information only', async () => {
  const seed = newSeed();
  console.log(`fuzz seed ${seed}`);
  const kinds = new Map<string, boolean>();
  for (const name of FILES) {
    for (const [kind, seen] of await told(new Random(seed), load(name))) {
      kinds.set(kind, seen || kinds.get(kind) === true);
    }
  }
  const passedOver = [...kinds].filter(([, seen]) => !seen).map(([kind]) => kind);
  expect(passedOver.toSorted()).toEqual(Object.keys(INFORMATION).toSorted());
}, 120_000);
