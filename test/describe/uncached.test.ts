/** Walks in descriptions under the registers that make memory Non-cacheable. (DDI 0487 D24.2.175, D24.2.62.) */
import { expect, test } from 'vitest';
import { describeRegime } from '../../src/describe/index.ts';

/** T0SZ 25, EPD1, and walks that are Write-Back, inner shareable. */
const STAGE1 = { ttbr0: 0x1000n, tcr: 0x2_0080_3519n, mair: 0xffn };
const [M, C, I] = [1n, 1n << 2n, 1n << 12n];
const CD = 1n << 32n;

test('SCTLR_EL1.C decides for walks of stage 1, not I', () => {
  const walks = (sctlr: bigint) =>
    describeRegime('el1&0', { ...STAGE1, sctlr }, 'max').stages[0]?.ranges[0]?.walks?.inner.policy;
  expect([walks(M | C | I), walks(M | C), walks(M | I)]).toEqual([
    'write-back',
    'write-back',
    'non-cacheable',
  ]);
});

test('HCR_EL2.CD makes the walks of both stages Non-cacheable', () => {
  const walks = (hcr: bigint) =>
    describeRegime(
      'el1&0-nested',
      { ...STAGE1, sctlr: M | C | I, vttbr: 0x8000n, vtcr: 0x8002_3559n, hcr },
      'max',
    ).stages.map(({ ranges }) => ranges[0]?.walks?.inner.policy);
  expect([walks(1n), walks(1n | CD)]).toEqual([
    ['write-back', 'write-back'],
    ['non-cacheable', 'non-cacheable'],
  ]);
});
