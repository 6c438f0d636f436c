import { expect, test } from 'vitest';
import { lpae, lpaeJson } from './run.ts';

const S1 = ['--format', 'arm_64_lpae_s1'];

test('fields of a page, its bits over a ruler', async () => {
  const { code, out } = await lpae([
    'decode',
    '0x0060000040000f47',
    ...S1,
    '--granule',
    '4K',
    '--level',
    '3',
  ]);
  expect(code).toBe(0);
  expect(out).toBe(`0x0060000040000f47  arm_64_lpae_s1: stage 1 level 3 page, 4K granule
                    DDI 0487 D8.3.1.2

  63       55       47       39       31       23       15       7
  0   0    6   0    0   0    0   0    4   0    0   0    0   f    4   7
  00000000 01100000 00000000 00000000 01000000 00000000 00001111 01000111
  -AAAA--- -BCDEF-- GGGGGGGG GGGGGGGG GGGGGGGG GGGGGGGG GGGGHIJJ KKLMMMNO

  -  [63]     IGNORED     0x0      not used without memory encryption contexts
  A  [62:59]  PBHA        0x0      page-based hardware attributes
  -  [58:55]  IGNORED     0x0      free for software
  B  [54]     XN          0x1      execute-never (UXN: at EL0): execute-never
  C  [53]     PXN         0x1      privileged execute-never: execute-never
  D  [52]     Contiguous  0x0      one of a run of entries that a TLB may hold
                                   as one
  E  [51]     DBM         0x0      dirty bit modifier: hardware may make the
                                   entry writable
  F  [50]     GP          0x0      guarded page: branches must land on BTI
                                   (FEAT_BTI)
  -  [49:48]  RES0        0x0      above the address
  G  [47:12]  OA[47:12]   0x40000  output address
  H  [11]     nG          0x1      not global: of one ASID
  I  [10]     AF          0x1      access flag: accessed
  J  [9:8]    SH[1:0]     0x3      shareability: inner shareable
  K  [7:6]    AP[2:1]     0x1      data access permissions: read/write at EL1
                                   and EL0
  L  [5]      NS          0x0      the output address is in Non-secure memory
  M  [4:2]    AttrIndx    0x1      memory attribute: the byte of MAIR
  N  [1]      Type        0x1      page
  O  [0]      Valid       0x1      valid

  output address: 0x40000000-0x40000fff (4K)
`);
});

type Decoded = Record<string, unknown> & { fields: { name: string; text?: string }[] };

async function decoded(...args: string[]): Promise<Decoded[]> {
  const { json } = await lpaeJson(['decode', ...args]);
  const [descriptor] = json.descriptors as { readings: Decoded[] }[];
  return descriptor!.readings;
}

/** The readings of a word as `format granules levels kind address`. */
async function readings(...args: string[]): Promise<string[]> {
  return (await decoded(...args)).map(({ format, granules, levels, kind, address }) =>
    [format, granules, levels, kind, address].map(String).join(' '),
  );
}

test('without a level, every valid reading, the likeliest first', async () => {
  const with4k = [...S1, '--granule', '4K'];
  expect(await readings('0x0060000040000f47', ...with4k)).toEqual([
    'arm_64_lpae_s1 4K 3 page 0x40000000',
    'arm_64_lpae_s1 4K 0,1,2 table 0x40000000',
  ]);
  expect(await readings('0x80001003', ...with4k)).toEqual([
    'arm_64_lpae_s1 4K 0,1,2 table 0x80001000',
    'arm_64_lpae_s1 4K 3 page 0x80001000',
  ]);
  expect(await readings('0x40000f45', ...with4k)).toEqual([
    'arm_64_lpae_s1 4K 1 block 0x40000000',
    'arm_64_lpae_s1 4K 2 block 0x40000000',
  ]);
});

