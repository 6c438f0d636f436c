/** Register files and options on the command line: what is taken, what is said, what is refused; and what stands where a register is missing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { asText, lpae, lpaeJson, tempFile } from './run.ts';

/** Level 1: entry 0 a block at 0x4000_0000 with AttrIndx 4, entry 1 one with AttrIndx 0; entry 2 is not valid. */
const WORDS = tempFile(
  'words.txt',
  '40001000: 0000000040000711 0000000080000701\n40001010: 0000000000000000 0000000000000000\n',
);

const GDB = `x0             0x0                 0
pc             0x40080100          0x40080100
cpsr           0x600003c5          [ EL=1 BTYPE=0 D A I F SP C Z ]
v0             {d = {f = {0x0, 0x0}, u = {0x0, 0x0}}}
TTBR0_EL3      0x30000000          805306368
TCR_EL3        0x80803519          2155885849
SCTLR_EL3      0xc50838            12912696
TTBR0_EL1      0x40001000          1073745920
TCR_EL1        0x80800019          2155872281
MAIR_EL1       0xff00000004        1095216660484
SCTLR_EL1      0x30d00801          818939905
HCR_EL2        0x80000000          2147483648
TTBR0_EL2      0x50000000          1342177280
TCR_EL2        0x80800019          2155872281
SCTLR_EL2      0x30c50830          818219056
`;
const TFA = `x30            = 0x000000000e00cc68
scr_el3        = 0x0000000000000738
sctlr_el3      = 0x0000000030cd183f
tcr_el3        = 0x0000000080803519
mair_el3       = 0x00000000004404ff
ttbr0_el3      = 0x0000000040001000
`;
const XEN = `(XEN) CPU0: Unexpected Trap: Data Abort
(XEN)      VTCR_EL2: 0000000080023559
(XEN)     VTTBR_EL2: 0001000040001000
(XEN)     SCTLR_EL2: 0000000030cd183d
(XEN)       HCR_EL2: 00000000807c663f
(XEN)     TTBR0_EL2: 0000000040001000
(XEN)       ESR_EL2: 0000000096000046
`;
const UBOOT =
  'TTBR0_EL2: 0000000040001000\nTCR_EL2:   0000000080803519\nSCTLR_EL2: 0000000030c5183d\nELR:     0000000040001000 LR:     0000000040001000\n';

const walk = (name: string, text: string, ...more: string[]) =>
  lpaeJson(['walk', WORDS, '0x1000', '--registers', tempFile(name, text), ...more]);

describe('what debuggers and firmware print is a register file', () => {
  test.each([
    ["gdb's info registers", GDB, [], 'el1&0', 'Normal, inner and outer Write-Back RW-allocate'],
    ['TF-A', TFA, [], 'el3', 'Device-nGnRnE'],
    ['U-Boot', UBOOT, [], 'el2', 'AttrIndx 4 (no MAIR given)'],
    [
      'NAME=0x…',
      'TTBR0_EL1=0x40001000 TCR_EL1=0x80800019, MAIR_EL1=0xff00000000',
      [],
      'el1&0',
      'Normal, inner and outer Write-Back RW-allocate',
    ],
    [
      'OpenOCD',
      '(7) TTBR0_EL1 (/64): 0x0000000040001000\n(8) TCR_EL1 (/64): 0x0000000080800019',
      [],
      'el1&0',
      'AttrIndx 4 (no MAIR given)',
    ],
  ] as const)('%s', async (_, text, more, regime, memory) => {
    const { json } = await walk('r.txt', text, ...more);
    expect([json.regime, json.walks]).toEqual([
      regime,
      [expect.objectContaining({ pa: '0x40001000', memory })],
    ]);
  });

  test('Xen: a trap of the hypervisor, which has two regimes', async () => {
    const ran = await lpae(['walk', WORDS, '0', '--registers', tempFile('xen.txt', XEN)]);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('--regime el10-s2 or --regime el2');
    expect((await walk('xen.txt', XEN, '--regime', 's2')).json.regime).toBe('el1&0-s2');
  });

  test.each([
    ['prose', 'nothing of the sort\n', 'no JSON document with register values, and no register dump'],
    ['half JSON', '{ "TTBR0_EL1": ', 'not JSON'],
    ['no value', 'TTBR0_EL1=0x1000 TCR_EL1=12345', "TCR_EL1 = '12345' is not a value of at most 64 bits"],
    ['twice', 'TTBR0_EL1=0x1000\nttbr0_el1=0x2000', 'ttbr0_el1 is given twice, as 0x1000 and as 0x2000'],
    ['misspelt', 'MIAR_EL1=0x1000\nTTBR0_EL1=0x2000', 'did you mean MAIR_EL1?'],
    ['nothing', ' \n', 'empty'],
  ])('refused: %s', async (_, text, message) => {
    const ran = await lpae(['walk', WORDS, '0', '--registers', tempFile('r.txt', text)]);
    expect([ran.code, ran.out]).toEqual([3, '']);
    expect(ran.err).toContain(message);
  });
});

