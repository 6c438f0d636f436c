/** Descriptions held against walks: register values of real machines, and random ones. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeRegime, type RangeDescription } from '../../src/describe/index.ts';
import { createWalker, type Regime, type WalkerRegisters } from '../../src/walker/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

describe('registers of real machines', () => {
  test('EDK2: EL1 alone, 44 bits from level 0', () => {
    const registers = {
      ttbr0: 0x47ff_f000n,
      ttbr1: 0n,
      tcr: 0x4_8080_3514n,
      mair: 0xffbb_4400n,
      sctlr: 0x30d0_198dn,
    };
    expect(describeRegime('el1&0', registers, { model: 'cortex-a57', paBits: 44 }).stages).toMatchObject([
      {
        wxn: false,
        tag: { value: 0, bits: 8 },
        ranges: [
          {
            register: 'TTBR0_EL1',
            tables: {
              inputBits: 44,
              startLevel: 0,
              entries: 32,
              tableBase: 0x47ff_f000n,
              alignLog2: 8,
              output: { bits: 44, limitedBy: 'field' },
            },
            walks: { inner: { policy: 'write-back' }, shareability: 'inner' },
            problems: [],
          },
          { off: { field: 'TCR_EL1.EPD1' }, problems: [] },
        ],
        problems: [],
      },
    ]);
  });

  test('Linux 6.1 on a Cortex-A72: both halves, ASID in TTBR1, a TBID1 that this PE lacks', () => {
    const registers = {
      ttbr0: 0x480f_a000n,
      ttbr1: 0x24_0000_4185_3000n,
      tcr: 0x50_0074_b550_3510n,
      mair: 0x4_0044_ffffn,
      sctlr: 0x200_0000_34f4_d91dn,
    };
    const [stage] = describeRegime('el1&0', registers, 'cortex-a72').stages;
    expect(stage).toMatchObject({
      tag: { value: 0x24, bits: 16, field: 'TTBR1_EL1.ASID' },
      ranges: [
        {
          topByteIgnored: 'all',
          tables: {
            startLevel: 0,
            entries: 512,
            firstIa: 0n,
            lastIa: 0xffff_ffff_ffffn,
            tableBase: 0x480f_a000n,
          },
        },
        {
          topByteIgnored: 'all',
          tables: {
            firstIa: 0xffff_0000_0000_0000n,
            lastIa: 0xffff_ffff_ffff_ffffn,
            tableBase: 0x4185_3000n,
          },
          problems: [{ field: 'TCR_EL1.TBID1', effect: 'ignored' }],
        },
      ],
    });
    expect(stage?.memory?.types.slice(0, 5)).toMatchObject([
      { byte: 0xff, attributes: { type: 'normal' } },
      { byte: 0xff },
      { byte: 0x44, attributes: { inner: { policy: 'non-cacheable' } } },
      { byte: 0, attributes: { device: 'nGnRnE' } },
      { byte: 4, attributes: { device: 'nGnRE' } },
    ]);
  });

  test('KVM at EL2 and U-Boot at EL2: one range, PS in [18:16]', () => {
    const kvm = { ttbr0: 0x485b_1000n, tcr: 0x8084_3510n, mair: 0x4_0044_ffffn, sctlr: 0x30ed_183dn };
    expect(describeRegime('el2', kvm, 'cortex-a72').stages[0]).toMatchObject({
      wxn: true,
      ranges: [
        {
          register: 'TTBR0_EL2',
          tables: { startLevel: 0, entries: 512, output: { bits: 44, field: 'TCR_EL2.PS', encoding: 4 } },
          problems: [],
        },
      ],
    });
    const uboot = { ttbr0: 0x5fff_0000n, tcr: 0x8082_3518n, mair: 0xff_440c_0400n, sctlr: 0x1005n };
    expect(describeRegime('el2', uboot, 'cortex-a57').stages[0]).toMatchObject({
      wxn: false,
      ranges: [
        {
          tables: {
            inputBits: 40,
            startLevel: 0,
            entries: 2,
            alignLog2: 4,
            output: { bits: 40, encoding: 2 },
          },
          problems: [],
        },
      ],
    });
  });

  test('Linux LPAE on a Cortex-A15: T1SZ 2 starts TTBR1 at level 2', () => {
    const registers = {
      ttbr0: 0x12_0000_4252_1340n,
      ttbr1: 0x4020_7000n,
      tcr: 0xb502_3500n,
      mair: 0xff00_0004_eeaa_4400n,
      sctlr: 0x30c5_387dn,
    };
    expect(describeRegime('pl1&0', registers, 'cortex-a15').stages[0]).toMatchObject({
      tag: { value: 0x12, field: 'TTBR0.ASID' },
      ranges: [
        {
          tables: {
            startLevel: 1,
            entries: 4,
            firstIa: 0n,
            lastIa: 0xbfff_ffffn,
            tableBase: 0x4252_1340n,
            alignLog2: 5,
          },
          problems: [],
        },
        {
          tables: {
            startLevel: 2,
            entries: 512,
            firstIa: 0xc000_0000n,
            lastIa: 0xffff_ffffn,
            tableBase: 0x4020_7000n,
          },
          problems: [],
        },
      ],
    });
  });

  test('U-Boot LPAE: TTBR1 is not used', () => {
    const registers = {
      ttbr0: 0x5fff_4000n,
      ttbr1: 0n,
      tcr: 0x8000_0f00n,
      mair: 0xffee_aa00n,
      sctlr: 0xc5_187dn,
    };
    expect(describeRegime('pl1&0', registers, 'cortex-a15').stages[0]?.ranges).toMatchObject([
      { tables: { startLevel: 1, entries: 4, lastIa: 0xffff_ffffn } },
      { off: { field: 'TTBCR.T1SZ', value: 0n } },
    ]);
  });

  test('Linux 6.12 with LPA2: 4K from level -1, 16K from level 0', () => {
    const common = { mair: 0x4_0044_f0ffn, sctlr: 0x200_0c38_fc74_791dn };
    const of4k = { ...common, ttbr0: 0x481d_1e01n, ttbr1: 0x1e_0000_41ee_8001n, tcr: 0x950_01f6_b54c_350cn };
    expect(describeRegime('el1&0', of4k).stages[0]?.ranges).toMatchObject([
      {
        cnp: true,
        topByteIgnored: 'all',
        e0pd: false,
        tables: {
          wideAddress: 'lpa2',
          startLevel: -1,
          entries: 16,
          tableBase: 0x481d_1e00n,
          alignLog2: 7,
          ha: true,
          hd: true,
        },
        problems: [],
      },
      {
        cnp: true,
        topByteIgnored: 'data',
        e0pd: true,
        tables: { startLevel: -1, firstIa: 0xfff0_0000_0000_0000n, tableBase: 0x41ee_8000n },
        problems: [],
      },
    ]);
    const of16k = { ...common, ttbr0: 0x441f_6801n, ttbr1: 0x1e_0000_41f1_4001n, tcr: 0x950_01f6_754c_b50cn };
    expect(describeRegime('el1&0', of16k).stages[0]?.ranges).toMatchObject([
      { tables: { granuleLog2: 14, wideAddress: 'lpa2', startLevel: 0, entries: 32, alignLog2: 8 } },
      { tables: { granuleLog2: 14, startLevel: 0, entries: 32, tableBase: 0x41f1_4000n } },
    ]);
  });

  test('KVM stage 2 on -cpu max: LPA2 without more than 48 bits, FWB and PTW', () => {
    const registers = {
      vttbr: 0x1_0000_481a_f001n,
      vtcr: 0x1_802e_3590n,
      sctlr: 0xc5_0078n,
      hcr: 0x403c_807e_263fn,
    };
    expect(describeRegime('el1&0-s2', registers).stages).toMatchObject([
      {
        tag: { name: 'VMID', value: 1, bits: 16 },
        stage2: { sl0: 2, smallestT0sz: 12, fwb: true, ptw: true },
        ranges: [
          {
            cnp: true,
            tables: {
              startLevel: 0,
              entries: 512,
              concatenated: 1,
              wideAddress: 'lpa2',
              ha: true,
              hd: false,
            },
            problems: [],
          },
        ],
      },
    ]);
  });
});

const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const registers = fc.record({
  ttbr0: word,
  ttbr1: word,
  tcr: word,
  mair: word,
  sctlr: word.map((value) => value | 1n),
  vttbr: word,
  vtcr: word,
});
const REGIMES: readonly Regime[] = [
  'el1&0',
  'el1&0-s2',
  'el2',
  'el2&0',
  'el3',
  'pl1&0',
  'pl1&0-s2',
  'pl1&0-short',
  'pl2',
  'mtk',
  'mali',
  'riscv',
];

const faults = ({ off, problems }: RangeDescription) =>
  off !== undefined || problems.some(({ effect }) => effect === 'fault');

describe('random registers', () => {
  test.each(REGIMES)('%s: walks start where the description says, and nowhere else', (regime) => {
    const memory = memoryWith({});
    const check = (values: WalkerRegisters, model: 'max' | 'cortex-a57' | 'cortex-a15') => {
      const stage = describeRegime(regime, values, model).stages[0]!;
      if (stage.off) return;
      const walker = createWalker(memory, { regime, registers: values, cpu: model });
      const stepOf = (ia: bigint) => walker.walk(ia, { access: 'read' }).steps[0];
      const ranges = stage.ranges.filter((range) => range.tables !== undefined);
      for (const range of ranges) {
        const { firstIa, lastIa, startLevel, tableBase, levels } = range.tables!;
        for (const ia of [firstIa, lastIa, (firstIa + lastIa) / 2n]) {
          if (faults(range)) {
            expect(walker.walk(ia, { access: 'read' })).toMatchObject({ ok: false, steps: [] });
            continue;
          }
          const { high, low } = levels[0]!;
          const index = Number((ia >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));
          expect(stepOf(ia)).toMatchObject({ level: startLevel, tableBase, index });
        }
        for (const ia of [firstIa - 1n, lastIa + 1n]) {
          const elsewhere = ranges.some(({ tables }) => ia >= tables!.firstIa && ia <= tables!.lastIa);
          if (ia < 0n || ia >> 64n || elsewhere) continue;
          expect(walker.walk(ia, { access: 'read' })).toMatchObject({ ok: false, steps: [] });
        }
      }
      // A range without tables has none of the addresses.
      if (ranges.length < stage.ranges.length && ranges.length === 0) expect(stepOf(0x1000n)).toBeUndefined();
    };
    fc.assert(fc.property(registers, fc.constantFrom('max', 'cortex-a57', 'cortex-a15'), check), {
      numRuns: 250,
    });
  });
});