test('without a granule, all of them; equal readings are joined', async () => {
  expect(await readings('0x0060000040000f47', '--stage', '1', '--level', '3')).toEqual([
    'arm_64_lpae_s1 4K,16K,64K 3 page 0x40000000',
  ]);
  // Bits [13:12] are address bits with 4K alone, and with 64K bits [15:12] are OA[51:48].
  expect(await readings('0x40003f47', '--stage', '1', '--level', '3')).toEqual([
    'arm_64_lpae_s1 4K 3 page 0x40003000',
    'arm_64_lpae_s1 64K 3 page 0x3000040000000',
    'arm_64_lpae_s1 16K 3 page 0x40000000',
  ]);
});

test('without a format, stage 1 and stage 2', async () => {
  expect(await readings('0', '--level', '2')).toEqual([
    'arm_64_lpae_s1 4K,16K,64K 2 invalid null',
    'arm_64_lpae_s2 4K,16K,64K 2 invalid null',
  ]);
});

test('--stage keeps to one, and goes with no --format', async () => {
  const formats = async (stage: string) => {
    const all = await decoded('0x40000f45', '--stage', stage);
    return [...new Set(all.map(({ format }) => format))];
  };
  expect(await formats('2')).toEqual(['arm_64_lpae_s2']);
  expect(await formats('1')).toEqual(['arm_64_lpae_s1', 'arm_v7s']);
  const { code, err } = await lpae(['decode', '0x3', '--stage', '1', ...S1]);
  expect(code).toBe(2);
  expect(err).toContain("option '--stage <n>' cannot be used with option '--format <name>'");
});

test('a word of 8 digits is read as a short descriptor too, one of 9 or 16 is not', async () => {
  const isShort = async (word: string) => (await readings(word)).some((one) => one.startsWith('arm_v7s'));
  expect(await isShort('0x80011c0e')).toBe(true);
  expect(await isShort('0x080011c0e')).toBe(false);
  expect(await isShort('0x0000000080011c0e')).toBe(false);
  expect((await readings('0x80011c0e'))[0]).toBe('arm_v7s 4K 1 block 0x80000000');
});

test.each([
  ['arm_v7s', '0x80040c02', 'arm_v7s 4K 1 block 0x80000000'],
  ['arm_mali_lpae', '0x80000ec1', 'arm_mali_lpae 4K 3 page 0x80000000'],
  ['riscv_64', '0x200000cf', 'riscv_64 4K 3 page 0x80000000'],
])('other formats by name: %s', async (format, word, reading) => {
  expect(await readings(word, '--format', format)).toContain(reading);
});

test('OA[51:48] of the 64K granule is moved back', async () => {
  expect(
    await readings('0x9000f7f5', '--granule', '64K', '--format', 'arm_64_lpae_s2', '--level', '2'),
  ).toEqual(['arm_64_lpae_s2 64K 2 block 0xf000080000000']);
});

test('--ds: address bits [51:50] in bits [9:8], a level -1, and no 64K', async () => {
  expect(await readings('0x40000743', '--ds', '--stage', '1', '--level', '3')).toEqual([
    'arm_64_lpae_s1 4K,16K 3 page 0xc000040000000',
  ]);
  expect(await readings('0x40000003', '--ds', '--stage', '1', '--level', '-1')).toEqual([
    'arm_64_lpae_s1 4K -1 table 0x40000000',
  ]);
});

test('--mair says the memory type', async () => {
  const attr = async (...args: string[]) => {
    const [first] = await decoded('0x0060000040000f47', '--stage', '1', '--level', '3', ...args);
    return first!.fields.find(({ name }) => name === 'AttrIndx')!.text;
  };
  expect(await attr('--mair', '0xff04')).toBe(
    '0xff, Normal, outer and inner Write-Back, read and write allocate',
  );
  expect(await attr('--mair', '0x0400')).toBe('0x04, Device-nGnRE');
  expect(await attr()).toBeUndefined();
});

const fieldsIn = async (...args: string[]) =>
  (await decoded(...args))[0]!.fields.map((field) => {
    const { name, bits, kind } = field as { name: string; bits: string; kind: string };
    return `${bits} ${kind === 'field' ? name : kind}`;
  });