describe('a file that keeps registers apart', () => {
  const REGISTERS = { TTBR0_EL1: '0x40001000', TCR_EL1: '0x80800019', SCTLR_EL1: '0x1' };

  test('says whose accesses they are', async () => {
    const text = asText({ security: 'secure', registers: REGISTERS });
    expect((await walk('r.json', text)).json.walks).toMatchObject([{ security: 'secure' }]);
    const { json } = await walk('r.json', text, '--security', 'nonsecure');
    expect(json.walks).toMatchObject([{ security: 'nonsecure' }]);
  });

  test.each([
    [{ regim: 'el2', registers: REGISTERS }, 'regim is not known here; did you mean regime?'],
    [{ registers: REGISTERS, cpu: { pabits: 40 } }, 'cpu.pabits is not known here; did you mean pa_bits?'],
  ])('an unknown member is refused: %j', async (json, message) => {
    const ran = await lpae(['walk', WORDS, '0', '--registers', tempFile('r.json', asText(json))]);
    expect([ran.code, ran.out]).toEqual([3, '']);
    expect(ran.err).toContain(message);
  });
});

describe('what is said beside the answer', () => {
  test('regime, assumptions, what is left out', async () => {
    const { err } = await walk('r.txt', `${GDB}FOOBAR_EL1 0x1 1\nTTBCR2 0x1 1\n`);
    for (const line of [
      'regime el1&0: TTBR0_EL1, TCR_EL1; not el2: SCTLR_EL2.M = 0; not el3: SCTLR_EL3.M = 0',
      'not known here, and ignored: FOOBAR_EL1',
      'TTBCR2 is ignored: ',
      'el1&0 does not read TTBR0_EL3, ',
      '3 registers that no walk reads left out',
    ]) {
      expect(err).toContain(`lpae: ${line}`);
    }
    expect(err).not.toContain('BTYPE');
  });

  test('an option in the place of a value', async () => {
    const { err, json } = await walk('r.txt', GDB, '--ttbr0', '0x40001008');
    expect(err).toContain('ttbr0 = 0x40001008 takes the place of TTBR0_EL1 = 0x40001000');
    expect(json.walks).toMatchObject([{ pa: '0x40001000' }]);
    const both = ['--reg', 'TTBR0_EL1=0x1000', '--ttbr0', '0x2000', '--tcr', '0x19'];
    const ran = await lpae(['walk', WORDS, '0', ...both]);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('ttbr0 = 0x2000 and TTBR0_EL1 = 0x1000 are both TTBR0_EL1, and disagree');
  });

  test('a base that is decimal, or no multiple of 4K', async () => {
    const file = tempFile('ram.bin', Buffer.alloc(64, 0xa5));
    const options = ['--ttbr0', '0x4010_0000', '--tcr', '0x80_0019'];
    const said = async (base: string) => (await lpae(['dump', `${file}@${base}`, ...options])).err;
    expect(await said('40100000')).toContain(
      'the base 40100000 is decimal: 0x263e0a0; in hexadecimal it is written 0x40100000',
    );
    expect(await said('0x40100010')).toContain(
      'the base 0x40100010 is read as 0x40100010, which is not a multiple of 4K',
    );
    expect(await said('0x4010_0000')).not.toContain('base');
    expect(await said('1025M')).not.toContain('base');
  });
});

