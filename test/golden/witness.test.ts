/** The witness of golden operations: it says nothing of a domain that did as asked, and something of each way to do otherwise. */
import { expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { mappedOtherwise, pictureOf, stillMapped } from '../../src/golden/witness.ts';
import { IommuDomain, PhysicalMemory } from '../../src/index.ts';
import { createWalker } from '../../src/walker/index.ts';

const IOVA = 0x20_0000n;
const RANGE = { iova: IOVA, size: 0x4000n, pa: 0x9000_0000n, prot: { read: true, write: true } };

/** Four pages at IOVA, mapped through the driver side. The level 3 table is the fourth frame. */
function mapped() {
  const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 24n });
  const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
  domain.map(IOVA, RANGE.pa, RANGE.size, RANGE.prot);
  const walker = createWalker(memory, domain.registers.hardware);
  return { memory, walker, format: domain.format };
}

test('agrees with what was done', () => {
  const { walker, format } = mapped();
  expect(mappedOtherwise(walker, format, RANGE)).toBeUndefined();
  expect(stillMapped(walker, format, 0n, IOVA)).toBeUndefined();
  expect(stillMapped(walker, format, IOVA + RANGE.size, 1n << 40n)).toBeUndefined();
});

test.each([
  ['a page missing', 0n, 'a translation fault at level 3'],
  ['a page that leads elsewhere', 0x9000_9e43n, 'it leads to 0x90009000'],
  ['a page that may only be read', 0x9000_2ec3n, 'it is of other rights for privileged accesses'],
  ['a page that is Device memory', 0x9000_2e4bn, 'it is device memory'],
])('sees %s', (_what, word, got) => {
  const { memory, walker, format } = mapped();
  const before = pictureOf(walker, format, 0n, 0x40_0000n);
  memory.write64(0x8000_3010n, word);
  expect(mappedOtherwise(walker, format, RANGE)?.got).toBe(got);
  const after = pictureOf(walker, format, 0n, 0x40_0000n);
  if (got.includes('fault') || got.includes('leads')) expect(after).not.toEqual(before);
  else expect(after).toEqual(before);
});

test('sees what is still mapped, wherever in the range', () => {
  const { walker, format } = mapped();
  expect(stillMapped(walker, format, 0n, IOVA + 1n)).toEqual({
    want: 'IOVA 0x200000 faults',
    got: 'it leads to 0x90000000',
  });
});

test('a picture shows translations: adding or removing empty tables does not change it', () => {
  const { memory, walker, format } = mapped();
  const before = pictureOf(walker, format, 0n, 1n << 41n);
  memory.write64(0x8000_0008n, 0x8000_5003n);
  expect(pictureOf(walker, format, 0n, 1n << 41n)).toEqual(before);
  memory.write64(0x8000_5000n, 0x8000_6003n);
  memory.write64(0x8000_6000n, 0x8000_7003n);
  memory.write64(0x8000_7000n, 0x9000_0e43n);
  expect(pictureOf(walker, format, 0n, 1n << 41n)).not.toEqual(before);
});
