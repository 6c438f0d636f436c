/** Tables of a small builder in TypeScript, in four situations: what their author meant is so, and of ten falsified intentions each is found. */
import { describe, test } from 'vitest';
import { createMachine } from '../../src/machine/machine.ts';
import { expectFound, expectMeant, SITUATIONS, type Situation } from './situations.ts';
import { TinyTables } from './tiny-tables.ts';

function built({ granuleLog2, startLevel, roots, machine }: Situation) {
  const tables = new TinyTables(granuleLog2, startLevel);
  const at = roots.map((regions) => tables.root(regions));
  return createMachine({ memory: tables.memory, ...machine(at) })();
}

describe.each(SITUATIONS)('$name', (situation) => {
  test('is as its author meant it', () => expectMeant(built(situation), situation));
  test.each(situation.falsified)('%s -> %s', (...falsified) =>
    expectFound(built(situation), situation, falsified),
  );
});
