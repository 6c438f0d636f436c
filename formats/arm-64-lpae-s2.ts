/** `arm_64_lpae_s2`: AArch64 stage-2 tables (DDI 0487 D8.2.2, D8.3.1), with concatenated roots, as Linux's io-pgtable-arm makes them. */
import { longFormat } from './lpae/configure.ts';

/** Input up to 48 bits (52 with 64K); a level 0 of up to 16 entries becomes that many tables side by side at level 1. */
export const arm64LpaeS2 = longFormat({
  name: 'arm_64_lpae_s2',
  title: 'AArch64 stage 2, long descriptors',
  stage: 2,
  width: 64,
  quirks: [],
  features: ['contiguous', 'lpa2', 'access_flag', 'dirty_state', 'fwb', 'xnx'],
});
