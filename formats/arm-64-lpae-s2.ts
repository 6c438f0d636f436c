/**
 * `arm_64_lpae_s2`: AArch64 stage-2 tables (DDI 0487 D8.2.2, D8.3.1), with concatenated roots, as Linux's io-pgtable-arm makes them.
 *
 * @example
 * import { IommuDomain, PhysicalMemory } from 'lpae';
 * import { arm64LpaeS2 } from 'lpae/formats/arm-64-lpae-s2';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 20n });
 * const domain = new IommuDomain(memory, arm64LpaeS2, { pgsizeBitmap: 0x4020_1000n, ias: 40, oas: 40 });
 * domain.map(0x1000n, 0x9000_0000n, 0x1000n, { read: true });
 * const [leaf] = domain.tables().at(-1)!.entries;
 * console.log(leaf?.index, leaf?.descriptor.toString(16)); // 1 90000657
 */
import { longFormat } from './lpae/configure.ts';

/**
 * Linux's `ARM_64_LPAE_S2`: VMSAv8-64 stage 2, from IPA to PA. Input up to 48 bits (52 with 64K, or `lpa2`); `concatenation` says when the root
 * consists of several tables. `configure` throws a FormatError. (DDI 0487 D8.3; Linux io-pgtable-arm.c.)
 */
export const arm64LpaeS2 = longFormat({
  name: 'arm_64_lpae_s2',
  title: 'AArch64 stage 2, long descriptors',
  stage: 2,
  width: 64,
  quirks: ['arm_s2fwb', 'no_warn'],
  features: ['contiguous', 'lpa2', 'access_flag', 'dirty_state', 'fwb', 'xnx', 's2pie', 'haft'],
});
