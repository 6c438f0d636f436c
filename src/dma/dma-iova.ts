/**
 * IOVAs first, memory later: dma_iova_try_alloc, dma_iova_link, dma_iova_unlink and dma_iova_free of Linux since 6.16 (drivers/iommu/dma-iommu.c). A driver
 * takes one range and links pieces of memory into it, without a scatterlist.
 */
import { checkWord } from '../iommu/checks.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import { type DmaRequest, protOf } from './prot.ts';

/** Where a range is and how to give it back. Sizes in bytes. */
export interface DmaIovaPlace {
  readonly domain: IommuDomain;
  /** The IOMMU's smallest page. */
  readonly granule: bigint;
  /** The first address that the device uses. */
  readonly address: bigint;
  readonly size: bigint;
  readonly coherent: boolean;
  /** Gives the IOVAs back. */
  readonly release: () => void;
}

/**
 * A range of IOVAs that memory is linked into. Made by `DmaMapper.allocateIova`.
 *
 * @example
 * const range = new DmaMapper(domain).allocateIova(0n, 0x8000n);
 * range.link(0x9000_0000n, 0n, 0x4000n, { direction: 'to-device' });
 * range.link(0xa000_0000n, 0x4000n, 0x4000n, { direction: 'to-device' });
 * range.destroy();
 */
export class DmaIova {
  /** The first address that the device uses. Its offset in its page is that of the memory that was named when the range was allocated. */
  readonly address: bigint;
  /** Bytes. */
  readonly size: bigint;
  readonly #place: DmaIovaPlace;
  #linked = 0n;
  #released = false;

  /** @param place - what `DmaMapper.allocateIova` found. */
  constructor(place: DmaIovaPlace) {
    this.address = place.address;
    this.size = place.size;
    this.#place = place;
  }

  /** Bytes that are mapped now, in whole pages of the IOMMU. */
  get linkedBytes(): bigint {
    return this.#linked;
  }

  /**
   * Maps `size` bytes from the physical address `phys` on at `offset` of the range. Only the first piece may begin inside a page of the IOMMU, at the same offset as the range's
   * address.
   * @throws IommuError EINVAL for a piece that leaves the range or begins at another offset in its page (EIO in Linux), EEXIST where something is linked
   * already, and whatever `domain.map` throws. In each case no part of the piece stays mapped.
   */
  link(phys: bigint, offset: bigint, size: bigint, request: DmaRequest): void {
    const { domain, granule, coherent } = this.#place;
    this.#check(offset, size);
    checkWord('phys', phys);
    const pad = phys % granule;
    if (pad !== (this.address + offset) % granule) {
      throw new IommuError(
        'EINVAL',
        `${hex(phys)} begins ${hex(pad)} bytes into a page of the IOMMU, and the range at offset ${hex(offset)} ${hex((this.address + offset) % granule)} bytes: both must be the same, and 0 behind the first piece`,
        { pa: phys, alignment: granule },
      );
    }
    const bytes = this.#padded(pad + size);
    domain.map(this.address + offset - pad, phys - pad, bytes, protOf(request, coherent));
    this.#linked += bytes;
  }

  /** Unmaps `size` bytes from `offset` on, in whole pages. @returns bytes unmapped. @throws IommuError EINVAL for bytes outside the range. */
  unlink(offset: bigint, size: bigint): bigint {
    const { domain, granule } = this.#place;
    this.#check(offset, size);
    const pad = (this.address + offset) % granule;
    const bytes = domain.unmap(this.address + offset - pad, this.#padded(pad + size));
    this.#linked -= bytes;
    return bytes;
  }

  /** Gives the IOVAs back. @throws IommuError EINVAL while something is linked (Linux would leave it mapped), and when they were given back before. */
  free(): void {
    this.#live();
    if (this.#linked > 0n) {
      throw new IommuError(
        'EINVAL',
        `${hex(this.#linked)} bytes are linked at ${hex(this.address)}; unlink them first, or destroy the range`,
        { iova: this.address, size: this.#linked },
      );
    }
    this.#released = true;
    this.#place.release();
  }

  /** Unmaps whatever is linked and gives the IOVAs back. @returns bytes unmapped. @throws IommuError EINVAL when they were given back before. */
  destroy(): bigint {
    this.#live();
    const { domain, granule } = this.#place;
    const first = this.address & -granule;
    const end = first + this.#padded(this.address - first + this.size);
    let unmapped = 0n;
    for (let at = first; at < end && this.#linked > 0n; ) {
      const bytes = domain.unmap(at, end - at) || domain.unmap(at, granule);
      unmapped += bytes;
      this.#linked -= bytes;
      at += bytes || granule;
    }
    this.free();
    return unmapped;
  }

  #padded(bytes: bigint): bigint {
    return (bytes + this.#place.granule - 1n) & -this.#place.granule;
  }

  #live(): void {
    if (this.#released) {
      throw new IommuError('EINVAL', `the range at ${hex(this.address)} was given back`, {
        iova: this.address,
      });
    }
  }

  #check(offset: bigint, size: bigint): void {
    this.#live();
    checkWord('offset', offset);
    checkWord('size', size);
    if (size === 0n || offset + size > this.size) {
      throw new IommuError(
        'EINVAL',
        `[${hex(offset)}, +${hex(size)}) must be one to ${hex(this.size)} bytes inside the range`,
        { size },
      );
    }
  }
}
