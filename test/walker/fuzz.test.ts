/** Random memory and random registers: always an answer, never an exception, and no read outside RAM. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { faultStatusCode } from '../../src/walker/fault-codes.ts';
import { cpuModels, createWalker, parEl1, regimes } from '../../src/walker/index.ts';

const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
/** Words that point into the small RAM more often than chance would have it. */
const tableWord = fc
  .tuple(word, fc.nat(31))
  .map(([bits, frame]) => (bits & ~0xffff_f000n & ~(0xffffn << 32n)) | BigInt(frame << 12));
const registers = fc.record({
  ttbr0: fc.oneof(word, tableWord),
  ttbr1: fc.oneof(word, tableWord),
  tcr: word,
  mair: word,
  sctlr: word.map((value) => value | 1n),
  vttbr: fc.oneof(word, tableWord),
  vtcr: word,
  hcr: word.map((value) => (value | 1n) & ~((1n << 12n) | (1n << 27n))),
  dacr: word,
});
const access = fc.record({
  access: fc.constantFrom('read', 'write', 'execute'),
  privileged: fc.boolean(),
  pan: fc.boolean(),
  trace: fc.boolean(),
} as const);

describe('random everything', () => {
  test.each(regimes)('%s: a translation or a fault', (regime) => {
    fc.assert(
      fc.property(
        registers,
        fc.array(fc.oneof(word, tableWord), { minLength: 64, maxLength: 64 }),
        fc.constantFrom(...cpuModels),
        fc.array(fc.tuple(fc.oneof(word, fc.bigInt(0n, 0xffff_ffffn)), access), {
          minLength: 8,
          maxLength: 8,
        }),
        (values, words, model, probes) => {
          const buffer = new ArrayBuffer(0x2_0000);
          const memory = new PhysicalMemory({ base: 0n, buffer });
          const view = new BigUint64Array(buffer);
          for (let i = 0; i < view.length; i++) view[i] = words[(i * 7) % words.length] ?? 0n;
          const walker = createWalker(memory, { regime, registers: values, cpu: model });
          for (const [ia, asked] of probes) {
            const result = walker.walk(ia, asked);
            expect(result.ia).toBe(ia);
            expect(parEl1(result) & 1n).toBe(result.ok ? 0n : 1n);
            if (result.ok) {
              expect(result.pa >= 0n && result.pa < 1n << 52n).toBe(true);
              expect(result.pa - result.leafBase < result.size).toBe(true);
            } else {
              expect(faultStatusCode(result.fault)).toBeLessThan(64);
              expect(result.fault.level).toBeGreaterThanOrEqual(-1);
              expect(result.fault.level).toBeLessThanOrEqual(3);
            }
            for (const step of result.steps) expect(step.level >= -1 && step.level <= 3).toBe(true);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
