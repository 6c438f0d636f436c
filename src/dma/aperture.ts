/** The IOVA space of a domain, and the allocator that all its devices share: the iova_domain of Linux's iommu_dma_init_domain. */
import { IommuDomain } from '../iommu/domain.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import { IovaAllocator } from './iova-allocator.ts';

/** The addresses that an allocator for a domain may hand out: first and last address, and bytes of a granule. */
export interface Aperture {
  readonly base: bigint;
  readonly limit: bigint;
  readonly granule: bigint;
}

const shared = new WeakMap<IommuDomain, IovaAllocator>();

/**
 * All input addresses of a domain except the page at 0: a device that was never programmed accesses it, and must find nothing there.
 * @throws IommuError EINVAL when it is not a domain.
 */
export function apertureOf(domain: IommuDomain): Aperture {
  if (!(domain instanceof IommuDomain)) {
    throw new IommuError('EINVAL', `domain must be an IommuDomain, not ${String(domain)}`);
  }
  const { firstIova, ias, pgsizeBitmap } = domain.format;
  const granule = pgsizeBitmap & -pgsizeBitmap;
  return {
    base: firstIova === 0n ? granule : firstIova,
    limit: firstIova + (1n << BigInt(ias)) - 1n,
    granule,
  };
}

/** The allocator over a domain's aperture, shared by all callers that pass none. */
export function iovaAllocatorOf(domain: IommuDomain): IovaAllocator {
  const aperture = apertureOf(domain);
  let allocator = shared.get(domain);
  if (allocator === undefined) {
    allocator = new IovaAllocator(aperture);
    shared.set(domain, allocator);
  }
  return allocator;
}

/** @throws IommuError EINVAL unless all that the allocator hands out can be mapped in the domain. */
export function checkAllocator(allocator: IovaAllocator, domain: IommuDomain): void {
  if (!(allocator instanceof IovaAllocator)) {
    throw new IommuError('EINVAL', `allocator must be an IovaAllocator, not ${String(allocator)}`);
  }
  const { base, limit, granule } = apertureOf(domain);
  if (allocator.granule % granule !== 0n) {
    throw new IommuError(
      'EINVAL',
      `an allocator with granules of ${hex(allocator.granule)} bytes can't serve a domain whose smallest page has ${hex(granule)}`,
      { pageSize: granule },
    );
  }
  const first = base === granule ? 0n : base;
  if (allocator.base < first || allocator.limit > limit) {
    throw new IommuError(
      'EINVAL',
      `the allocator's [${hex(allocator.base)}, ${hex(allocator.limit)}] must lie inside the domain's [${hex(first)}, ${hex(limit)}]`,
      { iova: allocator.base },
    );
  }
}