test('--regime: a field of one regime is reserved in another', async () => {
  const block = ['0x0020000080200701', '--level', '2', '--granule', '4K'];
  const [el1, el2] = [
    await fieldsIn(...block, '--regime', 'el1'),
    await fieldsIn(...block, '--regime', 'el2'),
  ];
  expect(el1).toEqual(expect.arrayContaining(['54 UXN', '53 PXN', '11 nG', '7:6 AP[2:1]', '5 NS']));
  expect(el2).toEqual(expect.arrayContaining(['54 XN', '53 res0', '11 res0', '7 AP[2]', '6 res1', '5 NS']));
  const { out } = await lpae(['decode', ...block, '--regime', 'el2']);
  expect(out).toMatch(/\[53\] +RES0 +0x1 +one privilege level: XN covers all accesses/);
});

test('--security: NS is there only where there is a choice', async () => {
  const page = ['0x0060000040000f67', '--level', '3', '--granule', '4K', '--regime'];
  const ns = async (regime: string, security: string) =>
    (await fieldsIn(...page, regime, '--security', security)).find((field) => /^5 /.test(field));
  expect(await ns('el1', 'non-secure')).toBe('5 res0');
  expect(await ns('el1', 'realm')).toBe('5 res0');
  expect(await ns('el2', 'realm')).toBe('5 NS');
  expect(await ns('el1', 'secure')).toBe('5 NS');
  expect(await fieldsIn(...page, 'el3', '--security', 'root')).toContain('11 NSE');
});

test('--regime says which formats there are', async () => {
  const formats = async (...args: string[]) => {
    const all = await decoded('0x40000f45', ...args);
    return [...new Set(all.map(({ format }) => format))].sort();
  };
  expect(await formats('--regime', 'nested')).toEqual(['arm_64_lpae_s1', 'arm_64_lpae_s2']);
  expect(await formats('--regime', 'nested', '--stage', '2')).toEqual(['arm_64_lpae_s2']);
  expect(await formats('--regime', 'pl2')).toEqual(['arm_32_lpae_s1']);
  expect(await formats('--regime', 'pl1-short')).toEqual(['arm_v7s']);
  expect(await formats('--regime', 'mali')).toEqual(['arm_mali_lpae']);
});

test('words from the text on stdin', async () => {
  const stdin = '[ffff800008000010] pgd=1000000080001003, pte=0068000080000f43\n40000000: 0x80002003 x\n';
  const { json } = await lpaeJson(['decode', '-'], { stdin });
  const descriptors = json.descriptors as { descriptor: string }[];
  // The address in brackets is none.
  expect(descriptors.map(({ descriptor }) => descriptor)).toEqual([
    '0x1000000080001003',
    '0x0068000080000f43',
    '0x0000000080002003',
  ]);
  const none = await lpae(['decode', '-'], { stdin: 'nothing here\n' });
  expect(none.code).toBe(3);
  expect(none.err).toContain('stdin: there is no word in it');
});

test('the entries of a printed walk, with the levels that their names say', async () => {
  const vtop = `crash> vtop 0xffffff80088842f0
VIRTUAL           PHYSICAL
ffffff80088842f0  8842f0

PAGE DIRECTORY: ffffff8008d61000
   PGD: ffffff8008d61000 => 3ffffe803
   PMD: ffffffc3ffffe220 => 3ffffc803
   PTE: ffffffc3ffffc420 => d0000000884f93
  PAGE: 884000
`;
  const { code, json, err } = await lpaeJson(['decode', '-'], { stdin: vtop });
  expect(code).toBe(0);
  const found = json.descriptors as { descriptor: string; readings: { kind: string; level: number }[] }[];
  expect(found.map(({ descriptor, readings }) => [descriptor, readings[0]!.kind])).toEqual([
    ['0x00000003ffffe803', 'table'],
    ['0x00000003ffffc803', 'table'],
    ['0x00d0000000884f93', 'page'],
  ]);
  expect(err).toContain('left out: 0xffffff80088842f0');
  const xen = '(XEN) 0TH[0x0] = 0x004000017f0f377f\n(XEN) 1ST[0x2] = 0x02c00000800006fd\n';
  const { json: levels } = await lpaeJson(['decode', '-'], { stdin: xen });
  expect((levels.descriptors as { descriptor: string }[]).map(({ descriptor }) => descriptor)).toEqual([
    '0x004000017f0f377f',
    '0x02c00000800006fd',
  ]);
});

