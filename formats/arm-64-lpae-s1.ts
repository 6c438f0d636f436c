/** `arm_64_lpae_s1`: AArch64 stage-1 tables (DDI 0487 D8.2, D8.3.1), 4K, 16K and 64K granules, as Linux's io-pgtable-arm makes them. */
import { longFormat } from './lpae/configure.ts';

/** Input up to 48 bits (52 with 64K), output 32 to 48 bits (52 with 64K); `arm_hd` sets DBM for hardware dirty state. */
export const arm64LpaeS1 = longFormat({
  name: 'arm_64_lpae_s1',
  title: 'AArch64 stage 1, long descriptors',
  stage: 1,
  width: 64,
  quirks: ['arm_ns', 'arm_ttbr1', 'arm_outer_wbwa', 'arm_hd'],
  features: ['contiguous', 'lpa2', 'access_flag', 'dirty_state'],
});
