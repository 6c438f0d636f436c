/** `arm_32_lpae_s1`: ARMv7 LPAE and AArch32 stage-1 tables (DDI 0487 G5.5, DDI 0406C B3.6), 4K granule, as Linux's io-pgtable-arm makes them. */
import { longFormat } from './lpae/configure.ts';

/** Input up to 32 bits, output up to 40. */
export const arm32LpaeS1 = longFormat({
  name: 'arm_32_lpae_s1',
  title: 'AArch32 stage 1, long descriptors (LPAE)',
  stage: 1,
  width: 32,
  quirks: ['arm_ns', 'arm_ttbr1', 'arm_outer_wbwa', 'arm_hd'],
  features: ['contiguous'],
  limits: { sizes: 0x4020_1000n, ias: 32, oas: 40 },
});
