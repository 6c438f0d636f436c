/** The rules about permissions by index, on single pages of literal words: PIR, PIRE0, POR and S2PIR decide. (DDI 0487 D8.4.1.3, D8.4.1.4, D8.4.2.2.) */
import { describe, expect, test } from 'vitest';
import { describeRegime } from '../../src/describe/index.ts';
import { lint } from '../../src/lint/index.ts';
import { createMachine } from '../../src/machine/machine.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { listSpace } from '../../src/space/space.ts';
import type { Regime } from '../../src/walker/index.ts';

/** Rules other than those about permissions by index. */
const OWN = ['no-access', 'reserved-permission', 'overlay-ineffective', 'writable-executable'];
const CPU = { model: 'max', paBits: 40, s1poe: true, s2poe: true } as const;
/** 4K, 39 bits of input from level 1, EPD1, HPD0, 40 bits of output. */
const S1 = { ttbr0: 0x1000n, tcr: 0x202_0080_0019n, mair: 0xffn };
/** VTCR_EL2 of the same size, S2PIE. */
const S2 = { vttbr: 0x1000n, vtcr: (1n << 36n) | 0x8002_0059n, hcr: 1n };

/** A page with PIIndex in bits 54, 53, 51 and 6, POIndex in [62:60], AF, nG (FnXS), Write-Back. */
function page(pi: number, po = 0): bigint {
  const index = BigInt(pi);
  const bits = ((index >> 2n) << 53n) | (((index >> 1n) & 1n) << 51n) | ((index & 1n) << 6n);
  return 0x8000_0f03n | bits | (BigInt(po) << 60n);
}

function found(regime: Regime, registers: Record<string, bigint>, leaf: bigint) {
  const memory = new PhysicalMemory({ base: 0x1000n, size: 0x1_0000n });
  for (const [pa, word] of [
    [0x1000n, 0x2003n],
    [0x2000n, 0x3003n],
    [0x3000n, leaf],
  ] as const)
    memory.write64(pa, word);
  const translator = createMachine({ memory, regime, registers, cpu: CPU })();
  const derivation = describeRegime(regime, registers, CPU);
  const { findings } = lint({ translator, ranges: listSpace(translator).ranges, derivation });
  return findings.filter(({ rule }) => OWN.includes(rule)).map(({ rule, message }) => [rule, message]);
}

const PIE = 2n;
const E0POE = 4n;
const POE = 8n;

describe('stage 1', () => {
  test.each<[string, Record<string, bigint>, bigint, [string, RegExp][]]>([
    ['rights for somebody', { tcr2: PIE, pir: 0x8n, pire0: 0n }, page(0), []],
    [
      'no rights for anyone',
      { tcr2: PIE, pir: 0x8n, pire0: 0x1n },
      page(5),
      [
        [
          'no-access',
          /PIIndex 0x5 at level 3: PIR_EL1\[23:20\] = 0x0, no access; .*PIRE0_EL1.*: nobody has access/,
        ],
      ],
    ],
    [
      'a reserved value of PIR',
      { tcr2: PIE, pir: 0xdn << 12n, pire0: 0n },
      page(3),
      [['reserved-permission', /PIR_EL1\[15:12\] = 0xd, reserved: no access/]],
    ],
    [
      'EL1 executes what EL0 writes',
      { tcr2: PIE, pir: 0xan, pire0: 0xcn },
      page(0),
      [['reserved-permission', /EL1 executes what EL0 may write, so that neither has any access/]],
    ],
    [
      'write and execute by indirection',
      { tcr2: PIE, pir: 0xen, pire0: 0n },
      page(0),
      [['writable-executable', /writable and executable, privileged/]],
    ],
    ['write or execute (WXN)', { tcr2: PIE, pir: 0x6n, pire0: 0n }, page(0), []],
    ['an overlay that applies', { tcr2: PIE | E0POE, pir: 0x8n, pire0: 0x5n, por0: 0x10n }, page(0, 1), []],
    [
      'an overlay that applies to nothing',
      { tcr2: PIE | E0POE, pir: 0x8n, pire0: 0xcn, por0: 0x10n },
      page(0, 1),
      [['overlay-ineffective', /POIndex 1, but no overlay applies to the permissions of PIIndex 0/]],
    ],
    [
      'no overlay is on',
      { tcr2: PIE, pir: 0x8n, pire0: 0x5n, por0: 0x10n },
      page(0, 1),
      [['overlay-ineffective', /POIndex 1, but overlays are off: POE and E0POE are 0/]],
    ],
    [
      'a reserved value of POR',
      { tcr2: PIE | POE, pir: 0x1n, pire0: 0n, por: 0x800n },
      page(0, 2),
      [['reserved-permission', /POIndex 0x2 at level 3: POR_EL1\[11:8\] = 0x8, reserved/]],
    ],
    [
      'direct permissions with overlays',
      { tcr2: E0POE, por0: 0x70n },
      0x60_0000_8000_0f43n | (1n << 60n),
      [],
    ],
    ['direct permissions', {}, 0x60_0000_8000_0f43n, []],
  ])('%s', (_, more, leaf, expected) => {
    const got = found('el1&0', { ...S1, ...more }, leaf);
    expect(got.map(([rule]) => rule)).toEqual(expected.map(([rule]) => rule));
    for (const [i, [, message]] of expected.entries()) expect(got[i]![1]).toMatch(message);
  });
});

test.each<[string, bigint, number, string[]]>([
  ['read', 0x8n, 0, []],
  ['nothing', 0x8n, 1, ['no-access']],
  ['a reserved value', 0x5n, 0, ['reserved-permission']],
])('stage 2: %s', (_, s2pir, pi, rules) => {
  expect(found('el1&0-s2', { ...S2, s2pir }, page(pi)).map(([rule]) => rule)).toEqual(rules);
});
