import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { asText, lpae, lpaeJson, REQUEST, tempFile } from './run.ts';

const map = (request: unknown, ...args: string[]) => lpae(['map', '-', ...args], { stdin: asText(request) });
const mapJson = (request: unknown) => lpaeJson(['map', '-'], { stdin: asText(request) });

test('a scatterlist: answer, tables, cost, registers', async () => {
  const { code, out, err } = await map(REQUEST);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toBe(`arm_64_lpae_s1  granule 4K, pages 4K 2M 1G, 48 bits in, 48 out; CPU pages of 64K

map_sg  IOVA 0x10000000, 3 entries, 64K  read write cache  = 0x10000 (64K mapped)
  3 entries in 2 runs of adjacent memory

level 0 table @0x80000000
  [0]             0x0000000080001003  table -> L1 @0x80001000
    [0]           0x0000000080002003  table -> L2 @0x80002000
      [0-127]     invalid ×128
      [128]       0x0000000080003003  table -> L3 @0x80003000
        [0-11]    0x0000000900000f47  page -> 0x900000000 +48K ×12  rw- rwx WB ISH nG
        [12-15]   0x0000000940002f47  page -> 0x940002000 +16K ×4   rw- rwx WB ISH nG
        [16-511]  invalid ×496
      [129-511]   invalid ×383
    [1-511]       invalid ×511
  [1-511]         invalid ×511

Cost
  level  tables   bytes  descriptors: table  block  page
  0           1   4,096                   1      0     0
  1           1   4,096                   1      0     0
  2           1   4,096                   1      0     0
  3           1   4,096                   0      0    16
  all         4  16,384                   3      0    16
  64.0 KiB mapped by 16 leaves

Registers
  Linux io_pgtable_cfg, stage 1
    ttbr   0x80000000
    tcr    ips 5, tg 0, sh 3, orgn 1, irgn 1, tsz 16
    mair   0xfffffffff404ff44
  hardware, regime el1&0
    ttbr0  0x0000000080000000
    ttbr1  0x0000000000000000
    tcr    0x0000000500803510
    mair   0xfffffffff404ff44
`);
});

test('--json has the shape of a golden file', async () => {
  const { code, json } = await mapJson(REQUEST);
  expect(code).toBe(0);
  expect(json).toMatchObject({
    schema: 'lpae.map/1',
    format: 'arm_64_lpae_s1',
    ok: true,
    config: { pgsize_bitmap: '0x40201000', ias: 48, oas: 48, coherent_walk: true, quirks: [] },
    ops: [
      { op: 'map_sg', iova: '0x10000000', ret: '0x10000', ok: true, entries: 3, runs: 2, bytes: '0x10000' },
    ],
    cost: { tables: 4, table_bytes: 16384, leaves: 16 },
    registers: { ttbr: '0x80000000', tcr: { ips: 5, tsz: 16 }, mair: '0xfffffffff404ff44' },
    hardware: { regime: 'el1&0', registers: { ttbr0: '0x0000000080000000' } },
  });
  const tables = json.tables as { pa: string; level: number; entries: Record<string, string> }[];
  expect(tables[0]).toEqual({ pa: '0x80000000', level: 0, entries: { 0: '0x0000000080001003' } });
  expect(tables[3]!.entries[12]).toBe('0x0000000940002f47');
});

test('operations in order, with what each answers', async () => {
  const ops = [
    { op: 'map', iova: '2M', paddr: '4M', size: '2M', prot: ['read'] },
    { op: 'iova_to_phys', iova: '2M+0x123' },
    { op: 'unmap', iova: '2M', size: '2M' },
    { op: 'iova_to_phys', iova: '2M' },
  ];
  const { code, out } = await map({ format: REQUEST.format, config: REQUEST.config, ops });
  expect(code).toBe(1);
  expect(out).toContain(
    [
      'map  IOVA 0x200000 -> PA 0x400000, 2M  read  = 0',
      'iova_to_phys  IOVA 0x200123  = 0x400123',
      'unmap  IOVA 0x200000, 2M  = 0x200000 (2M unmapped)',
      'iova_to_phys  IOVA 0x200000  = 0x0 (not mapped)',
    ].join('\n'),
  );
});