describe('what was not given', () => {
  const BASES = ['--ttbr0', '0x40001000', '--tcr', '0x8019_0019'];

  test('MAIR: the index is shown, --type refuses, lint skips and says so', async () => {
    const walked = await lpae(['walk', WORDS, '0', ...BASES]);
    expect(walked.out).toContain('AttrIndx 4 (no MAIR given), inner shareable');
    const dumped = await lpae(['dump', WORDS, ...BASES]);
    expect(dumped.out).toContain('AttrIndx 4 (no MAIR given)  ISH');
    expect(dumped.out).toContain('AttrIndx 0 (no MAIR given)  ISH');
    const { json } = await lpaeJson(['walk', WORDS, '0', ...BASES]);
    expect(json.walks).toMatchObject([{ attr: null, attr_indx: 4, par: null }]);
    const typed = await lpae(['dump', WORDS, ...BASES, '--type', 'device']);
    expect([typed.code, typed.out]).toEqual([2, '']);
    expect(typed.err).toContain('memory types are not known, as MAIR was not given');
    const linted = await lpae(['lint', WORDS, ...BASES, '--rule', 'device-executable']);
    expect(linted.err).toContain(
      'skipped, because memory types are not known without MAIR: device-executable',
    );
    const known = await lpae(['lint', WORDS, ...BASES, '--mair', '0', '--rule', 'device-executable']);
    expect(known.out).toContain('Device-nGnRnE, executable');
    expect(known.err).not.toContain('skipped');
  });

  test('TTBR1 of a range that is enabled: asked for where it is walked', async () => {
    const asked = await lpae(['walk', WORDS, '0xffff_ff80_0000_0000', ...BASES]);
    expect([asked.code, asked.out]).toEqual([2, '']);
    expect(asked.err).toContain('0xffffff8000000000 is translated by TTBR1_EL1, which is not given');
    const { json, err } = await lpaeJson(['dump', WORDS, ...BASES]);
    expect(err).toContain('TTBR1_EL1 is not given: its range, 0xffffff8000000000 to ');
    expect(json.scanned).toHaveLength(1);
    const fault = [
      'fault',
      '--esr',
      '0x96000005',
      '--far',
      '0xffffff8000000000',
      '--tables',
      WORDS,
      ...BASES,
    ];
    expect((await lpae(fault)).err).toContain('TTBR1_EL1, which is not given');
  });

  test('HCR_EL2 of stage 2 alone: the own type, and the combined one where stage 1 is off', async () => {
    const file = tempFile('s2.txt', '40001000: 00000000400007d1 00000000800007fd\n');
    const given = ['--vttbr', '0x40001000', '--vtcr', '0x80050059', '--hcr', '0x80000001'];
    const { out } = await lpae(['dump', file, ...given]);
    expect(out).toMatch(/rwx rwx {2}NC +OSH {2}\(nGnRnE with stage 1 off\)/);
    const { json } = await lpaeJson(['walk', file, '0', ...given]);
    expect(json.walks).toMatchObject([
      {
        memory: 'Normal, inner and outer Non-cacheable',
        with_stage1_off: { memory: 'Device-nGnRnE', attr: '0x00' },
      },
    ]);
    const linted = await lpae(['lint', file, ...given, '--rule', 'device-executable']);
    expect(linted.out).toContain('0 errors, 0 warnings');
  });
});

