/** What an error says: Linux's code, the operands as the caller gave them, the rule, and what would work. */
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { IommuError, type IommuOperands, Scatterlist } from '../../src/index.ts';
import { SIZES_4K } from '../support/configs.ts';
import { machine } from '../support/machine.ts';
import { refused } from '../support/refused.ts';

const rw = { read: true, write: true };
const END = 1n << 48n;

function make(quirks: ['arm_ttbr1'] | [] = []) {
  const m = machine(arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 48, oas: 48, quirks });
  m.domain.map(m.domain.format.firstIova + 0x20_0000n, 0x40_0000n, 0x20_0000n, rw);
  return m;
}

interface Row {
  readonly title: string;
  readonly map: readonly [bigint, bigint, bigint];
  readonly prot?: object;
  readonly code: string;
  readonly operands: IommuOperands;
  readonly says: readonly (string | RegExp)[];
}

const ROWS: readonly Row[] = [
  {
    title: 'an IOVA off its page',
    map: [0x1800n, 0x2000n, 0x1000n],
    code: 'EINVAL',
    operands: { iova: 0x1800n, pa: 0x2000n, size: 0x1000n, alignment: 0x1000n },
    says: ['IOVA 0x1800', /multiple of.*0x1000/],
  },
  {
    title: 'a PA off its page',
    map: [0x1000n, 0x2010n, 0x1000n],
    code: 'EINVAL',
    operands: { pa: 0x2010n, alignment: 0x1000n },
    says: ['PA 0x2010'],
  },
  {
    title: 'a length of no pages',
    map: [0x1000n, 0x2000n, 0x1001n],
    code: 'EINVAL',
    operands: { size: 0x1001n, alignment: 0x1000n },
    says: ['length 0x1001'],
  },
  {
    title: 'everything unaligned',
    map: [1n, 2n, 3n],
    code: 'EINVAL',
    operands: { iova: 1n, pa: 2n, size: 3n },
    says: ['IOVA 0x1', 'PA 0x2', 'length 0x3'],
  },
  {
    title: 'no access at all',
    map: [0x1000n, 0x2000n, 0x1000n],
    prot: { cache: true },
    code: 'EINVAL',
    operands: { iova: 0x1000n },
    says: [/neither readable nor writable/, /ask for read, write or both/],
  },
  {
    title: 'an IOVA beyond the input size',
    map: [END, 0x2000n, 0x1000n],
    code: 'ERANGE',
    operands: { iova: END, pa: 0x2000n, size: 0x1000n },
    says: ['0x1000000000000', '0xffffffffffff', /48 bits of input/],
  },
  {
    title: 'an IOVA of 64 bits',
    map: [0xffff_ffff_ffff_f000n, 0x2000n, 0x1000n],
    code: 'ERANGE',
    operands: { iova: 0xffff_ffff_ffff_f000n },
    says: ['0xfffffffffffff000'],
  },
  {
    title: 'a range that leaves the input size',
    map: [END - 0x1000n, 0x2000n, 0x2000n],
    code: 'ERANGE',
    operands: { iova: END, size: 0x2000n },
    says: [/48 bits of input/],
  },
  {
    title: 'more than the whole input space',
    map: [END - 0x40_0000n, 0n, 1n << 63n],
    code: 'ERANGE',
    operands: { iova: END, size: 1n << 63n },
    says: [/48 bits of input/, '0x8000ffffffbfffff'],
  },
  {
    title: 'a PA beyond the output size',
    map: [0x1000n, END, 0x1000n],
    code: 'ERANGE',
    operands: { iova: 0x1000n, pa: END },
    says: ['0x1000000000000', /48 bits of output/],
  },
  {
    title: 'a PA of 61 bits',
    map: [0x1000n, 1n << 60n, 0x1000n],
    code: 'ERANGE',
    operands: { pa: 1n << 60n },
    says: ['0x1000000000000000', /48 bits of output/],
  },
  {
    title: 'a PA range whose end leaves the output size',
    map: [0x1000n, END - 0x1000n, 0x2000n],
    code: 'ERANGE',
    operands: { size: 0x2000n },
    says: ['0xfffffffff000', '0x1000000000fff', /48 bits of output/],
  },
  {
    title: 'an IOVA that a block maps',
    map: [0x20_3000n, 0x9000n, 0x1000n],
    code: 'EEXIST',
    operands: { iova: 0x20_3000n, pa: 0x9000n, size: 0x1000n, level: 2 },
    says: ['0x203000 is mapped already', 'PA 0x403000', 'level 2', 'unmap it first'],
  },
  {
    title: 'a range that runs into a block',
    map: [0x1f_e000n, 0x9000n, 0x4000n],
    code: 'EEXIST',
    operands: { iova: 0x20_0000n, pa: 0xb000n, size: 0x4000n },
    says: ['0x200000 is mapped already'],
  },
  {
    title: 'bad alignment before a bad range and an empty prot',
    map: [END + 1n, END, 0x1000n],
    prot: {},
    code: 'EINVAL',
    operands: {},
    says: [],
  },
  {
    title: 'bad alignment of an IOVA of 64 bits',
    map: [0xffff_ffff_ffff_f001n, 0x2000n, 0x1000n],
    code: 'EINVAL',
    operands: { iova: 0xffff_ffff_ffff_f001n },
    says: ['IOVA 0xfffffffffffff001'],
  },
  {
    title: 'bad alignment of a PA and a size of 64 bits',
    map: [0x1000n, (1n << 63n) + 1n, (1n << 63n) + 8n],
    code: 'EINVAL',
    operands: { pa: (1n << 63n) + 1n, size: (1n << 63n) + 8n },
    says: ['PA 0x8000000000000001', 'length 0x8000000000000008'],
  },
  {
    title: 'a bad range before an empty prot',
    map: [END, 0n, 0x1000n],
    prot: {},
    code: 'ERANGE',
    operands: { iova: END },
    says: [],
  },
];

