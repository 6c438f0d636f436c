import { expect, test } from 'vitest';
import { lpae, lpaeJson } from './run.ts';

const S1 = ['--format', 'arm_64_lpae_s1'];

test('fields of a page, its bits over a ruler', async () => {
  const { code, out } = await lpae(['decode', '0x0060000040000f47', ...S1, '--level', '3']);
  expect(code).toBe(0);
  expect(out).toBe(`0x0060000040000f47  arm_64_lpae_s1: stage 1 level 3 page, 4K granule
                    DDI 0487 D8.3.1.2

  63       55       47       39       31       23       15       7
  0   0    6   0    0   0    0   0    4   0    0   0    0   f    4   7
  00000000 01100000 00000000 00000000 01000000 00000000 00001111 01000111
  -AAAA--- -BCDE--- FFFFFFFF FFFFFFFF FFFFFFFF FFFFFFFF FFFFGHII JJKLLLMN

  -  [63]     IGNORED     0x0      not used without memory encryption contexts
  A  [62:59]  PBHA        0x0      page-based hardware attributes
  -  [58:55]  IGNORED     0x0      free for software
  B  [54]     XN          0x1      execute-never (UXN: at EL0): execute-never
  C  [53]     PXN         0x1      privileged execute-never: execute-never
  D  [52]     Contiguous  0x0      one of a run of entries that a TLB may hold as one
  E  [51]     DBM         0x0      dirty bit modifier: hardware may make the entry writable
  -  [50:48]  RES0        0x0      above the address
  F  [47:12]  OA[47:12]   0x40000  output address
  G  [11]     nG          0x1      not global: of one ASID
  H  [10]     AF          0x1      access flag: accessed
  I  [9:8]    SH[1:0]     0x3      shareability: inner shareable
  J  [7:6]    AP[2:1]     0x1      data access permissions: read/write at EL1 and EL0
  K  [5]      NS          0x0      the output address is in Non-secure memory
  L  [4:2]    AttrIndx    0x1      memory attribute: the byte of MAIR
  M  [1]      Type        0x1      page
  N  [0]      Valid       0x1      valid

  output address: 0x40000000-0x40000fff (4K)
`);
});

/** The readings of a word as `format levels kind address`. */
async function readings(word: string, ...args: string[]): Promise<string[]> {
  const { json } = await lpaeJson(['decode', word, ...args]);
  const [descriptor] = json.descriptors as { readings: Record<string, unknown>[] }[];
  return descriptor!.readings.map(
    ({ format, levels, kind, address }) =>
      `${String(format)} ${String(levels)} ${String(kind)} ${String(address)}`,
  );
}

test('without a level, every valid reading, the likeliest first', async () => {
  expect(await readings('0x0060000040000f47', ...S1)).toEqual([
    'arm_64_lpae_s1 3 page 0x40000000',
    'arm_64_lpae_s1 0,1,2 table 0x40000000',
  ]);
  expect(await readings('0x80001003', ...S1)).toEqual([
    'arm_64_lpae_s1 0,1,2 table 0x80001000',
    'arm_64_lpae_s1 3 page 0x80001000',
  ]);
  expect(await readings('0x40000f45', ...S1)).toEqual([
    'arm_64_lpae_s1 1 block 0x40000000',
    'arm_64_lpae_s1 2 block 0x40000000',
  ]);
});

test('without a format, stage 1 and stage 2', async () => {
  expect(await readings('0', '--level', '2')).toEqual([
    'arm_64_lpae_s1 2 invalid null',
    'arm_64_lpae_s2 2 invalid null',
  ]);
});

test('OA[51:48] of the 64K granule is moved back', async () => {
  expect(
    await readings('0x9000f7f5', '--granule', '64K', '--format', 'arm_64_lpae_s2', '--level', '2'),
  ).toEqual(['arm_64_lpae_s2 2 block 0xf000080000000']);
});

test('RES0 bits that are set are problems', async () => {
  const { json } = await lpaeJson(['decode', '0x0001000040000403', ...S1, '--level', '3']);
  const [
    {
      readings: [reading],
    },
  ] = json.descriptors as [{ readings: { fields: object[] }[] }];
  expect(reading!.fields).toContainEqual({
    name: '-',
    bits: '50:48',
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
  [['0x3', ...S1, '--level', 'x'], 'has no level x'],
  [['0x3', '--granule', '8K'], 'Allowed choices are 4K, 16K, 64K'],
])('wrong usage: %j', async (args, message) => {
  const { code, err } = await lpae(['decode', ...args]);
  expect(code).toBe(2);
  expect(err).toContain(message);
});
