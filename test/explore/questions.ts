/** Random questions for the playground: lists that fit, that don't, and that overlap blocks. */
import fc from 'fast-check';
import type { Playground } from '../../src/explore/playground.ts';

const PAGES = [0x1000, 0x4000, 0x1_0000] as const;

const entry = fc
  .record({
    page: fc.oneof(fc.nat(64), fc.integer({ min: 0x9_0000, max: 0x9_4000 })),
    pages: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(512, 32, 128)),
    unit: fc.constantFrom(...PAGES),
    skew: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(0xfff) }),
  })
  .map(({ page, pages, unit, skew }) => ({
    phys: BigInt(page) * BigInt(unit) + BigInt(skew),
    length: BigInt(pages) * BigInt(unit),
  }));

export const question: fc.Arbitrary<Playground> = fc.record({
  cpuPage: fc.constantFrom(...PAGES),
  granule: fc.constantFrom(...PAGES),
  sizes: fc.constantFrom('pages', 'blocks', 'contiguous'),
  stage: fc.constantFrom('s1', 's2'),
  semantics: fc.constantFrom('exact', 'per-entry', 'page-align'),
  iova: fc.oneof(
    fc.constantFrom(0n, 0x1000_0000n, 0xffff_ffff_0000n),
    fc.nat(0xffff).map((n) => BigInt(n) << 12n),
  ),
  sg: fc.array(entry, { maxLength: 6 }),
});