test('ranges are maps', async () => {
  const ranges = [{ iova: '1G', paddr: '2G', size: '1G' }];
  const { code, json } = await mapJson({ format: REQUEST.format, config: REQUEST.config, ranges });
  expect(code).toBe(0);
  expect(json.cost).toMatchObject({ leaves: 1, by_level: [{ level: 0 }, { level: 1, blocks: 1 }] });
});

test('a refused request teaches, and the exit code is 1', async () => {
  const { code, out } = await map({
    ...REQUEST,
    sg: [
      ['0x900000000', '4K'],
      ['0x900002800', '4K'],
    ],
  });
  expect(code).toBe(1);
  expect(out).toContain('= -22');
  expect(out).toMatch(/EINVAL: entry 1 [\s\S]*PA 0x900002800 must be a\s+multiple/);
});

test('a configuration that the format refuses is an answer too', async () => {
  const request = { ...REQUEST, config: { ...REQUEST.config, oas: 41 } };
  const { code, out } = await map(request);
  expect(code).toBe(1);
  expect(out).toContain('arm_64_lpae_s1 refuses this configuration (-22)');
  const { json } = await mapJson(request);
  expect(json).toMatchObject({ schema: 'lpae.map/1', ok: false, error: { code: 'EINVAL', errno: -22 } });
});

test('golden ops files are requests: every wanted answer is met, errors too', async () => {
  const file = 'fixtures/linux/arm_64_lpae_s1-64k-sg-fail-exist-0001.json';
  const { code, json } = await lpaeJson(['map', file]);
  expect(code).toBe(0);
  expect((json.ops as { ret: unknown }[]).some(({ ret }) => ret === -17)).toBe(true);
  const golden = JSON.parse(readFileSync(file, 'utf8')) as { ops: { ret: unknown }[] };
  golden.ops[0]!.ret = -34;
  const changed = await map(golden);
  expect(changed.code).toBe(1);
  expect(changed.out).toContain('wanted -34');
});

test('gzipped input', async () => {
  const file = tempFile('request.json.gz', gzipSync(asText(REQUEST)));
  expect((await lpae(['map', file])).code).toBe(0);
});

test('a large table is shortened, and --full shows it', async () => {
  const sg = Array.from({ length: 40 }, (_, i) => [
    `0x9000${(i * 2).toString(16).padStart(2, '0')}000`,
    '4K',
  ]);
  const short = await map({ ...REQUEST, sg });
  expect(short.out).toContain('… 17 more rows of this table (--full shows them)');
  const full = await map({ ...REQUEST, sg }, '--full');
  expect(full.out).toContain('[39]');
  expect(full.out).not.toContain('more rows');
});

