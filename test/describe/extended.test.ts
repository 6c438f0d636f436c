/** What FEAT_TCR2 and its like turn on, as descriptions have it. (DDI 0487 D24.2.190, D24.2.196, D24.2.224.) */
import { expect, test } from 'vitest';
import { describeRegime } from '../../src/describe/index.ts';
import type { Regime } from '../../src/walker/index.ts';

const CPU = { model: 'max', s1poe: true, s2poe: true, haft: true, the: true } as const;
/** 4K, T0SZ 25, EPD1, HA. */
const TCR = 0x8_0080_0019n | (1n << 39n);

test.each<[string, Regime, Record<string, bigint>, unknown[]]>([
  ['nothing', 'el1&0', { tcr: TCR, pir: 5n }, []],
  [
    'all of EL1&0',
    'el1&0',
    { tcr: TCR, tcr2: 0x81fn, pir: 0x8n, pire0: 0x1n, por: 0x3n, por0: 0x7n, mair: 0n, mair2: 0xffn },
    [
      ['FEAT_S1PIE', 'TCR2_EL1.PIE', 'PIR_EL1 8, PIRE0_EL1 1'],
      ['FEAT_S1POE', 'TCR2_EL1.POE', 'POR_EL1 3'],
      ['FEAT_S1POE', 'TCR2_EL1.E0POE', 'POR_EL0 7'],
      ['FEAT_AIE', 'TCR2_EL1.AIE', 'MAIR2_EL1 ff'],
      ['FEAT_HAFT', 'TCR2_EL1.HAFT', ''],
      ['FEAT_THE', 'TCR2_EL1.PnCH', ''],
    ],
  ],
  [
    'EL3, whose TCR has the bit',
    'el3',
    { tcr: 0x19n | (1n << 35n), pir: 0xan },
    [['FEAT_S1PIE', 'TCR_EL3.PIE', 'PIR_EL3 a']],
  ],
  [
    'stage 2',
    'el1&0-s2',
    { vtcr: 0x8000_0059n | (3n << 36n), s2pir: 0x8n, s2por: 0xcn },
    [
      ['FEAT_S2PIE', 'VTCR_EL2.S2PIE', 'S2PIR_EL2 8'],
      ['FEAT_S2POE', 'VTCR_EL2.S2POE', 'S2POR_EL1 c'],
    ],
  ],
])('%s', (_, regime, registers, expected) => {
  const [stage] = describeRegime(regime, registers, CPU).stages;
  const told = (stage!.extended ?? []).map(({ feature, control, registers: read }) => [
    feature,
    control,
    read.map(({ name, value }) => `${name} ${value.toString(16)}`).join(', '),
  ]);
  expect(told).toEqual(expected);
});
