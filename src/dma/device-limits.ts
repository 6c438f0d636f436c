/** What limits a device's DMA: its masks and segments, and Linux's values for a device before its driver sets any (dma-mapping.h, platform.c, probe.c). */
import { checkWord, shown } from '../iommu/checks.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import { checkLastAddress, checkMask } from './checks.ts';

/** Limits of a device and of its bus. */
export interface DeviceLimits {
  /** The highest address that the device can emit, as a mask such as 0xffff_ffffn, or as the last address of a granule. Default: all 64 bits. */
  readonly dmaMask?: bigint;
  /** The last address that the bus lets through: Linux's bus_dma_limit. It can be any address. The lower of this and the mask counts. Default: none. */
  readonly limit?: bigint;
  /**
   * No segment crosses a multiple of this mask plus one. Default: 0xffff_ffffn, which Linux gives PCI devices; other devices have no
   * boundary there (64 bits of ones).
   */
  readonly segmentBoundary?: bigint;
  /** Maximum bytes of a segment. Default: no limit. (Linux assumes 64 KiB for a driver that sets none.) */
  readonly maxSegmentSize?: bigint;
  /** Try addresses below 4 GiB first, until that fails once, as Linux does for PCI devices. Default: false. */
  readonly low32First?: boolean;
}

const ALL_ONES = (1n << 64n) - 1n;
const LOW_32 = 0xffff_ffffn;

/** What Linux gives a device of a kind before its driver sets masks and segments. */
export const DEVICE_PRESETS = {
  platform: {
    dmaMask: LOW_32,
    limit: ALL_ONES,
    segmentBoundary: ALL_ONES,
    maxSegmentSize: 0x1_0000n,
    low32First: false,
  },
  pci: {
    dmaMask: LOW_32,
    limit: ALL_ONES,
    segmentBoundary: LOW_32,
    maxSegmentSize: 0x1_0000n,
    low32First: true,
  },
} as const satisfies Readonly<Record<string, DeviceLimits>>;
/** A kind of device whose limits are known: `platform` or `pci`. */
export type DevicePreset = keyof typeof DEVICE_PRESETS;

/** What to do with lists that a driver should never make: refuse them, or do what Linux does. */
export const ODD_LISTS = ['strict', 'linux'] as const;
/** `strict` or `linux`. */
export type OddLists = (typeof ODD_LISTS)[number];

/** Limits after the checks. */
export interface CheckedLimits {
  /** The last address that can be used. */
  readonly lastAddress: bigint;
  readonly boundaryMask: bigint;
  readonly maxSegmentSize: bigint | undefined;
  readonly low32First: boolean;
}

/**
 * @param granule - the IOMMU's smallest page in bytes.
 * @throws IommuError EINVAL for an unknown preset, an invalid mask or boundary, and a maximum segment size of 0.
 */
export function checkLimits(
  options: DeviceLimits & { readonly preset?: DevicePreset },
  granule: bigint,
  odd: OddLists,
): CheckedLimits {
  const { preset } = options;
  if (preset !== undefined && !Object.hasOwn(DEVICE_PRESETS, preset)) {
    throw new IommuError(
      'EINVAL',
      `preset must be one of ${Object.keys(DEVICE_PRESETS).join(', ')}, not ${String(preset)}`,
    );
  }
  const given: DeviceLimits = preset === undefined ? {} : DEVICE_PRESETS[preset];
  const { dmaMask = given.dmaMask ?? ALL_ONES, limit = given.limit ?? ALL_ONES } = options;
  const { segmentBoundary = given.segmentBoundary ?? LOW_32 } = options;
  const { maxSegmentSize = given.maxSegmentSize, low32First = given.low32First ?? false } = options;
  checkLastAddress('dmaMask', dmaMask, granule);
  checkWord('limit', limit);
  // Linux accepts a boundary below the granule. Lists of whole granules never cross one there.
  checkMask('segmentBoundary', segmentBoundary, odd === 'linux' ? 1n : granule);
  if (maxSegmentSize !== undefined) checkWord('maxSegmentSize', maxSegmentSize);
  if (maxSegmentSize === 0n)
    throw new IommuError('EINVAL', 'maxSegmentSize must be at least one byte, not 0');
  if (odd === 'linux' && maxSegmentSize !== undefined && maxSegmentSize > LOW_32) {
    throw new IommuError(
      'EINVAL',
      `maxSegmentSize must be at most ${hex(LOW_32)}, as in Linux, not ${hex(maxSegmentSize)}`,
    );
  }
  if (typeof low32First !== 'boolean') {
    throw new IommuError('EINVAL', `low32First must be true or false, not ${shown(low32First)}`);
  }
  return {
    lastAddress: dmaMask < limit ? dmaMask : limit,
    boundaryMask: segmentBoundary,
    maxSegmentSize,
    low32First,
  };
}