test.each<[string, unknown, string]>([
  ['not an object', [], 'the document must be an object, but is []'],
  ['no format', { config: REQUEST.config, ops: [] }, 'format must be a string, but is missing'],
  ['nothing asked', { format: REQUEST.format, config: REQUEST.config }, 'asks for nothing'],
  ['an unknown format', { ...REQUEST, format: 'arm_v9' }, 'format arm_v9 is not supported'],
  [
    'an unknown member',
    { ...REQUEST, prots: [] },
    'prots is not known here; did you mean prot? Known are kind, format',
  ],
  [
    'a misspelt member of an operation',
    { ...REQUEST, ops: [{ op: 'unmap', ivoa: 0, size: 0 }] },
    'ops[0].ivoa is not known here; did you mean iova?',
  ],
  [
    'a prot that is no list',
    { ...REQUEST, prot: 'read' },
    'prot must be a list of flags, or an object that has them, but is "read"',
  ],
  ['sg without an iova', { ...REQUEST, iova: undefined }, 'iova must be an address or size'],
  [
    'not an entry',
    { ...REQUEST, sg: ['0x1000'] },
    'sg[0] must be ["0x<phys>", "0x<length>"], { phys, length } or',
  ],
  ['a list as config', { ...REQUEST, config: [] }, 'config must be an object, but is []'],
  ['a wrong type', { ...REQUEST, sg: [['0x1000', true]] }, 'sg[0][1] must be an address or size'],
  ['not a pair', { ...REQUEST, sg: [['0x1000']] }, 'sg[0] must be a pair'],
  ['too many bits', { ...REQUEST, iova: '0x10000000000000000' }, 'iova must be an address or size'],
  ['a negative number', { ...REQUEST, iova: -1 }, 'iova must be an address or size'],
  ['a number that JSON rounds', { ...REQUEST, iova: 2 ** 60 }, 'iova must be an address or size'],
  [
    'a fraction',
    { ...REQUEST, config: { ...REQUEST.config, ias: 47.5 } },
    'config.ias must be a whole number',
  ],
  [
    'a quirk nobody knows',
    { ...REQUEST, config: { ...REQUEST.config, quirks: ['fast'] } },
    'config.quirks[0] must be one of',
  ],
  ['a prot nobody knows', { ...REQUEST, prot: ['fly'] }, 'prot[0] must be one of read, write'],
  ['an op nobody knows', { ...REQUEST, ops: [{ op: 'jump' }] }, 'ops[0].op must be one of'],
  ['RAM beyond 52 bits', { ...REQUEST, ram: { base: '0xfffffffffff000', size: '1M' } }, 'ram: RAM ['],
  ['an image', { schema: 'pgtable-golden/1', kind: 'image' }, 'kind must be one of ops'],
])('garbage: %s', async (_, request, message) => {
  const { code, out, err } = await map(request);
  expect(code).toBe(3);
  expect(out).toBe('');
  expect(err).toContain(message);
  expect(err).not.toContain('internal error');
});

test.each<[string, string | Uint8Array, string]>([
  ['cut off', asText(REQUEST).slice(0, 80), 'stdin: not JSON: '],
  ['empty', '', 'stdin: empty'],
  ['bytes', Uint8Array.of(0xff, 0xfe, 0x00), 'stdin: neither UTF-8 text nor gzip data'],
  ['half a gzip', gzipSync(asText(REQUEST)).subarray(0, 30), 'stdin: incomplete or damaged gzip data: '],
])('unreadable input: %s', async (_, stdin, message) => {
  const { code, err } = await lpae(['map', '-'], { stdin });
  expect(code).toBe(3);
  expect(err).toContain(message);
});

test('huge numbers are refused by the API, not by an accident', async () => {
  const huge = [['0x900000000', '0xfffffffffffff000']];
  const { code, out } = await map({ ...REQUEST, sg: huge });
  expect(code).toBe(1);
  expect(out).toContain('ERANGE: entry 0: 0xfffffffffffff000 bytes are more than an ARM address space holds');
});

