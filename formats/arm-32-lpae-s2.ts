/** `arm_32_lpae_s2`: ARMv7 LPAE and AArch32 stage-2 tables (DDI 0487 G5.5.3.3, DDI 0406C B3.6), 4K granule, as Linux's io-pgtable-arm makes them. */
import { longFormat } from './lpae/configure.ts';

/** Input and output up to 40 bits. */
export const arm32LpaeS2 = longFormat({
  name: 'arm_32_lpae_s2',
  title: 'AArch32 stage 2, long descriptors (LPAE)',
  stage: 2,
  width: 32,
  quirks: [],
  features: ['contiguous'],
  limits: { sizes: 0x4020_1000n, ias: 40, oas: 40 },
});
