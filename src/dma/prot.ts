/** From a transfer's direction to the rights of its mapping: Linux's dma_info_to_prot (drivers/iommu/dma-iommu.c). */
import { IommuError } from '../pagetable/errors.ts';
import type { Prot } from '../pagetable/format.ts';

/** Who moves bytes where: the device reads, writes, or both. */
export const DMA_DIRECTIONS = ['to-device', 'from-device', 'bidirectional'] as const;
/** Who moves bytes where, as in Linux's enum dma_data_direction: the device reads, writes, or both. */
export type DmaDirection = (typeof DMA_DIRECTIONS)[number];

/** What is asked of one mapping. */
export interface DmaRequest {
  readonly direction: DmaDirection;
  /** The rest of the prot: `{ priv: true }` is Linux's DMA_ATTR_PRIVILEGED, `{ mmio: true }` its map_resource. `cache` goes before the mapper's `coherent`. */
  readonly attributes?: Omit<Prot, 'read' | 'write'>;
  /** In the place of the mapper's. */
  readonly exact?: boolean;
}

/** @throws IommuError EINVAL when there is no such direction, or the attributes speak of the rights that it decides. */
export function protOf(request: DmaRequest, coherent: boolean): Prot {
  const { direction, attributes = {} } = request ?? {};
  if (!DMA_DIRECTIONS.includes(direction)) {
    throw new IommuError(
      'EINVAL',
      `direction must be one of ${DMA_DIRECTIONS.join(', ')}, not ${String(direction)}`,
    );
  }
  if (
    typeof attributes !== 'object' ||
    attributes === null ||
    'read' in attributes ||
    'write' in attributes
  ) {
    throw new IommuError(
      'EINVAL',
      'attributes must be an object of flags such as { priv: true }; read and write follow from the direction',
    );
  }
  // A device's registers are not in the CPU's caches, however coherent the device that reaches for them is.
  const cached = coherent && !attributes.mmio && attributes.device === undefined;
  return {
    ...(cached ? { cache: true } : {}),
    ...attributes,
    ...(direction === 'from-device' ? {} : { read: true }),
    ...(direction === 'to-device' ? {} : { write: true }),
  };
}