describe('what goes beyond Linux', () => {
  const config = { pgsize_bitmap: '0x40211000', ias: 39, oas: 48 };
  const ask = async (request: object) => {
    const body = { format: 'arm_64_lpae_s1', config, ...request };
    const { code, out } = await lpae(['map', '-', '--json'], { stdin: JSON.stringify(body) });
    return { code, ...JSON.parse(out) };
  };

  const HALVES = [
    ['0x9000', '0x800'],
    ['0x9800', '0x800'],
  ];

  test('features give page sizes, and are said again', async () => {
    const made = await ask({
      config: { ...config, features: ['contiguous'] },
      ranges: [{ iova: '0x10000', paddr: '0x90000', size: '64K' }],
    });
    const want = { pgsize_bitmap: '0x40211000', features: ['contiguous'] };
    expect(made).toMatchObject({ code: 0, config: want, cost: { leaves: 16 } });
  });

  test('semantics of map_sg: over-mapped bytes, and the entries that fail', async () => {
    const request = { cpu_page_size: '64K', iova: '0x10000000', sg: [['0x900001000', '0x2000']] };
    const aligned = await ask({ ...request, semantics: 'page-align' });
    expect(aligned.ops[0]).toMatchObject({
      ret: '0x10000',
      semantics: 'page-align',
      over_mapped: '0xe000',
      failing: [],
    });
    const single = await ask({ ...request, semantics: 'per-entry', sg: HALVES });
    expect(single.code).toBe(1);
    expect(single.ops[0].failing).toMatchObject([
      { entry: 0, values: [{ what: 'phys', value: '0x9000' }, { what: 'length' }], alignment: '0x10000' },
      { entry: 1, values: [{ what: 'iova', value: '0x10000800' }, { what: 'phys' }, { what: 'length' }] },
    ]);
  });

  test('semantics in words: what is over-mapped, which entries fail besides the first, and what would work', async () => {
    const say = async (request: object) => {
      const { code, out } = await map({ ...REQUEST, ...request });
      return { code, said: out.slice(out.indexOf('map_sg'), out.indexOf('level 0')).replaceAll(/\s+/g, ' ') };
    };
    const aligned = await say({ semantics: 'page-align' });
    expect(aligned.said).toContain('= 0x30000 (192K mapped)');
    expect(aligned.said).toContain('page-align: 128K over-mapped, bytes that no entry asked for');
    expect((await say({ semantics: 'per-entry' })).said).toContain('per-entry: nothing over-mapped');

    const single = await say({ semantics: 'per-entry', sg: HALVES });
    expect(single.code).toBe(1);
    expect(single.said).toContain("EINVAL: entry 0: length 0x800 must be a multiple of the IOMMU's smallest");
    expect(single.said).toContain('semantics exact, which maps it as part of 0x1000 bytes at PA 0x9000, or');
    expect(single.said).toContain(
      'entry 1 fails too: IOVA 0x10000800 and PA 0x9800 and length 0x800 must be',
    );
    expect([aligned.code, (await say({ sg: HALVES })).code]).toEqual([0, 0]);

    const pages = Array.from({ length: 20 }, (_, i) => [0x9_0000 + i * 0x2000, '0x800']);
    const many = await say({ semantics: 'per-entry', sg: pages });
    expect(many.said).toContain('… 11 more entries fail (--json lists them)');
    const off = { semantics: 'page-align', iova: '0x10000800' };
    expect((await say(off)).said).toContain('128K would be over-mapped');
    const exact = await say({ sg: [...pages.slice(0, 1), ...HALVES] });
    expect(exact.said).toMatch(/EINVAL: entry 0 .* entry 1 fails too: IOVA 0x10000800 must be/);
    expect(exact.said).not.toContain('over-mapped');
  });

  test('semantics: an example in --help, an unknown one is unreadable, a malformed list is an outcome', async () => {
    expect((await lpae(['map', '--help'])).out).toContain('"semantics": "page-align"');
    const unknown = await map({ ...REQUEST, semantics: 'nearly' });
    expect(unknown.err).toContain('semantics must be one of exact, per-entry, page-align');
    const none = await ask({
      semantics: 'per-entry',
      iova: '0',
      sg: [['0x900000000', '0xfffffffffffff000']],
    });
    expect([unknown.code, none.code]).toEqual([3, 1]);
    expect(none.ops[0]).toMatchObject({ ok: false, error: { code: 'ERANGE' } });
    expect(none.ops[0]).not.toHaveProperty('failing');
  });

  test('partial_unmap: refused with the reason, or the whole block', async () => {
    const ops = [
      { op: 'map', iova: '2M', paddr: '2M', size: '2M' },
      { op: 'unmap', iova: '0x201000', size: '4K' },
    ];
    const refused = await ask({ partial_unmap: 'refuse', ops });
    expect(refused.ops[1]).toMatchObject({ ret: '0x0', ok: false, error: { code: 'EINVAL' } });
    const whole = await ask({ partial_unmap: 'whole', ops });
    expect(whole.ops[1]).toMatchObject({ ret: '0x1ff000', ok: true, from: '0x200000' });
  });

  test('a prot as an object, and a mair', async () => {
    const prot = { read: true, write: true, device: 'GRE', execute: 'none' };
    const ranges = [{ iova: '0', paddr: '0x1000', size: '4K', prot }];
    const made = await ask({ config: { ...config, mair: '0xff440c' }, ranges });
    expect(made.tables.at(-1).entries).toEqual({ 0: '0x0060000000001e43' });
    const other = await ask({ config: { ...config, mair: '0xff44' }, ranges });
    expect(other.ops[0].error.message).toContain('has no attribute 0xc');
    // Without a MAIR of its own the type gets slot 4 of Linux's.
    expect((await ask({ ranges })).tables.at(-1).entries).toEqual({ 0: '0x0060000000001e53' });
  });
});

