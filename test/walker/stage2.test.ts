/** Stage 2 alone and nested: start levels, concatenated roots, permissions, attributes, and whose fault it is. */
import { describe, expect, test } from 'vitest';
import { stage2 } from '../../src/walker/create.ts';
import { createWalker } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const read = { access: 'read' } as const;
const write = { access: 'write' } as const;
const execute = { access: 'execute' } as const;

describe('stage 2 alone', () => {
  // VTCR_EL2: T0SZ 24 (40 bits), SL0 1 (level 1), 4K, PS 40 bits: two concatenated tables at level 1.
  const vtcr = 0x8002_0058n;
  const tables = {
    '0x40000000': 0x4000_2003n, // L1[0] -> L2
    '0x40001ff8': 0x8000_07fdn, // L1[1023], in the second table: 1 GiB block
    '0x40002000': 0x4000_3003n, // L2[0] -> L3
    '0x40003000': 0x9000_07ffn, // page: AF, SH 3, S2AP 11, MemAttr 1111
    '0x40003008': 0x9000_177fn, // S2AP 01: read-only
    '0x40003010': 0x9000_27bfn, // S2AP 10: write-only
    '0x40003018': 0x0040_0000_9000_37ffn, // XN 10: nobody executes
    '0x40003020': 0x0020_0000_9000_47ffn, // XN 01: EL0 only
    '0x40003028': 0x0060_0000_9000_57ffn, // XN 11: EL1 only
    '0x40003030': 0x9000_67c7n, // MemAttr 0001: Device-nGnRE
    '0x40003038': 0x9000_77d7n, // MemAttr 0101: Non-cacheable
    '0x40003040': 0x100_9000_87ffn, // beyond 40 bits
    '0x40003048': 0x9000_93ffn, // AF = 0
  };
  const walker = stage2(memoryWith(tables), { vttbr: 0x40_0000_4000_0001n, vtcr });

  test('concatenated tables are indexed as one', () => {
    expect(walker.walk(0xff_c000_1234n, read)).toMatchObject({
      ok: true,
      pa: 0x8000_1234n,
      stage: 2,
      level: 1,
      size: 0x4000_0000n,
      steps: [{ stage: 2, level: 1, index: 1023, address: 0x4000_1ff8n }],
    });
  });

  test('attributes are those of stage 2 when no HCR says otherwise', () => {
    expect(walker.walk(0n, read)).toMatchObject({
      attributes: { type: 'normal', byte: 0xff },
      shareability: 'inner',
    });
    expect(walker.walk(0x6000n, read)).toMatchObject({
      attributes: { device: 'nGnRE' },
      shareability: 'outer',
    });
    expect(walker.walk(0x7000n, read)).toMatchObject({ attributes: { byte: 0x44 }, shareability: 'outer' });
  });

  test('with HCR given, stage 1 is off and its data accesses are Device', () => {
    const pe = stage2(memoryWith(tables), { vttbr: 0x4000_0000n, vtcr, hcr: 1n });
    expect(pe.walk(0n, read)).toMatchObject({
      attributes: { device: 'nGnRnE' },
      stage2: { attributes: { type: 'normal', byte: 0xff }, shareability: 'inner' },
    });
  });

  test.each([
    ['read-only', 0x1000n, [true, false]],
    ['write-only', 0x2000n, [false, true]],
  ])('%s', (_, ipa, [mayRead, mayWrite]) => {
    expect(walker.walk(ipa, read).ok).toBe(mayRead);
    expect(walker.walk(ipa, write).ok).toBe(mayWrite);
  });

  test.each([
    [0x3000n, [false, false]],
    [0x4000n, [false, true]],
    [0x5000n, [true, false]],
  ])('XN of the page at %s: EL1 and EL0', (ipa, [el1, el0]) => {
    expect(walker.walk(ipa, execute).ok).toBe(el1);
    expect(walker.walk(ipa, { access: 'execute', privileged: false }).ok).toBe(el0);
  });

  test('without FEAT_XNX bit 53 means nothing', () => {
    const old = stage2(memoryWith(tables), { vttbr: 0x4000_0000n, vtcr }, 'cortex-a53');
    expect([0x3000n, 0x4000n, 0x5000n].map((ipa) => old.walk(ipa, execute).ok)).toEqual([false, true, false]);
  });

  test.each([
    ['an IPA beyond T0SZ', 1n << 40n, 'translation', 0],
    ['an invalid entry', 0x1_0000_0000n, 'translation', 1],
    ['a PA beyond PS', 0x8000n, 'address_size', 3],
    ['AF = 0', 0x9000n, 'access_flag', 3],
  ])('%s faults at stage 2 and tells the IPA', (_, ipa, kind, level) => {
    expect(walker.walk(ipa, read)).toMatchObject({ fault: { kind, level, stage: 2, ipa } });
  });

  test('16 tables are the most that are concatenated', () => {
    // T0SZ 21: 43 bits from level 1, 13 of them index the root.
    const memory = memoryWith({ '0x4000fff8': 0x8000_07fdn });
    expect(
      stage2(memory, { vttbr: 0x4000_0000n, vtcr: 0x8005_0055n }).walk(0x7ff_c000_0123n, read),
    ).toMatchObject({ ok: true, pa: 0x8000_0123n, level: 1, steps: [{ index: 8191 }] });
  });

  test.each([
    [42, 0x8003_8096n, true],
    [41, 0x8003_8097n, false],
  ])('16K: a start at level 1 needs a PA of 42 bits; with %i: %s', (paBits, value, ok) => {
    // VTCR_EL2: TG0 16K, SL0 2, PS 42 bits, T0SZ of all PA bits. (J1.1 AArch64.S2InvalidSL)
    const memory = memoryWith({ '0x40000000': 0x4000_4003n, '0x40004000': 0x8000_07fdn });
    const cpu = { model: 'max', paBits } as const;
    const result = stage2(memory, { vttbr: 0x4000_0000n, vtcr: value }, cpu).walk(0x123n, read);
    expect(result).toMatchObject(
      ok ? { ok, pa: 0x8000_0123n, level: 2 } : { fault: { kind: 'translation', level: 0, stage: 2 } },
    );
  });

  test.each([
    ['SL0 = 3 without TTST', 0x8002_00d8n, 'cortex-a57'],
    ['SL0 = 0: level 2 cannot resolve 40 bits', 0x8002_0018n, 'max'],
    ['T0SZ smaller than the PA size allows', 0x8002_0050n, 'cortex-a53'],
    ['T0SZ smaller than the PA size allows, though SL0 fits it', 0x8002_0056n, 'cortex-a53'],
    ['32 concatenated tables', 0x8005_0054n, 'max'],
    ['a level 0 start with a 40-bit PA', 0x8002_0098n, 'cortex-a53'],
  ] as const)('%s: every access is a translation fault at level 0', (_, value, cpu) => {
    const bad = stage2(memoryWith(tables), { vttbr: 0x4000_0000n, vtcr: value }, cpu);
    expect(bad.walk(0n, read)).toMatchObject({ fault: { kind: 'translation', level: 0, stage: 2 } });
  });
});

