/** `lpae map` of intentions: tables of any regime that a format makes, compared with what was meant. */
import { describe, expect, test } from 'vitest';
import { lpae, lpaeJson, tempFile } from './run.ts';

const map = (text: string) => lpaeJson(['map', tempFile('want.map', text)]);

interface Mapped {
  readonly hardware: { readonly regime: string; readonly registers: Readonly<Record<string, string>> };
  readonly verify: {
    readonly ok: boolean;
    readonly ranges: readonly { readonly differences: readonly object[] }[];
  };
  readonly tables: readonly { readonly level: number; readonly entries: Readonly<Record<string, string>> }[];
}

describe('makes tables that are as meant', () => {
  test.each([
    [
      'el3',
      'regime el3\n0x0800_0000+2M identity rw- nGnRnE\n0x0e00_0000+32K identity r-x WB ISH pas=secure\n0x8000_0000+1G identity rw- WB pas=ns block',
    ],
    [
      'el2',
      'regime el2\n0x0+2M identity rwx NC\n0x4000_0000+1G -> 0x8000_0000 r-- normal global\n0x9000_0000+4K identity rw- GRE',
    ],
    [
      'el1&0',
      'regime el1\n0x1000+4K -> 0x8000_0000 r-x --- WB ISH global\n0x2000+4K identity rw- rw- WT nG\n0x3000+4K identity rwx --x WB NSH\n0x1_0000+64K identity rw- --- WB contiguous',
    ],
    ['el1&0', '0xffff_8000_0000_0000+2M -> 0x8000_0000 rw- --- tagged global'],
    [
      'el1&0-s2',
      'regime stage2\n0x8000_0000+2M -> 0x9000_0000 rwx rwx WB\n0x0900_0000+4K identity rw- rw- nGnRE\n0x0+16K identity r-x r-- NC',
    ],
    [
      'el1&0',
      '0x1000+4K -> 0x8000_0000 r-x r-x WB nG\n0xffff_8000_0000_0000+2M -> 0x8000_0000 rw- --- nGnRnE global',
    ],
    [
      'el2&0',
      'regime vhe\n0x1000+4K -> 0x8000_0000 rw- rw- NC nG\n0xffff_8000_0000_0000+2M identity-0xffff_7fff_8000_0000 r-x --- WB global',
    ],
    [
      'el1&0-nested',
      'regime nested\n0x1000+4K -> 0x9_0000_0000 r-x --- WB NSH global\n0x8000_0000+2M -> 0x8000_0000 rw- rw- nGRE\n0xffff_8000_0000_0000+64K -> 0x1000_0000 rw- --- NC',
    ],
    ['el1&0-nested', 'regime nested\n0x8_0000_0000_0000+64K -> 0xf_1230_0000_0000 rw- rw- nGnRnE leaf=16K'],
    ['pl1&0-nested', 'regime pl1-nested\n0x1000+4K -> 0x40_0000_0000 r-x --- WB ISH global'],
    ['pl1&0-nested64', 'regime pl1-nested64\n0x20_0000+2M -> 0x4000_0000 rw- rw- nGnRnE nG'],
    ['pl2', 'regime hyp\n0x1000+4K identity r-x WB ISH global\n0x20_0000+2M -> 0x1_0000_0000 rw- device'],
    ['pl1&0-short', 'regime short\n0x1000+4K identity rw- rw- WB\n0x10_0000+1M -> 0x8000_0000 r-x r-x'],
    ['mtk', 'regime mtk\n0x1000+4K -> 0x1_0000_0000 rwx rwx WB'],
    ['mali', 'regime mali\n0x1000+4K identity rw- rw- normal\n0x20_0000+2M identity r-x r-x normal'],
    ['riscv', 'regime riscv\n0x1000+4K identity rw- ---\n0xffff_ffc0_0000_0000+2M -> 0x8000_0000 r-x ---'],
    ['riscv', 'regime riscv\n0xffff_8000_0000_0000+1G -> 0x8000_0000 rw- ---'],
    ['riscv-iova', 'regime riscv-iova\n0x7f_ffff_f000+4K -> 0x1000 rw- rw-'],
    [
      'smmuv3-s1',
      'regime smmu-s1\n0x1000+4K -> 0x9000_0000 rw- rw- WB\n0xffff_8000_0000_0000+2M -> 0x8000_0000 rw- ---',
    ],
    ['smmuv3-s2', 'regime smmu-s2\n0x1000+4K -> 0x9000_0000 rw- rw- WB ISH'],
    ['smmuv3-nested', 'regime smmu-nested\n0x1_0000+64K -> 0xf_1230_0000_0000 r-- r-- NC leaf=64K'],
    ['pl1&0', 'regime pl1\n0x1000+4K identity rw- --- WB global\n0x20_0000+2M identity r-- r-- device'],
  ])('%s: %j', async (regime, text) => {
    const { code, json } = await map(text);
    const { hardware, verify } = json as unknown as Mapped;
    expect(verify.ranges.flatMap(({ differences }) => differences)).toEqual([]);
    expect([code, hardware.regime, verify.ok]).toEqual([0, regime, true]);
  });
});

