/**
 * Ranges of IOVAs that a domain keeps free, such as the window of an MSI doorbell: Linux's iommu_resv_region (include/linux/iommu.h). Linux's DMA
 * layer does not hand them out, and VFIO refuses to map over them.
 */
import { hex, IommuError } from '../pagetable/errors.ts';
import { checkWord } from './checks.ts';

/** Kinds of reserved ranges: `msi` is where a device writes its interrupts, which the IOMMU does not translate. */
export const RESERVED_TYPES = ['reserved', 'msi'] as const;

/** A range that no mapping may touch: `size` bytes from `iova` on. */
export interface ReservedRange {
  readonly iova: bigint;
  readonly size: bigint;
  /** Default: `reserved`. */
  readonly type?: (typeof RESERVED_TYPES)[number];
}

/** @throws IommuError EINVAL for a range that is empty, ends beyond 64 bits, or is of no known type. */
export function checkReserved(ranges: readonly ReservedRange[]): void {
  for (const { iova, size, type = 'reserved' } of ranges) {
    checkWord('reserved iova', iova);
    checkWord('reserved size', size);
    if (size === 0n || BigInt.asUintN(64, iova + size - 1n) !== iova + size - 1n) {
      throw new IommuError(
        'EINVAL',
        `the reserved range [${hex(iova)}, +${hex(size)}) must have at least one byte and end within 64 bits`,
        { iova, size },
      );
    }
    if (!RESERVED_TYPES.includes(type)) {
      throw new IommuError(
        'EINVAL',
        `the type of a reserved range must be one of ${RESERVED_TYPES.join(', ')}, not ${String(type)}`,
        { iova, size },
      );
    }
  }
}

/** @throws IommuError EINVAL when `[iova, iova + size)` touches one of the ranges. */
export function refuseReserved(ranges: readonly ReservedRange[], iova: bigint, size: bigint): void {
  const hit = ranges.find((one) => one.iova < iova + size && iova < one.iova + one.size);
  if (hit === undefined) return;
  const what = hit.type === 'msi' ? 'the MSI window' : 'the reserved range';
  throw new IommuError(
    'EINVAL',
    `[${hex(iova)}, +${hex(size)}) touches ${what} [${hex(hit.iova)}, +${hex(hit.size)}), where nothing may be mapped; map below ${hex(hit.iova)}, or from ${hex(hit.iova + hit.size)} on`,
    { iova: hit.iova, size: hit.size },
  );
}