test('what speaks against a reading ranks it, and is said', async () => {
  const { out } = await lpae(['decode', '0x40000f45', '--stage', '1', '--granule', '64K']);
  expect(out).toContain('level 2 block, 64K granule\n                    DDI 0487 D8.3.1.2\n');
  expect(out).toContain('nothing speaks against it');
  expect(out).toContain(
    'unlikely:\n    arm_64_lpae_s1: stage 1 level 1 block, 64K granule at 0x0; against it:\n      bits [41:17]',
  );
  const ranked = await decoded('0x7f4', '--format', 'arm_64_lpae_s2');
  expect(ranked.map(({ kind }) => kind)).toEqual(['invalid']);
  const above = await decoded('0x4000f7ff', '--stage', '2', '--level', '3', '--granule', '64K');
  expect(above[0]).toMatchObject({ score: 10, against: ['its address is above 48 bits'] });
});

test('RES0 bits that are set are problems', async () => {
  const [reading] = await decoded('0x0001000040000403', ...S1, '--granule', '4K', '--level', '3');
  expect(reading!.fields).toContainEqual({
    name: '-',
    bits: '49:48',
    kind: 'res0',
    value: '0x1',
    meaning: 'above the address',
    reference: 'DDI 0487 D8.3.1.2',
    problem: 'RES0, but set',
  });
  expect((await lpae(['decode', '0x0001000040000403', ...S1, '--level', '3'])).out).toContain(
    'RES0, but set',
  );
});

test('a reserved encoding: exit code 1 and why', async () => {
  const { code, out } = await lpae(['decode', '0x1', ...S1, '--level', '3']);
  expect(code).toBe(1);
  expect(out).toContain('bits [1:0] = 0b01 are reserved at this level: the entry is invalid');
});

test('a word that is too wide: exit code 1', async () => {
  const { code, out } = await lpae(['decode', '0x180000003', '--format', 'arm_v7s']);
  expect(code).toBe(1);
  expect(out).toBe('0x0000000180000003  wider than an entry of this format: not a descriptor\n');
});

test.each(['0x40000f45', '0xffffffffffffffff', '0x80011c0e', '0x3', '0x0060000040000f47'])(
  'no line is wider than 100 columns: %s',
  async (word) => {
    const { out } = await lpae(['decode', word]);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  },
);

test('fields have the colours of their bits', async () => {
  const { out } = await lpae(['decode', '0x3', ...S1, '--level', '3', '--color=always']);
  const painted = (colour: number, text: string) => `\u001b[${colour}m${text}\u001b[39m`;
  expect(out).toContain(painted(33, 'XN'));
  expect(out).toContain(painted(33, 'B'));
});

test.each([
  [['0xzz'], "'0xzz' is not a 64-bit address"],
  [['0x10000000000000000'], 'is not a 64-bit address'],
  [['0x3', '--format', 'arm_v9'], 'format arm_v9 is not known'],
  [['0x3', '--format', 'arm_32_lpae_s1', '--granule', '64K'], 'arm_32_lpae_s1 has no 64K granule'],
  [['0x3', ...S1, '--level', '7'], 'has no level 7'],
  [['0x3', ...S1, '--level', 'x'], "'x' is not a level"],
  [['0x3', '--granule', '8K'], 'Allowed choices are 4K, 16K, 64K'],
  [['0x3', '--ds', '--granule', '64K'], 'has no 52-bit addresses by TCR.DS with 64K'],
  [['0x3', '--ds', '--format', 'arm_mali_lpae'], 'arm_mali_lpae has no 52-bit addresses by TCR.DS'],
  [['0x3', '--regime', 'el9'], "there is no regime 'el9'"],
  [['0x3', '--regime', 'el2', '--stage', '2'], 'el2 has no stage 2'],
  [['0x3', '--security', 'realm'], '--security goes with --regime'],
  [['0x3', '--regime', 'el2', ...S1], "cannot be used with option '--format <name>'"],
  [['0x3', '-'], '- takes the words from stdin, and must be the only argument'],
  [['0x3', '--mair', 'x'], "--mair: 'x' is not a 64-bit address"],
])('wrong usage: %j', async (args, message) => {
  const { code, err } = await lpae(['decode', ...args]);
  expect(code).toBe(2);
  expect(err).toContain(message);
});

