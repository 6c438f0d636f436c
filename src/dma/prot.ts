/** From a transfer's direction to the rights of its mapping: Linux's dma_info_to_prot (drivers/iommu/dma-iommu.c). */
import { IommuError } from '../pagetable/errors.ts';
import type { Prot } from '../pagetable/format.ts';

/** The directions of a transfer: the device reads, writes, or both. */
export const DMA_DIRECTIONS = ['to-device', 'from-device', 'bidirectional'] as const;
/** The direction of a transfer, as in Linux's enum dma_data_direction: the device reads, writes, or both. */
export type DmaDirection = (typeof DMA_DIRECTIONS)[number];

/** The request for one mapping. */
export interface DmaRequest {
  readonly direction: DmaDirection;
  /** The rest of the prot: `{ priv: true }` is Linux's DMA_ATTR_PRIVILEGED, `{ mmio: true }` its map_resource. `cache` overrides the mapper's `coherent`. */
  readonly attributes?: Omit<Prot, 'read' | 'write'>;
  /** Overrides the mapper's `exact`. */
  readonly exact?: boolean;
}

/** @throws IommuError EINVAL for an unknown direction, or if the attributes contain read or write, which follow from the direction. */
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
  // Device registers are never in the CPU's caches, however coherent the accessing device is.
  const cached = coherent && !attributes.mmio && attributes.device === undefined;
  return {
    ...(cached ? { cache: true } : {}),
    ...attributes,
    ...(direction === 'from-device' ? {} : { read: true }),
    ...(direction === 'to-device' ? {} : { write: true }),
  };
}