describe.each(ROWS)('$title', ({ map: [iova, pa, size], prot = rw, code, operands, says }) => {
  test('map says so', () => {
    const error = refused(() => make().domain.map(iova, pa, size, prot));
    expect(error.code).toBe(code);
    expect(error.message.startsWith(`${code}: `)).toBe(true);
    expect(error.operands).toMatchObject(operands);
    for (const words of says) expect(error.message).toMatch(words);
  });
});

test.each([
  ['EINVAL', -22],
  ['ERANGE', -34],
  ['EEXIST', -17],
  ['ENOMEM', -12],
] as const)('%s is %i, as in Linux', (code, errno) => {
  expect(new IommuError(code, 'why')).toMatchObject({
    errno,
    code,
    message: `${code}: why`,
    name: 'IommuError',
  });
});

describe('map_sg names the entry', () => {
  const entries = [
    { phys: 0x9000n, length: 0x1000 },
    { phys: 0xa000n, length: 0x2000 },
    { phys: 0x5000n, length: 0x1000 },
  ];

  test('whose page is mapped already, though its run began before', () => {
    const error = refused(() => make().domain.mapSg(0x1f_e000n, Scatterlist.from(entries), rw));
    expect(error).toMatchObject({ code: 'EEXIST', operands: { entry: 1, iova: 0x20_0000n, pa: 0xb000n } });
    expect(error.message).toContain('entry 1');
  });

  test('whose PA is too large', () => {
    const sg = Scatterlist.from([...entries, { phys: END, length: 0x1000 }]);
    const error = refused(() => make().domain.mapSg(0n, sg, rw));
    expect(error).toMatchObject({ code: 'ERANGE', operands: { entry: 3, iova: 0x4000n, pa: END } });
  });

  test('that found no memory', () => {
    const m = make();
    m.allocator.failAt(1);
    const error = refused(() => m.domain.mapSg(0x1_0000_0000n - 0x3000n, Scatterlist.from(entries), rw));
    expect(error).toMatchObject({ code: 'ENOMEM', operands: { iova: 0xffff_d000n } });
    expect(error.message).toMatch(/no frame of 0x1000 bytes is left for a table below level/);
  });
});

describe('with arm_ttbr1', () => {
  const FIRST = 0xffff_0000_0000_0000n;

  test('an IOVA of the lower half is out of range', () => {
    const error = refused(() => make(['arm_ttbr1']).domain.map(0x1000n, 0x2000n, 0x1000n, rw));
    expect(error).toMatchObject({ code: 'ERANGE', operands: { iova: 0x1000n } });
    expect(error.message).toContain('0xffff000000000000');
    expect(error.message).toContain('0xffffffffffffffff');
  });

  test('IOVAs in errors are those of the caller', () => {
    const error = refused(() => make(['arm_ttbr1']).domain.map(FIRST + 0x1f_f000n, 0n, 0x2000n, rw));
    expect(error).toMatchObject({ code: 'EEXIST', operands: { iova: FIRST + 0x20_0000n } });
  });

  test('the last page of all is in range, and what follows it is not', () => {
    const m = make(['arm_ttbr1']);
    const last = (1n << 64n) - 0x1000n;
    m.domain.map(last, 0x7000n, 0x1000n, rw);
    expect(m.domain.iovaToPhys(last + 0xfffn)).toBe(0x7fffn);
    m.domain.unmap(last, 0x1000n);
    expect(refused(() => m.domain.map(last, 0x7000n, 0x2000n, rw)).code).toBe('ERANGE');
    expect(m.domain.iovaToPhys(last)).toBeNull();
  });
});
