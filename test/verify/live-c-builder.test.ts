/** The same situations and falsified intentions for tables that a C program builds. Without a C compiler they are skipped, in CI they fail. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createMachine, type Translator } from '../../src/machine/machine.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { expectFound, expectMeant, SITUATIONS, type Situation } from './situations.ts';

const SOURCE = join(import.meta.dirname, 'builder.c');
/** Where the builder puts its tables. */
const BASE = 0x4000_0000n;
const folder = mkdtempSync(join(tmpdir(), 'lpae-builder-'));
const program = join(folder, 'builder');
const has = spawnSync('cc', ['--version']).status === 0;
if (!has && !process.env.CI) console.log('skipped: cc is not installed');

const hexDigits = (value: bigint) => value.toString(16);

/** The tables that the program builds, walked by the situation's machine. */
function built({ granuleLog2, startLevel, roots, machine }: Situation): Translator {
  const input = [
    `${granuleLog2} ${startLevel}`,
    ...roots.flatMap((regions) => [
      String(regions.length),
      ...regions.map(({ va, pa, size, attributes }) => [va, pa, size, attributes].map(hexDigits).join(' ')),
    ]),
  ].join('\n');
  const file = join(folder, 'tables.bin');
  const { status, stdout, stderr } = spawnSync(program, [file], { input, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const bytes = readFileSync(file);
  const memory = new PhysicalMemory({ base: BASE, size: BigInt(bytes.length) });
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  for (const [i, word] of words.entries()) if (word !== 0n) memory.write64(BASE + BigInt(8 * i), word);
  const at = stdout
    .trim()
    .split('\n')
    .map((digits) => BigInt(`0x${digits}`));
  return createMachine({ memory, ...machine(at) })();
}

describe.skipIf(!has && !process.env.CI)('a builder in C', () => {
  beforeAll(() => {
    const { status, stderr } = spawnSync(
      'cc',
      ['-std=c99', '-Wall', '-Wextra', '-Werror', '-o', program, SOURCE],
      {
        encoding: 'utf8',
      },
    );
    expect([status, stderr]).toEqual([0, '']);
  });

  describe.each(SITUATIONS)('$name', (situation) => {
    test('is as its author meant it', () => expectMeant(built(situation), situation));
    test.each(situation.falsified)('%s -> %s', (...falsified) =>
      expectFound(built(situation), situation, falsified),
    );
  });
});