test('literal words: EL3 with NS, and TCR_EL3', async () => {
  const { json } = await map(
    'regime el3\n0x8000_0000+1G identity rw- WB ISH pas=ns\n0xc000_0000+1G identity r-x NC',
  );
  const { tables, hardware } = json as unknown as Mapped;
  // AF, ISH, NS, AP[1] (RES1), XN; no nG, no PXN.
  expect(tables.at(-1)?.entries).toEqual({ 2: '0x0040000080000761', 3: '0x00000000c00007c5' });
  expect(hardware.registers).toEqual({
    ttbr0: '0x0000000080000000',
    tcr: '0x0000000080853510',
    mair: '0x00000000000044ff',
  });
});

test('literal words: both halves of EL1&0, and stage 2 below them', async () => {
  const { json } = await map(
    'regime nested\n0x4000_0000+1G -> 0x4000_0000 rw- --- NC\n0xffff_8000_4000_0000+1G -> 0x4000_0000 r-- ---',
  );
  const { hardware, roots } = json as unknown as Mapped & { roots: (Mapped & { role: string })[] };
  expect(roots.map(({ role, tables }) => [role, tables.at(-1)?.entries])).toEqual([
    // AttrIndx 0 (NC), AP[2:1] = 0, ISH, AF, nG, PXN and XN.
    ['lower', { 1: '0x0060000040000f01' }],
    // AttrIndx 1 (WB), AP[2:1] = 2.
    ['upper', { 1: '0x0060000040000f85' }],
    // MemAttr 0b1111, S2AP 0b11, NSH, AF: what stage 1 leads to, and the tables.
    ['stage 2', { 1: '0x00000000400004fd', 2: '0x00000000800004fd' }],
  ]);
  expect(hardware.registers).toEqual({
    ttbr0: '0x0000000080000000',
    ttbr1: '0x0000000080002000',
    tcr: '0x00000005b5103510',
    mair: '0x000000000000ff44',
    vttbr: '0x0000000080004000',
    vtcr: '0x0000000080053558',
    hcr: '0x0000000000000001',
  });
});

test('literal words: Hyp mode', async () => {
  const { json } = await map('regime pl2\n0x4000_0000+1G identity rw- WB');
  const { hardware, tables } = json as unknown as Mapped;
  // AttrIndx 0, AP[1] (RES1), ISH, AF, XN.
  expect(tables.at(-1)?.entries).toEqual({ 1: '0x0040000040000741' });
  expect(hardware.registers).toEqual({
    ttbr0: '0x0000000080000000',
    tcr: '0x0000000080803500',
    mair: '0x00000000000000ff',
  });
});

test('literal words: the STE and CD of a stream', async () => {
  const { json } = await map('regime smmu-nested\n0x0+1G -> 0x4000_0000 rw- rw-');
  const { hardware } = json as unknown as Mapped;
  expect(hardware.registers).toEqual({
    // V, Config = 7, the CD at 0x8000_4000.
    ste0: '0x000000008000400f',
    // S1CIR and S1COR Write-Back, S1CSH inner shareable, SHCFG incoming.
    ste1: '0x00001000000000d4',
    // S2R, S2AA64, S2PS 48 bits, S2SL0 = 1, S2T0SZ = 24.
    ste2: '0x040d355800000000',
    ste3: '0x0000000080002000',
  });
});

test('nGnRnE, nGRE and GRE without a MAIR: slots that Linux does not use', async () => {
  const ranges = ['nGnRE', 'GRE', 'nGnRnE'].map((device, i) => ({
    iova: `${i}M`,
    paddr: '0',
    size: '4K',
    prot: { read: true, device },
  }));
  const request = { format: 'arm_64_lpae_s1', config: { pgsize_bitmap: '0x1000', ias: 39, oas: 40 }, ranges };
  const { code, json } = await lpaeJson(['map', tempFile('r.json', JSON.stringify(request))]);
  const { hardware, tables } = json as unknown as Mapped;
  expect([code, hardware.registers.mair]).toEqual([0, '0xffff0c00f404ff44']);
  const words = tables.filter(({ level }) => level === 3).flatMap(({ entries }) => Object.values(entries));
  expect(words.map((word) => (BigInt(word) >> 2n) & 7n)).toEqual([2n, 5n, 4n]);
});