test.each([
  ['0x0060000040000f47'],
  ['0xffffffffffffffff'],
  ['0x00e8000080000f4d', '--format', 'arm_64_lpae_s2'],
  ['0x3', ...S1, '--level', '0'],
  ['0x40000c02', '--format', 'arm_v7s', '--level', '1'],
])('fits 80 columns: %j', async (...args) => {
  const { out } = await lpae(['decode', ...args]);
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(out.split('\n').length).toBeGreaterThan(5);
});

test.each([
  [
    "crash's physical address behind a walk",
    '   PTE: ffffffc3ffffc420 => d0000000884f93\n  PAGE: 40884000\n',
    'd0000000884f93',
  ],
  ['an index with its name', 'pmd_index 0x2 entry 0x0000000040081003\n', '0000000040081003'],
  ['a register without a sign behind its name', 'FAR 0x10\npte 0x0000000040081703\n', '0000000040081703'],
  [
    'registers of a program',
    'x0  0000000040081003 x1  000000000e158620\npte: 0000000040081703\n',
    '0000000040081703',
  ],
  [
    'the command of a debugger',
    '(gdb) x/1gx 0x40080000\n0x40080000:\t0x0000000040081003\n',
    '0000000040081003',
  ],
  ['instructions', 'Code: d503201f 910003fd (b9000001)\npte=0000000040081703\n', '0000000040081703'],
])('what is no descriptor: %s', async (_, stdin, only) => {
  const { json } = await lpaeJson(['decode', '-'], { stdin });
  const words = (json.descriptors as { descriptor: string }[]).map(({ descriptor }) => descriptor);
  expect(words).toEqual([`0x${only.padStart(16, '0')}`]);
});

test("event records and the entries of other IOMMUs' tables are no descriptors", async () => {
  const event = await lpae(['decode', '-'], { stdin: 'event 0x10 received:\n 0x0000310200000010\n' });
  expect(event.code).toBe(3);
  expect(event.err).toContain('0x0000310200000010 (a word of an event record)');
  const stdin =
    'rk_iommu: mmu_dte_addr: 0x7b2d4000 dte@0x7b2d4008: 0x7b2d5001 valid: 1 pte@0x7b2d5bc4: 0x000000 valid: 0\n';
  const rockchip = await lpae(['decode', '-'], { stdin });
  expect(rockchip.code).toBe(3);
  expect(rockchip.err).toContain('0x7b2d5001 (DTE of an IOMMU with a format of its own)');
});

test.each([
  ['1', [], ['PBHA', 'XN', 'PXN', 'Contiguous', 'DBM', 'AP[2:1]']],
  ['1', ['--pie'], ['PIIndex[3]', 'PIIndex[2]', 'PIIndex[1]', 'nDirty', 'PIIndex[0]', 'PBHA']],
  ['1', ['--poe'], ['POIndex', 'XN']],
  ['1', ['--aie'], ['AttrIndx[3]', 'XN']],
  ['1', ['--pnch'], ['Protected', 'XN']],
  ['2', ['--pie', '--poe'], ['POIndex', 'PIIndex[3:2]', 'PIIndex[1]', 'Dirty', 'PIIndex[0]']],
])('stage %s, registers turn on %j: which fields there are', async (stage, options, fields) => {
  const words = ['decode', '0x2068000040000fc7', '--granule', '4K', '--level', '3', '--stage', stage];
  const { out } = await lpae([...words, ...options]);
  for (const field of fields) expect(out).toContain(` ${field} `);
  const others = ['PIIndex[1]', 'POIndex', 'AttrIndx[3]', 'Protected', 'DBM'];
  const absent = others.filter(
    (one) => !fields.includes(one) && !(one === 'DBM' && !options.includes('--pie')),
  );
  for (const field of absent) expect(out).not.toContain(` ${field} `);
});
