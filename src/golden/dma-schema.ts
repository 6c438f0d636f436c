/** The JSON of golden files of the DMA layer (`pgtable-dma/1`): what Linux's DMA layer over an IOMMU answered. */
import * as v from 'valibot';
import { members, oneShapeOf, pair, tagged, whole } from '../json/schemas.ts';
import { protFlags } from '../operations/schema.ts';
import { bits, hexWord } from './schema.ts';

const text = v.string();
/** An index of the operations or of the devices. */
const index = whole(0, 1e6);

const window = { start: hexWord, end: hexWord, offset: hexWord };
const limits = { dma_mask: hexWord, max_segment: hexWord, boundary: hexWord, coherent: v.boolean() };

export const dmaConfigSchema = members({
  allocator: v.picklist(['top', 'tree', 'fast']),
  cpu_page_size: hexWord,
  granule: hexWord,
  pgsize_bitmap: hexWord,
  ias: bits,
  oas: bits,
  aperture: pair({ first: hexWord, last: hexWord }),
  ...limits,
  bus_dma_limit: hexWord,
  pci: v.boolean(),
  low32_first: v.boolean(),
  reserved: v.array(
    members({
      iova: hexWord,
      size: hexWord,
      type: v.picklist(['msi', 'direct', 'direct_relaxable', 'reserved', 'sw_msi']),
    }),
  ),
  pci_windows: v.array(members({ ...window, mem: v.boolean() })),
  pci_dma_ranges: v.array(members(window)),
  devices: v.optional(v.pipe(v.array(members(limits)), v.minLength(1, 'must hold at least one device'))),
  init: whole(-4095, 0),
  taken: v.array(pair({ first: hexWord, last: hexWord })),
});

const direction = v.picklist(['to-device', 'from-device', 'bidirectional']);
const device = v.optional(index);
const mapping = {
  dir: direction,
  attrs: v.array(v.picklist(['privileged'])),
  device,
  iova: v.optional(hexWord),
  prot: v.optional(protFlags),
  mapped: v.optional(v.array(pair({ phys: hexWord, length: hexWord }))),
};
const entry = v.pipe(
  v.strictTuple([hexWord, hexWord, hexWord]),
  v.transform(([page, offset, length]) => ({ phys: page + offset, length })),
);
const count = whole(-4095, 1e7);
const address = oneShapeOf(
  [v.literal('error'), hexWord],
  (json) => (json === 'error' ? v.literal('error') : hexWord),
  'must be a "0x…" string or "error"',
);
const unmapping = {
  of: index,
  device,
  iova: v.nullable(hexWord),
  size: v.optional(hexWord),
  ret: v.optional(hexWord),
};

export const dmaOpSchema = tagged('op', [
  members({
    op: v.literal('map_sg'),
    sg: v.array(entry),
    ...mapping,
    odd: v.optional(v.array(v.picklist(['zero', 'over_max', 'over_boundary', 'over_32_bits']))),
    ret: count,
    segments: v.optional(v.array(pair({ address: hexWord, length: hexWord }))),
    list_damaged: v.optional(index),
  }),
  members({
    op: v.literal('map_page'),
    page: hexWord,
    offset: hexWord,
    size: hexWord,
    ...mapping,
    ret: address,
  }),
  members({ op: v.literal('map_resource'), phys: hexWord, size: hexWord, ...mapping, ret: address }),
  members({ op: v.literal('unmap_sg'), ...unmapping }),
  members({ op: v.literal('unmap_page'), ...unmapping }),
  members({ op: v.literal('unmap_resource'), ...unmapping }),
]);

export const dmaFileSchema = members({
  schema: v.literal('pgtable-dma/1'),
  kind: v.literal('dma'),
  name: text,
  producer: text,
  note: v.optional(text),
  config: dmaConfigSchema,
  ops: v.array(dmaOpSchema),
  left: v.array(v.strictTuple([hexWord, hexWord, hexWord])),
  warnings: whole(0, 1e7),
});

export type DmaFile = v.InferOutput<typeof dmaFileSchema>;
export type DmaConfig = v.InferOutput<typeof dmaConfigSchema>;
export type DmaOp = v.InferOutput<typeof dmaOpSchema>;
