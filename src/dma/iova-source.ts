/** The allocators of a domain's input addresses: their policies, and what they all have in common. */

/**
 * - `highest`: the highest place that fits. Linux's alloc_iova finds it while it does not remember where to continue.
 * - `lowest`: the lowest place that fits.
 * - `tree`: Linux's alloc_iova and free_iova, where a search continues where the last one ended.
 * - `linux`: the same with the caches of alloc_iova_fast and free_iova_fast, as dma_map_sg uses it.
 */
export const IOVA_POLICIES = ['highest', 'lowest', 'tree', 'linux'] as const;
/** How IOVAs are chosen: `highest`, `lowest`, `tree` or `linux`. */
export type IovaPolicy = (typeof IOVA_POLICIES)[number];

/** A range of input addresses: `size` bytes from `iova` on. */
export interface IovaRange {
  readonly iova: bigint;
  readonly size: bigint;
}

/** Constraints on one range besides its size. */
export interface IovaRequest {
  /** The last address that may be used, such as a device's DMA mask 0xffff_ffffn. Default: the aperture's. */
  readonly limit?: bigint;
  /** Minimum alignment, a power of two in bytes. The cap does not limit it. */
  readonly alignment?: bigint;
  /** A power of two in bytes, at least the size: the range does not cross a multiple of it. */
  readonly boundary?: bigint;
  /** Fail rather than give up cached ranges, as Linux does when it tries below 4 GiB first. Default: false. */
  readonly keepCaches?: boolean;
}

/** An allocator of IOVA ranges. Addresses have 64 bits, sizes are bytes. */
export interface IovaSource {
  readonly policy: IovaPolicy;
  /** Bytes of a granule. Every range is a whole number of these. */
  readonly granule: bigint;
  /** First and last address of the aperture, after rounding inwards. */
  readonly base: bigint;
  readonly limit: bigint;
  /** Bytes handed out, and bytes reserved inside the aperture. */
  readonly bytesAllocated: bigint;
  readonly bytesReserved: bigint;
  /** Every range handed out, by address. */
  allocated(): IovaRange[];
  /** Every free range inside the aperture, by address; no two are adjacent. */
  available(): IovaRange[];
  /** @returns the first address of a range. @throws IommuError ENOMEM when nothing fits, EINVAL for an invalid request. */
  allocate(size: bigint, request?: IovaRequest): bigint;
  /**
   * @param size - the number of bytes that the caller says it gives back. It decides which of Linux's caches takes the range.
   * @returns the size of the range taken back.
   * @throws IommuError EINVAL when `iova` is not the first address of a range in use.
   */
  free(iova: bigint, size?: bigint): bigint;
  /** Takes a range out of use for good. @throws IommuError EINVAL when it is empty or beyond 64 bits, EEXIST when it is handed out. */
  reserve(range: IovaRange): void;
}
