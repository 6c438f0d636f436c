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
    ['regime nested\n0x0+4K identity', 'no format makes tables of el1&0-nested'],
    ['0x0+4K rw-', 'line 1: where does 0x0 lead?'],
    ['0x0+4K identity\n0xffff_8000_0000_0000+4K identity', 'both halves'],
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