describe('more leaves than memory holds: a message, and no table is made', () => {
  const request = (ops: object[], more: object = {}) =>
    tempFile(
      'large.json',
      asText({
        format: 'arm_64_lpae_s1',
        config: { pgsize_bitmap: '4K', ias: 48, oas: 48 },
        ...more,
        ops,
      }),
    );
  const map = { op: 'map', iova: '0x0', paddr: '0x0', size: '0x40_0000_0000', prot: ['read'] };
  const mapSg = {
    op: 'map_sg',
    iova: '0x0',
    prot: ['read'],
    sg: [{ phys: '0x0', length: '0x40_0000_0000' }],
  };
  test.each<[string, string[]]>([
    ['map', [request([map])]],
    ['map', [request([mapSg])]],
    ['dump', [request([map])]],
    ['walk', [request([map]), '0x1000']],
    ['map', [request([], { dma: { ops: [{ op: 'map_single', phys: '0x0', size: '0x40_0000_0000' }] } })]],
  ])('%s %s', async (command, args) => {
    const { code, out, err } = await lpae([command, ...args]);
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(
      /makes 67,108,864 leaves, more than memory holds here: about [\d,]+\n {6}larger pages make fewer/,
    );
  });

  test('of 1G the same is a few', async () => {
    const config = { pgsize_bitmap: '0x40201000', ias: 48, oas: 48 };
    expect((await lpae(['map', request([map], { config })])).code).toBe(0);
  });
});

test('poIndex: POIndex in the words, POR_EL0 in the registers, and a walk that it denies', async () => {
  const noexec = { read: true, cache: true, noexec: true };
  const request = {
    format: 'arm_64_lpae_s1',
    config: { pgsize_bitmap: '0x1000', ias: 39, oas: 40, features: ['s1pie', 's1poe'], por0: '0x1007' },
    ops: [
      {
        op: 'map',
        iova: '0x1000',
        paddr: '0x90000000',
        size: '0x1000',
        prot: { ...noexec, write: true, poIndex: 3 },
      },
      { op: 'map_sg', iova: '0x2000', sg: [['0x90001000', '0x1000']], prot: { ...noexec, poIndex: 5 } },
    ],
  };
  const { code, out } = await map(request);
  expect(code).toBe(0);
  // POIndex is bits [62:60]. POR_EL0[15:12] = 1 leaves POIndex 3 reading; POR_EL0[23:20] = 0 leaves POIndex 5 nothing.
  expect(out).toMatch(/\[1\] +0x3068000090000f47 +page -> 0x90000000 +rw- r-- WB/);
  expect(out).toMatch(/\[2\] +0x5060000090001fc7 +page -> 0x90001000 +r-- --- WB/);
  expect(out).toMatch(/por0 +0x0000000000001007\n/);
  const file = tempFile('overlay.json', asText(request));
  const walk = async (...args: string[]) => (await lpae(['walk', file, ...args])).code;
  expect(await walk('0x1000', '--unprivileged')).toBe(0);
  expect(await walk('0x1000', '--unprivileged', '--access', 'write')).toBe(1);
  expect(await walk('0x1000', '--access', 'write')).toBe(0);
  expect(await walk('0x2000', '--unprivileged')).toBe(1);
});
