/** Words that walks read: with steps, without, in bulk, and after walks that nobody watched. */
import { expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { touchedWords } from '../../src/image/touched.ts';
import { IommuDomain, PhysicalMemory } from '../../src/index.ts';
import { createWalker } from '../../src/walker/index.ts';

test('are the descriptors on the way, whichever way a walk takes', () => {
  const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 26n });
  const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x1000n, ias: 48, oas: 48 });
  domain.map(0x40_0060_3000n, 0x9_0000_0000n, 0x2000n, { read: true });
  const walker = createWalker(memory, domain.registers.hardware);
  const ia = 0x40_0060_4000n;
  // Levels 0 to 3 are tables in the order in which they were made: entries 0, 256, 3 and 0x4.
  const { steps } = walker.walk(ia, { access: 'read' });
  const expected = steps.map(({ address }) => address & ~7n).sort((a, b) => (a < b ? -1 : 1));
  expect(expected.map((pa) => pa & 0xfffn).sort()).toEqual([0x0n, 0x800n, 0x18n, 0x20n].sort());
  const ways: readonly (readonly [string, () => void])[] = [
    ['steps', () => walker.walk(ia, { access: 'read' })],
    ['no steps', () => walker.walk(ia, { access: 'read', trace: false })],
    ['the PA alone', () => walker.translate(ia, { access: 'read' })],
    [
      'bulk',
      () => walker.translateMany(Float64Array.of(Number(ia)), new Float64Array(1), { access: 'read' }),
    ],
  ];
  for (let again = 0; again < 3; again++) {
    for (const [name, walk] of ways) {
      expect(touchedWords(memory, walk), name).toEqual(expected);
      // Unwatched, the fast path remembers what it can.
      walk();
    }
  }
});
