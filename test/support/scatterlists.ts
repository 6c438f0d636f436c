/** Random scatterlists that hit what matters: runs, offsets, blocks, empty entries, misalignment, the end of the output space. */
import fc from 'fast-check';
import type { TableFormat } from '../../formats/index.ts';
import { Scatterlist } from '../../src/index.ts';
import type { Prot } from '../../src/pagetable/format.ts';
import { sizesOf } from '../../src/pagetable/page-size.ts';

/** An entry, in terms of pages: what it is in bytes follows from the format and from where it comes to lie. */
export interface EntryPlan {
  /** Touching the last entry; anywhere; at the offset in a block (or in the largest block) that its IOVA has; at the end of the output space. */
  readonly place: 'next' | 'anywhere' | 'block' | 'largest' | 'end';
  readonly where: number;
  readonly pages: number;
  readonly blocks: number;
  /** Bytes added to address and length: 0 but for entries that are to be refused, or joined. */
  readonly skew: number;
  readonly stretch: number;
}

const mostly = (value: number, rare: fc.Arbitrary<number>) =>
  fc.oneof({ weight: 40, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: rare });

export const entryPlan: fc.Arbitrary<EntryPlan> = fc.record({
  place: fc.oneof(
    { weight: 24, arbitrary: fc.constantFrom<EntryPlan['place']>('next', 'anywhere') },
    { weight: 12, arbitrary: fc.constantFrom<EntryPlan['place']>('block', 'largest') },
    { weight: 1, arbitrary: fc.constant<EntryPlan['place']>('end') },
  ),
  where: fc.nat({ max: 40 }),
  pages: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 6 }) },
    { weight: 1, arbitrary: fc.nat({ max: 600 }) },
  ),
  blocks: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) },
  ),
  skew: mostly(0, fc.constantFrom(0x800, 0x200, 0x1000)),
  stretch: mostly(0, fc.constantFrom(-0x800, 0x800, 0x200)),
});

export const sgPlan = fc.array(entryPlan, { maxLength: 14 });

export const anyProt: fc.Arbitrary<Prot> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom<Prot>({ read: true, write: true }, { read: true, cache: true, noexec: true }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Prot>({}, { write: true, mmio: true, priv: true }) },
);

/** Where in the input space a plan's place is: near its start, around a table's or block's end, near its end. Bytes from the first IOVA. */
export function startOf(format: TableFormat, place: { where: number; pages: number; skew: number }): bigint {
  const { granuleLog2, ias } = format;
  const page = 1n << BigInt(granuleLog2);
  const end = 1n << BigInt(ias);
  const table = page << BigInt(granuleLog2 - 3);
  const anchors = [
    0n,
    table < end ? table : 0n,
    end / 2n,
    end - 8n * page,
    end - (table < end ? table : 8n * page),
  ];
  const ia = anchors[place.where % anchors.length]! + BigInt(place.pages - 3) * page;
  return (ia < 0n ? 0n : ia) + BigInt(place.skew);
}

export const start = fc.record({
  where: fc.nat({ max: 4 }),
  pages: fc.nat({ max: 9 }),
  skew: mostly(0, fc.constantFrom(0x800, 0x1000)),
});

/** The plan's scatterlist, to be mapped at `ia`. */
export function scatterlistOf(plan: readonly EntryPlan[], format: TableFormat, ia: bigint): Scatterlist {
  const sizes = sizesOf(format.pgsizeBitmap).map((log2) => 2 ** log2);
  const page = sizes[0]!;
  const block = sizes[1] ?? page;
  const largest = sizes.filter((size) => size <= 2 ** 30).at(-1)!;
  const sg = new Scatterlist();
  let at = Number(ia);
  let last = page;
  for (const { place, where, pages, blocks, skew, stretch } of plan) {
    const congruent = place === 'block' || place === 'largest';
    const length = Math.max(0, pages * page + (congruent ? blocks * block : 0) + stretch);
    const unit = place === 'largest' ? largest : block;
    const base = congruent
      ? (where % 3) * unit + (at % unit)
      : place === 'end'
        ? 2 ** format.oas - ((where % 4) + 1) * page
        : where * page;
    const phys = (place === 'next' ? last : base) + skew;
    sg.addRange(BigInt(phys), length);
    last = phys + length;
    at += length;
  }
  return sg;
}
