/**
 * `arm_64_lpae_s1`: AArch64 stage-1 tables (DDI 0487 D8.2, D8.3.1), 4K, 16K and 64K granules, as Linux's io-pgtable-arm makes them.
 *
 * @example
 * import { IommuDomain, PhysicalMemory } from 'lpae';
 * import { arm64LpaeS1 } from 'lpae/formats/arm-64-lpae-s1';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 20n });
 * const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
 * domain.map(0x1000n, 0x9000_0000n, 0x1000n, { read: true });
 * const [leaf] = domain.tables().at(-1)!.entries;
 * console.log(leaf?.index, leaf?.descriptor.toString(16)); // 1 90000ec3
 */
import { longFormat } from './lpae/configure.ts';

/**
 * Linux's `ARM_64_LPAE_S1`: VMSAv8-64 stage 1 of a CPU or an SMMU. Input up to 48 bits (52 with 64K), output 32 to 48 bits (52 with 64K); with
 * `lpa2` 52 bits in every granule. `arm_hd` sets DBM for hardware dirty state. `configure` throws a FormatError. (DDI 0487 D8.3; Linux io-pgtable-arm.c.)
 */
export const arm64LpaeS1 = longFormat({
  name: 'arm_64_lpae_s1',
  title: 'AArch64 stage 1, long descriptors',
  stage: 1,
  width: 64,
  quirks: ['arm_ns', 'arm_ttbr1', 'arm_outer_wbwa', 'arm_hd', 'no_warn'],
  features: ['contiguous', 'lpa2', 'access_flag', 'dirty_state', 's1pie', 's1poe', 'aie', 'haft'],
});