describe('stage 2 of Secure state has a root and a size of its own', () => {
  test.each([
    // T0SZ 24, SL0 1, TG0 0, bit 31 RES1: 4K, 40 bits, from level 1.
    ['regime stage2\nsecurity secure\n0x4000_0000+64K identity rw-', '0x0000000080000058'],
    // TG0 1: 64K, from level 2 (SL0 1).
    ['regime stage2\nsecurity secure\n0x4000_0000+64K identity rw- leaf=64K', '0x0000000080004058'],
    ['regime nested\nsecurity secure\n0x4000_0000+64K identity rw- ---', '0x0000000080000058'],
  ])('%j', async (text, vstcr) => {
    const { code, json } = await map(text);
    const { hardware, verify } = json as unknown as Mapped;
    expect([code, verify.ok]).toEqual([0, true]);
    expect(hardware.registers).toMatchObject({ vstcr, vttbr: '0x0000000000000000' });
    expect(BigInt(hardware.registers.vsttbr!)).toBeGreaterThanOrEqual(0x8000_0000n);
  });

  test('of a stream: S_S2T0SZ 24 and S_S2SL0 1 in word 4, S_S2TTB in word 6', async () => {
    const text = 'regime smmuv3-s2\nsecurity secure\n0x4000_0000+64K identity rw-';
    const { code, json } = await map(text);
    const { hardware, verify } = json as unknown as Mapped;
    expect([code, verify.ok]).toEqual([0, true]);
    expect(hardware.registers).toMatchObject({
      ste3: '0x0000000000000000',
      ste4: '0x0000005800000000',
      ste5: '0x0000000000000000',
      ste6: '0x0000000080000000',
    });
  });

  test('both stages of a stream', async () => {
    const text = 'regime smmuv3-nested\nsecurity secure\n0x4000_0000+64K identity rw- rw- leaf=64K';
    const { code, json } = await map(text);
    const { hardware, verify } = json as unknown as Mapped;
    expect([code, verify.ok]).toEqual([0, true]);
    // S_S2TG 1: 64K.
    expect(hardware.registers.ste4).toBe('0x0000405800000000');
  });

  test('its registers are printed', async () => {
    const text = 'regime stage2\nsecurity secure\n0x4000_0000+64K identity rw-';
    const { out } = await lpae(['map', tempFile('want.map', text)]);
    expect(out).toContain('vsttbr  0x0000000080000000');
  });
});

test('what a format can not express is a difference', async () => {
  const { code, out } = await lpae([
    'map',
    tempFile('want.map', 'regime el1\n0x0+4K identity r-- --- WB GP'),
  ]);
  expect(code).toBe(1);
  expect(out).toContain('differs  GP, not no GP\n');
});

describe('2: what no table can be made of', () => {
  test.each([
    [
      'regime el2\nsecurity root\n0x0+4K identity',
      'no tables of el2 in Root state: only EL3 is in Root state',
    ],
    ['regime el3\nsecurity realm\n0x0+4K identity', 'EL3 is Secure, or Root with FEAT_RME'],
    ['regime smmuv3-s2\nsecurity realm\n0x0+4K identity', 'Realm state is not modelled for smmuv3-s2'],
    ['regime pl1\n0x0+64K identity rw- rw- leaf=64K', 'arm_32_lpae_s1 has no 64K pages'],
    ['0x0+4K rw-', 'line 1: where does 0x0 lead?'],
    ['wibble', "line 1: 'wibble' is not understood"],
  ])('%j', async (text, message) => {
    const { code, err } = await lpae(['map', tempFile('want.map', text)]);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });
});

test('requests say as much: config.regime, prot.global, prot.nonSecure', async () => {
  const request = (config: object, prot: object) =>
    tempFile(
      'r.json',
      JSON.stringify({
        format: 'arm_64_lpae_s1',
        config: { pgsize_bitmap: '0x40201000', ias: 39, oas: 40, ...config },
        ranges: [{ iova: '0', paddr: '1G', size: '4K', prot }],
      }),
    );
  const dump = async (config: object, prot: object) =>
    (await lpae(['dump', request(config, prot)])).out.split('\n')[1]?.replace(/^.*4K {2}/, '');
  expect(await dump({}, { read: true, write: true, priv: true, cache: true, global: true })).toBe(
    'rwx --x  WB      ISH',
  );
  expect(await dump({ regime: 'el2' }, { read: true, cache: true })).toBe('r-x  WB      ISH');
  expect(await dump({ regime: 'el3' }, { read: true, write: true, execute: 'none', nonSecure: true })).toBe(
    'rw-  NC      OSH  Non-secure',
  );
  for (const [config, prot, message] of [
    [{ regime: 'el2', quirks: ['arm_ttbr1'] }, { read: true }, 'el2 has one'],
    [{ regime: 'pl2' }, { read: true }, 'arm_64_lpae_s1 does not make tables of pl2'],
    [{ regime: 'el2' }, { read: true, global: false }, 'every mapping is global'],
    [{ regime: 'el3' }, { read: true, execute: 'unprivileged' }, 'el3 has no unprivileged accesses'],
  ] as const) {
    const { code, out } = await lpae(['map', request(config, prot)]);
    expect([code, out]).toEqual([1, expect.stringContaining(message)]);
  }
  const stage2 = JSON.stringify({
    format: 'arm_64_lpae_s2',
    config: { pgsize_bitmap: '0x1000', ias: 39, oas: 40, regime: 'el2' },
    ops: [],
  });
  expect((await lpae(['map', tempFile('r.json', stage2)])).out).toContain('there is no option regime');
});
