/** Tables in memory that is loaded from elsewhere: chunks may be dropped and loaded again, and every walk sees what is there now. */
import { expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { createWalker } from '../../src/walker/index.ts';

/** Level 1, 2 and 3 tables at 0x1000, 0x2000 and 0x3000, in another chunk at 0x13000 the level 3 table: page 0 leads to 0x8000_0000. */
const WORDS: ReadonlyMap<number, bigint> = new Map([
  [0x1000, 0x2003n],
  [0x2000, 0x1_3003n],
  [0x1_3000, 0x8000_0f43n],
]);

function loadedMemory(): PhysicalMemory {
  return new PhysicalMemory({
    base: 0n,
    size: 1n << 32n,
    load: (pa, bytes) => {
      const words = new BigUint64Array(bytes.buffer);
      for (const [at, word] of WORDS) if (at >= pa && at < pa + bytes.length) words[(at - pa) / 8] = word;
    },
  });
}

test('translate and walk agree, whatever was dropped and written in between', () => {
  const memory = loadedMemory();
  const tcr = 25n | (1n << 23n);
  const walker = createWalker(memory, { regime: 'el1&0', registers: { ttbr0: 0x1000n, tcr, mair: 0xffn } });
  const read = { access: 'read' } as const;
  const pas = new Float64Array(1);
  const answers = () => {
    const walked = walker.walk(0x123n, read);
    walker.translateMany(Float64Array.of(0x123), pas, read);
    return [walked.ok && walked.pa, walker.translate(0x123n, read), BigInt(pas[0]!)];
  };
  expect(answers()).toEqual(Array(3).fill(0x8000_0123n));
  // More chunks than are kept, so that those of the tables are dropped.
  for (let pa = 0x10_0000n; pa < 0x800_0000n; pa += 0x1_0000n) memory.read64(pa);
  memory.write64(0x1_3000n, 0x9000_0f43n);
  expect(answers()).toEqual(Array(3).fill(0x9000_0123n));
});
