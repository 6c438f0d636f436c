/** What is mapped after the last operation: the walker must see every range of the file, and the tables must hold nothing else. */
import type { IommuDomain } from '../iommu/domain.ts';
import { hex } from '../text/numbers.ts';
import { createWalker } from '../walker/index.ts';
import type { Difference } from './result.ts';
import { walkAnyAccess } from './witness.ts';

/** @param left - IOVA, PA and bytes of each range, in any order. */
export function compareLeft(
  domain: IommuDomain,
  left: readonly (readonly [bigint, bigint, bigint])[],
): { readonly differences: readonly Difference[]; readonly checked: number } {
  const differences: Difference[] = [];
  const walker = createWalker(domain.memory, domain.registers.hardware);
  let wanted = 0n;
  for (const [i, [iova, pa, size]] of left.entries()) {
    wanted += size;
    for (let at = 0n; at < size; ) {
      const walk = walkAnyAccess(walker, iova + at);
      if (!walk.ok || walk.pa !== pa + at) {
        differences.push({
          where: `left[${i}] IOVA ${hex(iova + at)}`,
          want: hex(pa + at),
          got: walk.ok ? hex(walk.pa) : 'not mapped',
        });
        break;
      }
      at += walk.leafBase + walk.size - walk.pa;
    }
  }
  const got = mappedBytes(domain);
  if (got !== wanted) {
    differences.push({ where: 'left', want: `${hex(wanted)} bytes mapped`, got: `${hex(got)} bytes` });
  }
  return { differences, checked: left.length + 1 };
}

function mappedBytes(domain: IommuDomain): bigint {
  let bytes = 0n;
  for (const { level, entries } of domain.tables()) {
    const { shift } = domain.format.levels.find((one) => one.level === level)!;
    bytes += BigInt(entries.filter(({ kind }) => kind !== 'table').length) << BigInt(shift);
  }
  return bytes;
}
