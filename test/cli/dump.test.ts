import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { asText, lpae, lpaeJson, REQUEST, tempFile } from './run.ts';

const request = tempFile('request.json', asText(REQUEST));
const domain = { format: REQUEST.format, config: REQUEST.config };

test('ranges: contiguous and alike leaves are one', async () => {
  expect(await lpae(['dump', request])).toEqual({
    code: 0,
    err: '',
    out: `[0x000000000000, 0xffffffffffff]  el1&0
  0x000010000000-0x00001000bfff  48K  -> 0x900000000  4K ×12  rw- rwx  WB      ISH  nG
  0x00001000c000-0x00001000ffff  16K  -> 0x940002000  4K ×4   rw- rwx  WB      ISH  nG
  2 ranges, 16 leaves, 64.0 KiB mapped
`,
  });
});

test('what differs stands apart: leaf size, rights, memory type', async () => {
  const ranges = [
    { iova: '0', paddr: '1G', size: '1G' },
    { iova: '1G', paddr: '2G', size: '2M' },
    { iova: '1G+2M', paddr: '2G+2M', size: '2M', prot: ['read'] },
    { iova: '1G+4M', paddr: '2G+4M', size: '2M', prot: ['read', 'mmio', 'noexec'] },
    { iova: '1G+6M', paddr: '2G+6M', size: '4K', prot: ['write', 'cache', 'priv'] },
  ];
  const { out } = await lpae(['dump', tempFile('r.json', asText({ ...domain, ranges }))]);
  expect(out).toBe(`[0x000000000000, 0xffffffffffff]  el1&0
  0x000000000000-0x00003fffffff  1G  -> 0x40000000  1G  rw- rwx  NC      OSH  nG
  0x000040000000-0x0000401fffff  2M  -> 0x80000000  2M  rw- rwx  NC      OSH  nG
  0x000040200000-0x0000403fffff  2M  -> 0x80200000  2M  r-x r-x  NC      OSH  nG
  0x000040400000-0x0000405fffff  2M  -> 0x80400000  2M  r-- r--  nGnRE   OSH  nG
  0x000040600000-0x000040600fff  4K  -> 0x80600000  4K  rwx --x  WB      ISH  nG
  5 ranges, 5 leaves, 1.01 GiB mapped
`);
});

test('--range looks at a part', async () => {
  const { json } = await lpaeJson(['dump', request, '--range', '0x10004000..0x10006000']);
  expect(json).toMatchObject({
    scanned: [{ first: '0x10004000', last: '0x10005fff' }],
    ranges: [{ first: '0x10004000', last: '0x10005fff', leaves: 2 }],
  });
});

test('--tree of the tables that the walker met', async () => {
  const { out } = await lpae(['dump', request, '--tree']);
  expect(out).toContain(
    '        [0-11]    0x0000000900000f47  page -> 0x900000000 +48K ×12  rw- rwx WB ISH nG\n',
  );
  expect(out).toContain('        [16-511]  invalid ×496\n');
  const part = await lpae(['dump', request, '--tree', '--range', '0x10000000+8K']);
  expect(part.out).toMatch(/\[0-127\] +not looked at ×128/);
});

test('--json', async () => {
  const { code, json } = await lpaeJson(['dump', request, '--tree']);
  expect(code).toBe(0);
  expect(json).toMatchObject({
    schema: 'lpae.dump/1',
    regime: 'el1&0',
    scanned: [{ first: '0x0', last: '0xffffffffffff' }],
    ranges: [
      {
        first: '0x10000000',
        last: '0x1000bfff',
        size: '0xc000',
        pa: '0x900000000',
        leaf_size: '0x1000',
        leaves: 12,
        level: 3,
        permissions: { privileged: 'rw-', unprivileged: 'rwx' },
        attr: '0xff',
        shareability: 'inner',
      },
      { first: '0x1000c000', pa: '0x940002000', leaves: 4 },
    ],
  });
  expect((json.tables as object[]).length).toBe(4);
});

test('TTBR1: the upper half', async () => {
  const config = { ...REQUEST.config, ias: 39, quirks: ['arm_ttbr1'] };
  const ranges = [{ iova: '0xffffff8000000000', paddr: '0', size: '4K' }];
  const { out } = await lpae(['dump', tempFile('r.json', asText({ ...domain, config, ranges }))]);
  expect(out).toContain('[0xffffff8000000000, 0xffffffffffffffff]  el1&0');
  expect(out).toContain('0xffffff8000000000-0xffffff8000000fff  4K  -> 0x0  4K');
});

/** What a golden ops file says is mapped at its end is what a dump lists, and nothing else. */
test.each([
  'arm_64_lpae_s1-16k-mixed-0001',
  'arm_64_lpae_s1-4k-unmap-split-1g-0002',
  'arm_64_lpae_s1-64k-addr52-52-0001',
  'arm_64_lpae_s2-16k-addr48-48-0001',
  'arm_64_lpae_s2-64k-hightables-0001',
  'arm_32_lpae_s1-4k-mixed-0001',
  'arm_32_lpae_s2-4k-addr36-40-0001',
])('%s', async (name) => {
  const file = `fixtures/linux/${name}.json`;
  const { json } = await lpaeJson(['dump', file]);
  const golden = JSON.parse(readFileSync(file, 'utf8')) as {
    translations: { iova: string; pa: string | null }[];
  };
  const ranges = json.ranges as { first: string; last: string; pa: string | null }[];
  for (const { iova, pa } of golden.translations) {
    const ia = BigInt(iova);
    const range = ranges.find(({ first, last }) => BigInt(first) <= ia && ia <= BigInt(last));
    const found = range?.pa ? BigInt(range.pa) + (ia - BigInt(range.first)) : null;
    expect(found, iova).toBe(pa === null ? null : BigInt(pa));
  }
});

