/**
 * `arm_32_lpae_s2`: ARMv7 LPAE and AArch32 stage-2 tables (DDI 0487 G5.5.3.3, DDI 0406C B3.6), 4K granule, as Linux's io-pgtable-arm makes them.
 *
 * @example
 * import { IommuDomain, PhysicalMemory } from 'lpae';
 * import { arm32LpaeS2 } from 'lpae/formats/arm-32-lpae-s2';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 20n });
 * const domain = new IommuDomain(memory, arm32LpaeS2, { pgsizeBitmap: 0x4020_1000n, ias: 40, oas: 40 });
 * domain.map(0x1000n, 0x9000_0000n, 0x1000n, { read: true });
 * const [leaf] = domain.tables().at(-1)!.entries;
 * console.log(leaf?.index, leaf?.descriptor.toString(16)); // 1 90000657
 */
import { longFormat } from './lpae/configure.ts';

/**
 * Linux's `ARM_32_LPAE_S2`: AArch32 long descriptors, stage 2. Input and output up to 40 bits; 4K pages. `configure` throws a FormatError.
 * (DDI 0487 G5.5; Linux io-pgtable-arm.c.)
 */
export const arm32LpaeS2 = longFormat({
  name: 'arm_32_lpae_s2',
  title: 'AArch32 stage 2, long descriptors (LPAE)',
  stage: 2,
  width: 32,
  quirks: ['arm_s2fwb', 'no_warn'],
  features: ['contiguous'],
  limits: { sizes: 0x4020_1000n, ias: 40, oas: 40 },
});