describe('dump --type', () => {
  const options = ['--ttbr0', '0x40001000', '--tcr', '0x80_0019', '--mair', '0xff_0000_0004'];
  const types = async (type: string) =>
    ((await lpaeJson(['dump', WORDS, ...options, '--type', type])).json.ranges as object[]).length;

  test.each([
    ['write-back', 1],
    ['writeback', 1],
    ['WB', 1],
    ['nGnRE', 1],
    ['Device-nGnRE', 1],
    ['device', 1],
    ['normal', 1],
    ['WB/NC', 0],
    ['write-through', 0],
  ])('%s', async (type, count) => {
    expect(await types(type)).toBe(count);
  });

  test('another word is an error with the list', async () => {
    const ran = await lpae(['dump', WORDS, ...options, '--type', 'wibble']);
    expect([ran.code, ran.out]).toEqual([2, '']);
    expect(ran.err).toContain("there is no memory type 'wibble'");
    expect(ran.err).toContain('nGnRnE, nGnRE, nGRE, GRE, WB or write-back or writeback');
  });
});

describe('a stream table without --sid', () => {
  const table = (...valid: number[]) => {
    const bytes = Buffer.alloc(8 * 64);
    for (const id of valid) bytes.writeBigUInt64LE(0x9n, id * 64);
    return `${tempFile('strtab.bin', bytes)}@0x8000_0000`;
  };
  const options = ['--strtab-base', '0x80000000', '--strtab-cfg', '3'];

  test('the only valid StreamID is taken, and said', async () => {
    const { err, code } = await lpae(['walk', table(5), '0x1234', ...options]);
    expect(code).toBe(0);
    expect(err).toContain('StreamID 0x5: it is the only one with a valid stream table entry');
  });

  test('several are listed, and one is asked for', async () => {
    const ran = await lpae(['walk', table(2, 5), '0x1234', ...options]);
    expect([ran.code, ran.out]).toEqual([2, '']);
    expect(ran.err).toContain('Valid are the StreamIDs 0x2, 0x5');
    expect((await lpae(['walk', table(2, 5), '0x1234', ...options, '--sid', '2'])).code).toBe(0);
  });

  test('no valid entry: the register that was not given may be the reason', async () => {
    const ran = await lpae(['walk', table(5), '0x1234', '--strtab-base', '0x80000000']);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(
      'no StreamID has a valid stream table entry (SMMU_STRTAB_BASE_CFG, --strtab-cfg, is not given',
    );
  });
});

test('a golden image with the registers of another file: they take the place by their own names', async () => {
  const image = tempFile(
    'image.json',
    asText({
      schema: 'pgtable-golden/1',
      kind: 'image',
      name: 'x',
      regime: 'el1&0',
      cpu: { model: 'max' },
      ram: { base: '0x40000000', size: '0x10000' },
      registers: { TTBR0_EL1: '0x40001000', tcr_el1: '0x800019', mair: '0xff', sctlr: '0x1' },
      memory: [{ pa: '0x40001000', words64: { 0: '0x40000701' } }],
      translations: [{ va: '0x1234', access: 'read', pa: '0x40001234', attr: '0xff' }],
    }),
  );
  expect((await lpae(['check', image])).code).toBe(0);
  const { err } = await lpae(['walk', image, '0', '--reg', 'TTBR0_EL1=0x40002000']);
  expect(err).toContain('TTBR0_EL1 = 0x40002000 takes the place of TTBR0_EL1 = 0x40001000');
});

describe('docs/register-files.md shows each form of text', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/register-files.md'), 'utf8');
  const blocks = [...page.matchAll(/^```text registers (.*)\n([\s\S]*?)^```/gm)];

  test('all of them', () => {
    expect(blocks.length).toBe(7);
  });

  test.each(blocks.map(([, head = '', text = '']) => [head, text]))('%s', async (head, text) => {
    const options = head.startsWith('--') ? head.split(' ') : [];
    const { json, code } = await walk('printed.txt', text, ...options);
    expect([code === 0 || code === 1, json.regime]).toEqual([true, head.replace('--regime ', '')]);
  });

  test('Xen without a regime asks for one', async () => {
    const [, , text = ''] = blocks.find(([, head]) => head?.startsWith('--'))!;
    const { code, err } = await lpae(['walk', WORDS, '0x1000', '--registers', tempFile('xen.txt', text)]);
    expect(code).toBe(2);
    expect(err).toContain('--regime');
  });
});
