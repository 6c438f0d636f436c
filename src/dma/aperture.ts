/** The IOVA space of a domain, and the allocator that all its devices share: the iova_domain of Linux's iommu_dma_init_domain. */

import { shown } from '../iommu/checks.ts';
import { IommuDomain } from '../iommu/domain.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import { IovaAllocator } from './iova-allocator.ts';
import { IOVA_POLICIES, type IovaPolicy, type IovaRange, type IovaSource } from './iova-source.ts';
import { LinuxIovaAllocator } from './linux-iova-allocator.ts';

/** The addresses that an allocator for a domain may hand out: first and last address, and bytes of a granule. */
export interface Aperture {
  readonly base: bigint;
  readonly limit: bigint;
  readonly granule: bigint;
}

const shared = new WeakMap<IommuDomain, IovaSource>();

/**
 * All input addresses of a domain except the page at 0. A device that was never programmed accesses address 0, and nothing may be mapped there.
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

/**
 * The allocator of a domain's aperture without its reserved ranges. All callers that pass no allocator share it.
 * @param policy - how it chooses addresses. Default: the policy of the existing allocator, or `highest` if there is none.
 * @throws IommuError EINVAL when the policy is unknown, or an allocator with another policy already hands out the domain's IOVAs.
 */
export function iovaAllocatorOf(domain: IommuDomain, policy?: IovaPolicy): IovaSource {
  const aperture = apertureOf(domain);
  if (policy !== undefined && !IOVA_POLICIES.includes(policy)) {
    throw new IommuError('EINVAL', `iova must be one of ${IOVA_POLICIES.join(', ')}, not ${shown(policy)}`);
  }
  let allocator = shared.get(domain);
  if (allocator === undefined) {
    allocator = allocatorFor(policy ?? 'highest', aperture, domain.reserved);
    shared.set(domain, allocator);
  }
  if (policy !== undefined && allocator.policy !== policy) {
    throw new IommuError(
      'EINVAL',
      `the domain's IOVAs are handed out by the policy ${allocator.policy}, which all its devices share; ${policy} needs a domain of its own`,
    );
  }
  return allocator;
}

/** A new allocator of a policy. @throws IommuError EINVAL as its constructor does. */
export function allocatorFor(
  policy: IovaPolicy,
  aperture: Aperture,
  reserved: readonly IovaRange[] = [],
): IovaSource {
  if (policy === 'linux' || policy === 'tree') {
    return new LinuxIovaAllocator({ ...aperture, reserved, policy });
  }
  const order = policy === 'lowest' ? 'bottom-up' : 'top-down';
  return new IovaAllocator({ ...aperture, reserved, order });
}

/** @throws IommuError EINVAL unless every address that the allocator hands out can be mapped in the domain. */
export function checkAllocator(allocator: IovaSource, domain: IommuDomain): void {
  if (!(allocator instanceof IovaAllocator || allocator instanceof LinuxIovaAllocator)) {
    throw new IommuError(
      'EINVAL',
      `allocator must be an IovaAllocator or a LinuxIovaAllocator, not ${String(allocator)}`,
    );
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
