/** What a domain is made with, and what its calls take and tell besides plain addresses. (Linux 6.12: io-pgtable.h, iommu.h.) */
import type { FrameAllocator } from '../memory/index.ts';
import type { IommuError } from '../pagetable/errors.ts';
import type { FormatRequest } from '../pagetable/format.ts';
import type { PartialUnmap } from '../pagetable/partial-unmap.ts';
import type { ReservedRange } from './reserved.ts';
import type { Address } from './word.ts';

/**
 * Options of a domain: the format's request (`pgsizeBitmap`, `ias` and `oas` in bits, `quirks`, `features`), and how its tables are managed.
 */
export interface DomainOptions extends FormatRequest {
  /** Where table frames come from. Default: the allocator shared by all domains of this memory. */
  readonly allocator?: FrameAllocator;
  /** What happens to a block or run when only a part of it is unmapped: `split`, `refuse` or `whole`. Default: as `linux` does it. */
  readonly partialUnmap?: PartialUnmap;
  /** Ranges of IOVAs where nothing may be mapped, such as an MSI window. A DMA mapper hands none of them out. Default: none. */
  readonly reserved?: readonly ReservedRange[];
}

/** What an unmap did. Addresses are IOVAs, sizes bytes; of the kind that the IOVA was given as. */
export interface UnmapReport<A extends Address = bigint> {
  /** Bytes unmapped from the requested IOVA on: more than requested if a whole block was unmapped, less if the unmap stopped. */
  readonly bytes: A;
  /** The range that was unmapped: `[from, end)`. With `whole`, a block may begin before the requested IOVA. Equal if nothing was unmapped. */
  readonly from: A;
  readonly end: A;
  /** Why it stopped before the end of the request, if it did. */
  readonly stop?: IommuError;
}

/** Whether reading dirty state or access flags resets them. Default: true. */
export interface ClearOption {
  readonly clear?: boolean;
}