/** A VA of an image is dumped where its golden rows say it leads, whatever the access. */
test('an image with both halves', async () => {
  const image = {
    schema: 'pgtable-golden/1',
    kind: 'image',
    name: 'two halves',
    producer: 'by hand',
    regime: 'el1&0',
    cpu: { model: 'max', pa_bits: 48 },
    ram: { base: '0x40000000', size: '0x100000' },
    // T0SZ = T1SZ = 34: level 2 roots; TG1 4K; 48 bits out.
    registers: {
      ttbr0: '0x40000000',
      ttbr1: '0x40001000',
      tcr: '0x580220022',
      mair: '0xff',
      sctlr: '0x1005',
    },
    memory: [
      { pa: '0x40000000', words64: { '0': '0x80000401' } },
      { pa: '0x40001000', words64: { '0': '0x90000001', '4088': '0xa0000481' } },
    ],
    translations: [],
  };
  const { code, out } = await lpae(['dump', tempFile('image.json', asText(image))]);
  expect(code).toBe(0);
  expect(out).toBe(`[0x00000000, 0x3fffffff]  el1&0
  0x00000000-0x001fffff  2M  -> 0x80000000  2M  rwx --x  WB      NSH
  1 range, 1 leaf, 2.00 MiB mapped
[0xffffffffc0000000, 0xffffffffffffffff]  el1&0
  0xffffffffc0000000-0xffffffffc01fffff  2M  -> 0x90000000  2M  access flag fault, stage 1, level 2
  0xffffffffffe00000-0xffffffffffffffff  2M  -> 0xa0000000  2M  r-x --x  WB      NSH
  2 ranges, 1 leaf, 2.00 MiB mapped
`);
});

test.each(['5..1', '1..', '+', '4K', '0+0', '1..2..3'])('--range %s is wrong usage', async (range) => {
  const { code, err } = await lpae(['dump', request, '--range', range]);
  expect(code).toBe(2);
  expect(err).toContain('--range');
});

describe('--gpt', () => {
  /** 4K granules of 36 bits; level 0 at 0x8001_0000: a table, Non-secure, Root, then nothing valid. */
  const image = tempFile(
    'gpt.json',
    asText({
      schema: 'pgtable-golden/1',
      kind: 'image',
      name: 'gpt',
      regime: 'el3',
      security: 'root',
      cpu: { model: 'max', pa_bits: 44 },
      ram: { base: '0x80000000', size: '0x100000' },
      registers: { sctlr: '0x0', gpccr_el3: '0x13501', gptbr_el3: '0x80010' },
      memory: [
        ['0x80010000', '0x80020003'],
        ['0x80010008', '0x91'],
        ['0x80010010', '0xa1'],
        ['0x80020000', '0xbbbbbbbbbbbbbbbb'],
      ],
      translations: [],
    }),
  );

  test('who owns which granules', async () => {
    const { out, code } = await lpae(['dump', image, '--gpt']);
    expect(code).toBe(0);
    expect(out).toContain('GPCCR_EL3 0x13501, GPTBR_EL3 0x80010: 4K granules of 36 bits');
    expect(out).toMatch(/0x000000000-0x00000ffff +64K +level 1 +Realm\n/);
    expect(out).toMatch(/0x000010000-0x03fffffff +\S+ +level 1 +no access\n/);
    expect(out).toMatch(/0x040000000-0x07fffffff +1G +level 0 +Non-secure\n/);
    expect(out).toMatch(/0x080000000-0x0bfffffff +1G +level 0 +Root\n/);
    expect(out).toMatch(/0x0c0000000-0xfffffffff +\S+ +level 0 +not valid: a GPT walk fault\n/);
    expect(out).toContain('5 ranges of physical addresses');
  });

  test('as JSON, and a part', async () => {
    const { json } = await lpaeJson(['dump', image, '--gpt', '--range', '0x80000000+1G']);
    expect(json).toMatchObject({
      schema: 'lpae.dump/1',
      derivation: { granule_protection: { protected_bits: 36, granule: '0x1000', entries: 64 } },
      granules: [{ first: '0x80000000', last: '0xbfffffff', owner: 'Root', gpi: 10, level: 0 }],
    });
  });

  test('registers may be options; without any there is nothing to show', async () => {
    const off = await lpae(['dump', image, '--gpt', '--gpccr', '0x3501']);
    expect([off.code, off.err]).toEqual([2, expect.stringContaining('granule protection checks are off')]);
    const other = await lpae(['dump', image, '--gpt', '--gpccr', '0x17501']);
    expect(other.out).toContain('64K granules of 36 bits');
  });

  test('a walk says why an access fails, with its codes', async () => {
    const { out, code } = await lpae(['walk', image, '0x40000000']);
    expect(code).toBe(1);
    expect(out).toContain('granule protection fault at GPT level 0, on the access itself');
    expect(out).toContain('the granule of Root PA 0x40000000 is for others: GPI 0b1001, Non-secure');
    expect(out).toContain('FSC 0x28');
    const invalid = await lpae(['walk', image, '0xc0000000']);
    expect(invalid.out).toContain('GPT walk fault at GPT level 0');
    expect(invalid.out).toContain('ESR_EL3 0x7a010028');
  });
});