describe('nested: stage 1 under stage 2', () => {
  // Stage 2, from level 1: IPA [0, 1 GiB) is RAM at 0x4000_0000, [1 GiB, 2 GiB) is the PA 0x8000_0000 onwards, Device.
  // Stage 1, from level 1 with T0SZ 25: its tables are IPAs.
  const stage2Tables = { '0x40100000': 0x4000_07fdn, '0x40100008': 0x8000_07c1n, '0x40100010': 0xc000_077dn };
  const stage1Tables = {
    '0x40000000': 0x1003n, // L1[0] -> L2 at IPA 0x1000
    '0x40001000': 0x4000_0701n, // L2[0]: 2 MiB at IPA 0x4000_0000
    '0x40001008': 0x8000_0701n, // L2[1]: 2 MiB at IPA 0x8000_0000, where stage 2 is read-only
    '0x40001010': 0xc000_0701n, // L2[2]: an IPA that stage 2 does not map
    '0x40000008': 0x4000_0003n, // L1[1] -> L2 in Device memory
    '0x40000010': 0xc000_0003n, // L1[2] -> L2 at an unmapped IPA
    '0x40000018': 0x0003n, // L1[3] -> L2 = the L1 itself
  };
  const registers = {
    ttbr0: 0n,
    tcr: 0x5_0080_0019n,
    mair: 0xffn,
    vttbr: 0x4010_0000n,
    vtcr: 0x8005_0059n,
  };
  const memory = memoryWith({ ...stage1Tables, ...stage2Tables });
  const walker = createWalker(memory, { regime: 'el1&0-nested', registers });

  test('PA, IPA, the smaller size and both stages', () => {
    expect(walker.walk(0x12_3456n, read)).toMatchObject({
      ok: true,
      pa: 0x8012_3456n,
      level: 2,
      stage: 2,
      size: 0x20_0000n,
      leafBase: 0x8000_0000n,
      attributes: { device: 'nGnRnE' },
      stage1: { oa: 0x4012_3456n, level: 2, size: 0x20_0000n, attributes: { byte: 0xff } },
      stage2: { oa: 0x8012_3456n, level: 1, size: 0x4000_0000n },
    });
  });

  test('steps show each stage-1 table access translated first', () => {
    const steps = walker.walk(0n, read).steps.map(({ stage, level, s1Level }) => [stage, level, s1Level]);
    expect(steps).toEqual([
      [2, 1, 1],
      [1, 1, undefined],
      [2, 1, 2],
      [1, 2, undefined],
      [2, 1, undefined],
    ]);
  });

  test('permissions are what both stages allow', () => {
    expect(walker.walk(0x20_0000n, read)).toMatchObject({
      ok: true,
      permissions: { privileged: { read: true, write: false }, unprivileged: { read: false } },
    });
    expect(walker.walk(0x20_0000n, write)).toMatchObject({
      fault: { kind: 'permission', stage: 2, level: 1, ipa: 0x8000_0000n },
    });
  });

  test('the final IPA faults at stage 2, a table address at stage 2 on the stage-1 walk', () => {
    const final = walker.walk(0x40_0000n, read);
    expect(final).toMatchObject({ fault: { kind: 'translation', stage: 2, level: 1, ipa: 0xc000_0000n } });
    expect(final).not.toHaveProperty('fault.ptw');
    expect(walker.walk(0x8000_0000n, read)).toMatchObject({
      fault: { kind: 'translation', stage: 2, level: 1, ptw: true, s1Level: 2, ipa: 0xc000_0000n },
    });
  });

  test('HCR_EL2.PTW keeps stage-1 tables out of Device memory', () => {
    const far = walker.walk(0x4000_0000n, read);
    expect(far).toMatchObject({
      fault: { kind: 'external_walk', stage: 1, level: 2, fetchAddress: 0x8000_0000n },
    });
    const guarded = createWalker(memory, {
      regime: 'el1&0-nested',
      registers: { ...registers, hcr: 0b101n },
    });
    expect(guarded.walk(0x4000_0000n, read)).toMatchObject({
      fault: { kind: 'permission', stage: 2, ptw: true, s1Level: 2 },
    });
  });

  test.each([
    ['0b1001, FWB', 0b1001n, true, false],
    ['0b1001', 0b1001n, false, true],
    ['0b0110, FWB', 0b0110n, true, true],
    ['0b0001', 0b0001n, false, false],
    ['0b0001, FWB', 0b0001n, true, false],
  ])('HCR_EL2.PTW: MemAttr %s is Normal memory: %4$s', (_, memAttr, fwb, normal) => {
    // With FWB it is MemAttr[2] alone that tells Device memory, without it MemAttr[3:2]. (D8.6.5, D8.6.6)
    const guarded = createWalker(
      memoryWith({
        '0x40000000': 0x4000_0701n,
        '0x40100000': 0x4000_07c1n | (memAttr << 2n),
        '0x40100008': 0x8000_07fdn,
      }),
      {
        regime: 'el1&0-nested',
        registers: { ...registers, hcr: 0b101n | (fwb ? 1n << 46n : 0n) },
      },
    );
    expect(guarded.walk(0x123n, read)).toMatchObject(
      normal ? { ok: true, pa: 0x8000_0123n } : { fault: { kind: 'permission', stage: 2, ptw: true } },
    );
  });

  test('a table that points to itself is a table at every level but 3', () => {
    expect(walker.walk(0xc000_0000n, read)).toMatchObject({
      fault: { kind: 'translation', stage: 1, level: 3, descriptor: 0x4000_0701n },
    });
  });

  test.each([
    ['DC alone', 0x1001n, 'max', 0xff],
    ['DCT and DC: Tagged', 0x200_0000_0000_1001n, 'max', 0xf0],
    ['DCT and DC without FEAT_MTE2', 0x200_0000_0000_1001n, 'cortex-a76', 0xff],
  ] as const)('memory of stage 1 being off, HCR_EL2 with %s', (_, hcr, cpu, byte) => {
    const off = createWalker(memory, { regime: 'el1&0-nested', registers: { ...registers, hcr }, cpu });
    expect(off.walk(0x123n, read)).toMatchObject({ pa: 0x4000_0123n, attributes: { byte } });
  });

  test('HCR_EL2.DCT = 1 without DC means nothing', () => {
    const on = createWalker(memory, {
      regime: 'el1&0-nested',
      registers: { ...registers, hcr: 0x200_0000_0000_0001n },
    });
    expect(on.walk(0n, read)).toEqual(walker.walk(0n, read));
  });

  test('HCR_EL2.DC turns stage 1 off, and HCR_EL2.VM = 0 stage 2', () => {
    const dc = createWalker(memory, { regime: 'el1&0-nested', registers: { ...registers, hcr: 0x1001n } });
    expect(dc.walk(0x123n, read)).toMatchObject({ pa: 0x4000_0123n, attributes: { byte: 0xff } });
    const off = createWalker(memoryWith({ '0x40000000': 0x8000_0701n }), {
      regime: 'el1&0-nested',
      registers: { ...registers, ttbr0: 0x4000_0000n, hcr: 0n },
    });
    expect(off.walk(0x123n, read)).toMatchObject({ pa: 0x8000_0123n, stage: 1 });
  });
});
