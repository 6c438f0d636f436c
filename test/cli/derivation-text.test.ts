/** Register derivations as people read them and as JSON: literal lines for registers of real machines. */
import { describe, expect, test } from 'vitest';
import { derivationJson, derivationLines } from '../../src/cli/text/derivation-text.ts';
import { describeRegime, describeSte, describeStream } from '../../src/describe/index.ts';
import { makeStyle } from '../../src/text/style.ts';
import { memoryWith } from '../walker/table-builder.ts';

const plain = makeStyle(false);

/** Linux 6.1 on a Cortex-A72. */
const LINUX = {
  ttbr0: 0x480f_a000n,
  ttbr1: 0x24_0000_4185_3000n,
  tcr: 0x50_0074_b550_3510n,
  mair: 0x4_0044_ffffn,
  sctlr: 0x200_0000_34f4_d91dn,
};

describe('lines', () => {
  const lines = (...args: Parameters<typeof describeRegime>) =>
    derivationLines(describeRegime(...args), plain);

  test('both halves of EL1&0', () => {
    expect(lines('el1&0', LINUX, 'cortex-a72')).toEqual([
      'el1&0  44 physical address bits',
      'stage 1  AArch64, TCR_EL1 0x500074b5503510, ASID 0x24 (TTBR1_EL1.ASID, 16 bits)',
      '  TTBR0_EL1 0x480fa000  4K granule, T0SZ 16: 48 input bits 0x0..0xffffffffffff',
      '    start level 0 of 512 entries at 0x480fa000, aligned to 4K',
      '    L0 [47:39], L1 [38:30] 1G run 16G, L2 [29:21] 2M run 32M, L3 [20:12] 4K run 64K',
      '    output 44 bits (IPS 4 = 44); walks WB ISH; TBI',
      '  TTBR1_EL1 0x24000041853000  4K granule, T1SZ 16: 48 input bits',
      '    0xffff000000000000..0xffffffffffffffff',
      '    start level 0 of 512 entries at 0x41853000, aligned to 4K',
      '    L0 [47:39], L1 [38:30] 1G run 16G, L2 [29:21] 2M run 32M, L3 [20:12] 4K run 64K',
      '    output 44 bits (IPS 4 = 44); walks WB ISH; TBI',
      '    ! TCR_EL1.TBID1 = 1 (ignored): RES0 without FEAT_PAuth: TBI applies to instructions too (DDI',
      '      0487 D24.2.194)',
      '  MAIR_EL1 0x40044ffff  0-1 ff WB; 2 44 NC; 3, 5-7 00 nGnRnE; 4 04 nGnRE',
    ]);
  });

  test('what limits the output is said; no line is wider than 100 columns', () => {
    const text = lines('el1&0', { ...LINUX, tcr: 0x50_0075_b550_3510n }, 'cortex-a72');
    expect(text[5]).toBe('    output 44 bits (IPS 5 = 48, PARange 44); walks WB ISH; TBI');
    expect(lines('el1&0', { tcr: 0x6_0080_0019n })[5]).toContain('output 48 bits (IPS 6 = 52, format 48)');
    for (const line of text) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('concatenated tables and why; LPA2; hardware updates', () => {
    const text = lines('el1&0-s2', {
      vtcr: 0x7_0024_3558n & ~(1n << 33n),
      vttbr: 0x21_0000_4000_0001n,
      hcr: (1n << 46n) | 5n,
    });
    expect(text).toContain(
      '    start level 1 of 1,024 entries in 2 concatenated tables at 0x40000000, aligned to 8K, for 1',
    );
    expect(text.join('\n')).toMatch(/SL0 1, T0SZ from 12,? *\n? *FWB, PTW/);
    expect(text.join('\n')).toMatch(/LPA2: OA\[51:50\] in bits \[9:8\]; walks WB ISH; HA, CnP/);
  });

  test('stages and ranges that are off', () => {
    expect(lines('el1&0-nested', { hcr: 1n << 12n, vtcr: 0x4_0059n }).slice(0, 3)).toEqual([
      'el1&0-nested  52 physical address bits',
      'stage 1  off: HCR_EL2.DC = 1: stage 1 is off, and addresses pass unchanged, as Write-Back memory',
      expect.stringMatching(/^stage 2 {2}AArch64/),
    ]);
    expect(lines('pl1&0', { tcr: 1n << 31n })).toContain(
      '  TTBR1 0x0  off: TTBCR.T1SZ = 0: TTBR0 translates every address: this register is not used',
    );
  });

  test('registers that fit no table', () => {
    expect(lines('el2', { tcr: 0x4_000fn }, 'cortex-a57').slice(2, 5)).toEqual([
      '  TTBR0_EL2 0x0  T0SZ 15, no tables',
      '    ! TCR_EL2.T0SZ = 15 (fault): 49 input bits are too many: a level 0 translation fault, or it',
      '      is treated as 16 (hardware without FEAT_LVA may do either); legal here: 16 to 39; 12 to 15',
    ]);
  });

  test('short descriptors: N, domains, remap', () => {
    const text = lines('pl1&0-short', {
      tcr: 2n,
      ttbr0: 0x4000_406an,
      ttbr1: 0x4000_8000n,
      dacr: 0xd1n,
      sctlr: 1n,
    });
    expect(text).toContain('  TTBR0 0x4000406a  4K granule, N 2: 30 input bits 0x0..0x3fffffff');
    expect(text).toContain('    L1 [29:20] 1M run 16M, L2 [19:12] 4K run 64K');
    expect(text).toContain('  DACR  domains: manager 3; client 0, 2; none 1, 4-15');
    expect(text).toContain('  TEX, C and B give the memory type (SCTLR.TRE = 0)');
  });

  test('colours mark problems', () => {
    const bad = derivationLines(describeRegime('el2', { tcr: 0x4_000fn }, 'cortex-a57'), makeStyle(true));
    expect(bad.join('\n')).toContain('\u001b[31m!\u001b[39m TCR_EL2.T0SZ');
  });
});

describe('streams', () => {
  const memory = memoryWith({
    '0x40000000': 0x4000_1003n,
    '0x400010c0': 0x4000_200bn,
    '0x40002000': 0x5_6204_c000_0019n,
    '0x40002008': 0x4000_3000n,
  });
  const registers = { strtabBase: 0x4000_0000n, strtabBaseCfg: 0x1_0188n };

  test('the way from a StreamID to its tables', () => {
    expect(derivationLines(describeStream(memory, registers, 3), plain)).toEqual([
      'StreamID 0x3  44 output address bits',
      'stream table 0x40000000  two levels, SPLIT 6, 2^8 StreamIDs',
      '  L1STD[0x0] @0x40000000 = 0x0000000040001003  Span 3: 4 entries at 0x40001000',
      'STE @0x400010c0 = 0x000000004000200b 0x0000000000000000 0x0000000000000000 0x0000000000000000',
      '  Config 5: stage 1, EL1, CDs at 0x40002000: single',
      'CD[0] @0x40002000 = 0x00056204c0000019 0x0000000040003000 0x0000000000000000 0x0000000000000000',
      '  ASID 0x5, AArch64, faults recorded (R), aborts (A)',
      'stage 1  AArch64, ASID 0x5 (CD.ASID, 16 bits)',
      '  CD.TTB0 0x40003000  4K granule, T0SZ 25: 39 input bits 0x0..0x7fffffffff',
      '    start level 1 of 512 entries at 0x40003000, aligned to 4K',
      '    L1 [38:30] 1G run 16G, L2 [29:21] 2M run 32M, L3 [20:12] 4K run 64K',
      '    output 44 bits (IPS 4 = 44); walks NC NSH',
      '  CD.TTB1 0x0  off: CD.EPD1 = 1: no walks: every access of the range is a level 0 translation',
      '    fault',
      '  CD.MAIR 0x0  0-7 00 nGnRnE',
    ]);
  });

  test('where it ends, and why', () => {
    const ends = (streamId: number) =>
      derivationLines(describeStream(memory, registers, streamId), plain).at(-1);
    expect(ends(0)).toBe('ends  C_BAD_STE: the STE is not valid, or ILLEGAL (IHI 0070 5.2.2)');
    expect(ends(64)).toBe(
      'ends  C_BAD_STREAMID: Span 0: the level 1 descriptor leads to no StreamID (IHI 0070 5.1)',
    );
    const bypass = describeSte(memory, { ste: [9n, 0n, 0n, 0n] });
    expect(derivationLines(bypass, plain).at(-1)).toBe('bypass  addresses pass unchanged');
    const illegal = describeSte(memory, { ste: [0xbn, 0n, 0n, 0n], cd: [0x6204_c000_0005n, 0n, 0n, 0n] });
    expect(derivationLines(illegal, plain).slice(-3).join(' ')).toMatch(
      /! CD\.T0SZ = 5 \(fault\): out of range; legal here: 16 to 39 .* C_BAD_CD/,
    );
  });

  test('JSON of a stream', () => {
    expect(derivationJson(describeStream(memory, registers, 3))).toMatchObject({
      stream_id: 3,
      stream_table: {
        base: 0x4000_0000n,
        log2_size: 8,
        split: 6,
        level1: { descriptor: '0x0000000040001003', span: 3 },
      },
      ste: { address: 0x4000_10c0n, config: 'stage 1', world: 'el1', s1_context_ptr: 0x4000_2000n },
      cd: { index: 0, address: 0x4000_2000n, asid: 5, record: true },
      stages: [
        {
          asid: { value: 5 },
          ranges: [
            { on: true, start_level: 1 },
            { on: false, off: { field: 'CD.EPD1' } },
          ],
        },
      ],
      ok: true,
      translation: 'stage 1',
    });
    expect(derivationJson(describeStream(memory, registers, 64))).toMatchObject({
      ok: false,
      fault: { kind: 'c_bad_streamid', text: 'C_BAD_STREAMID', section: 'IHI 0070 5.1' },
    });
  });
});

test('JSON of a regime', () => {
  const json = derivationJson(describeRegime('el1&0', LINUX, 'cortex-a72'));
  expect(json).toMatchObject({
    regime: 'el1&0',
    pa_bits: 44,
    stages: [
      {
        stage: 1,
        on: true,
        control: { register: 'TCR_EL1', value: '0x00500074b5503510' },
        asid: { value: 0x24, bits: 16 },
        ranges: [
          {
            register: 'TTBR0_EL1',
            granule: 0x1000n,
            first_ia: 0n,
            start_level: 0,
            output: { bits: 44, limited_by: 'field' },
          },
          {
            first_ia: 0xffff_0000_0000_0000n,
            table_base: 0x4185_3000n,
            levels: [
              { level: 0, bits: '47:39', leaf: 'none' },
              { run_entries: 16, run_size: 1n << 34n },
              {},
              { leaf: 'page' },
            ],
            problems: [{ field: 'TCR_EL1.TBID1', value: 1n, effect: 'ignored' }],
          },
        ],
        memory: {
          types: [
            { attr: '0xff', code: 'WB' },
            {},
            { code: 'NC' },
            { memory: 'Device-nGnRnE' },
            {},
            {},
            {},
            {},
          ],
        },
      },
    ],
  });
});
