/** Lists to begin with: the cases of the discussion in which `iommu_map_sg` was born, and what drivers map. */
import type { Playground } from './playground.ts';

export interface Preset {
  readonly name: string;
  /** What to look at. */
  readonly about: string;
  readonly playground: Playground;
}

const BASE: Playground = {
  cpuPage: 0x1_0000,
  granule: 0x1000,
  sizes: 'blocks',
  stage: 's1',
  semantics: 'exact',
  iova: 0x1000_0000n,
  sg: [],
};

const M = 0x10_0000n;

export const PRESETS: readonly Preset[] = [
  {
    name: '64K pages, 4K IOMMU',
    about: 'A CPU with pages of 64K and an IOMMU with pages of 4K: every byte is mapped, and no other.',
    playground: {
      ...BASE,
      sg: [
        { phys: 0x9_0000_0000n, length: 0x1_0000n },
        { phys: 0x9_0001_0000n, length: 0x5000n },
        { phys: 0x9_4000_0000n, length: 2n * M },
      ],
    },
  },
  {
    name: 'over-mapped',
    about:
      'The same machine with the meaning of 2014: entries are rounded to CPU pages. What nobody asked for is red.',
    playground: {
      ...BASE,
      semantics: 'page-align',
      sg: [
        { phys: 0x9_0000_1000n, length: 0x2000n },
        { phys: 0x9_4000_0000n, length: 0x1_5000n },
      ],
    },
  },
  {
    name: 'IOMMU page too large',
    about: 'Pages of 4K on an IOMMU whose smallest page is 64K: refused, with the entry and the rule.',
    playground: {
      ...BASE,
      cpuPage: 0x1000,
      granule: 0x1_0000,
      sg: [
        { phys: 0x9_0000_0000n, length: 0x1_0000n },
        { phys: 0x9_4000_1000n, length: 0x3000n },
      ],
    },
  },
  {
    name: 'off by one page',
    about:
      'Sixteen megabytes whose IOVA and PA differ in a block: pages, where blocks would do. Move the IOVA by 4K.',
    playground: {
      ...BASE,
      cpuPage: 0x1000,
      iova: 0x1000_1000n,
      sg: [{ phys: 0x9_4000_0000n, length: 16n * M }],
    },
  },
  {
    name: 'network buffers',
    about: 'Buffers of 2K and 4K in the order in which a ring was filled.',
    playground: {
      ...BASE,
      cpuPage: 0x1000,
      sizes: 'contiguous',
      sg: Array.from({ length: 48 }, (_, i) => ({
        phys: 0x8_8000_0000n + BigInt((i * 29) % 64) * 0x4000n,
        length: i % 3 === 0 ? 0x2000n : 0x1000n,
      })),
    },
  },
  {
    name: 'a frame buffer',
    about: 'Eight megabytes in runs of 64K: contiguous runs help, blocks do not.',
    playground: {
      ...BASE,
      cpuPage: 0x1000,
      sizes: 'contiguous',
      sg: Array.from({ length: 128 }, (_, i) => ({
        phys: 0x8_8000_0000n + BigInt((i * 37) % 256) * 0x1_0000n,
        length: 0x1_0000n,
      })),
    },
  },
];

/** Requests of several operations to begin with, as `lpae map` reads them. */
export interface RequestPreset {
  readonly name: string;
  /** What to look at. */
  readonly about: string;
  readonly request: object;
}

const SIZES = { pgsize_bitmap: '0x40201000', ias: 48, oas: 48 };

export const REQUESTS: readonly RequestPreset[] = [
  {
    name: 'mapped anew',
    about:
      'A page is unmapped and mapped elsewhere: without an invalidation in between, a TLB may answer with either.',
    request: {
      format: 'arm_64_lpae_s1',
      config: SIZES,
      ops: [
        { op: 'map', iova: '0x10000000', paddr: '0x900000000', size: '0x3000', prot: ['read', 'write'] },
        { op: 'unmap', iova: '0x10001000', size: '0x1000' },
        { op: 'map', iova: '0x10001000', paddr: '0x940000000', size: '0x1000', prot: ['read', 'write'] },
        { op: 'unmap', iova: '0x10000000', size: '0x3000' },
      ],
    },
  },
  {
    name: 'a block is split',
    about: 'A page in the middle of a block is unmapped: the block becomes a table of 511 pages.',
    request: {
      format: 'arm_64_lpae_s1',
      config: { ...SIZES, partial_unmap: 'split' },
      ops: [
        { op: 'map', iova: '0x10000000', paddr: '0x940000000', size: '0x400000', prot: ['read', 'write'] },
        { op: 'unmap', iova: '0x10080000', size: '0x1000' },
        { op: 'unmap', iova: '0x10000000', size: '0x80000' },
      ],
    },
  },
  {
    name: 'tables come and go',
    about: 'Pages far apart need tables of their own; a block over them takes the tables away again.',
    request: {
      format: 'arm_64_lpae_s2',
      config: { ...SIZES, ias: 40 },
      ops: [
        { op: 'map', iova: '0x10000000', paddr: '0x900000000', size: '0x1000', prot: ['read', 'write'] },
        { op: 'map', iova: '0x80000000', paddr: '0x900001000', size: '0x1000', prot: ['read'] },
        { op: 'unmap', iova: '0x10000000', size: '0x1000' },
        { op: 'map', iova: '0x10000000', paddr: '0x940000000', size: '0x200000', prot: ['read', 'write'] },
        { op: 'iova_to_phys', iova: '0x10001234' },
      ],
    },
  },
];
