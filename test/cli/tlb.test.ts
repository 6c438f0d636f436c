import { describe, expect, test } from 'vitest';
import { interruptWhenHeard } from '../support/interrupt.ts';
import { asText, lpae, lpaeJson, REQUEST, tempFile } from './run.ts';

interface Row {
  readonly granule?: string;
  readonly sizes?: string;
  readonly stage?: string;
  readonly tlb: { readonly entries: number; readonly ways: number; readonly walk_cache: number };
  readonly misses: number;
  readonly walks: { readonly reads: number };
}

async function rows(args: readonly string[], stdin?: string): Promise<Row[]> {
  const { code, json } = await lpaeJson(['tlb', ...args], stdin === undefined ? {} : { stdin });
  expect({ code, schema: json.schema, interrupted: json.interrupted }).toEqual({
    code: 0,
    schema: 'lpae.tlb/1',
    interrupted: false,
  });
  return json.combinations as Row[];
}

const PASSES = ['--trace', 'strided', '--accesses', '128', '--footprint', '256K'];
const ONE = ['--granule', '4K', '--sizes', 'pages', '--stages', 's1'];

test('a combination in full', async () => {
  const [row, ...more] = await rows([...PASSES, ...ONE, '--entries', '64', '--walk-cache', 'off']);
  expect(more).toEqual([]);
  expect(row).toEqual({
    granule: '0x1000',
    sizes: 'pages',
    stage: 's1',
    tlb: { entries: 64, ways: 4, walk_cache: 0, runs: true },
    maps: true,
    accesses: 128,
    hits: 64,
    misses: 64,
    faults: 0,
    hit_rate: 0.5,
    evictions: 0,
    walks: {
      count: 64,
      from_walk_cache: 0,
      reads: 256,
      stage1_reads: 256,
      stage2_reads: 0,
      reads_saved: 0,
      reads_per_walk: 4,
      reads_per_access: 2,
      most_reads: 4,
    },
    reach: { end: '0x40000', best: '0x40000' },
    working_set: { entries: 64, bytes: '0x40000', tables: 3 },
  });
});

test('every combination of tables, then of TLBs', async () => {
  const found = await rows([...PASSES, '--stages', 's1,s2,nested', '--entries', '8,16', '--ways', 'full,2']);
  expect(found).toHaveLength(3 * 3 * 3 * 4);
  expect(found.slice(0, 5).map(({ stage, tlb }) => [stage, tlb.entries, tlb.ways])).toEqual([
    ['s1', 8, 8],
    ['s1', 8, 2],
    ['s1', 16, 16],
    ['s1', 16, 2],
    ['s2', 8, 8],
  ]);
  expect(new Set(found.map(({ granule, sizes }) => `${granule} ${sizes}`)).size).toBe(9);
});

test('lines of at most 100 columns, in groups', async () => {
  const { code, out, err } = await lpae(['tlb', ...PASSES, '--granule', '4K', '--sizes', 'pages']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toBe(
    `strided accesses to 256.0 KiB of contiguous memory, 128 accesses

  entries  ways  walk cache    hits  walks  reads  per walk  per 1000  reach

stage 1, 4K granule, pages: needs 64 entries for 256K, 3 tables
       32     4          16   0.00%    128    131      1.02   1023.44   128K
       64     4          16  50.00%     64     67      1.05    523.44   256K
      512     4          16  50.00%     64     67      1.05    523.44   256K

nested, 4K granule, pages: needs 64 entries for 256K, 3 tables
       32     4          16   0.00%    128    659      5.15   5148.44   128K
       64     4          16  50.00%     64    339      5.30   2648.44   256K
      512     4          16  50.00%     64    339      5.30   2648.44   256K
`,
  );
});

describe('given tables', () => {
  const request = asText(REQUEST);
  const base = ['-', '--entries', '32', '--ways', 'full', '--walk-cache', 'off'];

  test('of a request, over what it maps: 16 pages', async () => {
    const [row] = await rows([...base, '--trace', 'sequential', '--accesses', '2048'], request);
    expect(row).toMatchObject({ accesses: 2048, misses: 16, faults: 0, walks: { reads: 64 } });
    expect(row).not.toHaveProperty('granule');
  });

  test('a part of them', async () => {
    const strided = [...base, '--trace', 'strided', '--accesses', '100'];
    const [first] = await rows([...strided, '--footprint', '12K'], request);
    expect(first).toMatchObject({ misses: 3 });
    const [ranged] = await rows([...strided, '--range', '0x1000_2000+20K'], request);
    expect(ranged).toMatchObject({ misses: 5 });
  });

  test('of an SMMU: descriptors of both stages, and not those that find its context descriptor', async () => {
    const file = 'fixtures/qemu/qemu10-smmuv3-nested-4k-00.json';
    const trace = ['--trace', 'sequential', '--accesses', '1', '--walk-cache', 'off', '--entries', '4'];
    const [row] = await rows([file, ...trace]);
    expect(row).toMatchObject({
      accesses: 1,
      faults: 0,
      walks: { reads: 5, stage1_reads: 1, stage2_reads: 4 },
    });
    const { json } = await lpaeJson(['walk', file, '0xa000_0000']);
    const [{ steps }] = json.walks as [{ steps: unknown[] }];
    expect(steps).toHaveLength(2 + 5);
  });

  test('a trace that leaves them faults, and says so', async () => {
    const file = tempFile('t.trace', '0x10000000\n0x20000000 # not there\n\n0x1000_0040 read\n');
    const { code, out } = await lpae(['tlb', ...base, '--trace', file], { stdin: request });
    expect(code).toBe(0);
    expect(out).toContain('1 access faulted');
    const none = tempFile('t.json', '["0x20000000"]');
    expect((await lpae(['tlb', ...base, '--trace', none], { stdin: request })).code).toBe(1);
  });
});

describe('a trace from a file', () => {
  const shape = [...ONE, '--entries', '16', '--ways', 'full'];

  test.each<[string, string]>([
    ['a line each', '0x1000\n8192\n# nothing\n0x1fff\n'],
    ['a JSON list', '["0x1000", 8192, "0x1fff"]'],
    ['a JSON document', '{"addresses": ["0x1000", "8K", "0x1fff"]}'],
  ])('%s', async (_, text) => {
    const [row] = await rows(['--trace', tempFile('a.trace', text), ...shape]);
    expect(row).toMatchObject({ accesses: 3, misses: 2, faults: 0 });
  });

  const SG = {
    schema: 'pgtable-scatterlists/1',
    name: 'two',
    cpu_page_size: '0x1000',
    iommu_page_sizes: '0x1000',
    requests: [
      { iova: '0x8000', sg: [['0x80000000', '0x1000']] },
      { iova: '0x8000', sg: [['0x90000000', '0x1000']] },
      { iova: '0x100000000', sg: [['0x90000000', '0x2000000']] },
    ],
  };

  test('of a device: each request is unmapped before the next, and memory that is no buffer is left out', async () => {
    const file = tempFile('sg.json', asText(SG));
    const strict = await lpaeJson(['tlb', '--trace', file, ...shape]);
    expect(strict.json.combinations).toMatchObject([{ accesses: 32, misses: 2 }]);
    expect(strict.err).toContain('1 request of more than 16M left out');
    const [lazy] = await rows(['--trace', file, ...shape, '--lazy', '--burst', '64', '--largest', '1M']);
    expect(lazy).toMatchObject({ accesses: 128, misses: 1 });
    const [all] = await rows(['--trace', file, ...shape, '--largest', '64M', '--accesses', '64']);
    expect(all).toMatchObject({ accesses: 64, misses: 4 });
  });

  test('of a real one', async () => {
    const [row] = await rows([
      '--trace',
      'fixtures/real/linux612-smmuv3-16k.sg.json',
      ...shape.slice(2),
      '--granule',
      '16K',
      '--accesses',
      '100K',
    ]);
    expect(row).toMatchObject({ granule: '0x4000', accesses: 102400, faults: 0 });
  });

  test.each<[string, string, string]>([
    ['no address', '0x1000\nhello\n', "a.trace:2: 'hello' is not an address"],
    ['nothing', '# nothing\n', 'has no address'],
    ['a tagged address', '0x5a00_0000_0000_1000\n', 'remove the tag of a tagged address'],
    ['not a whole number', '[1.5]', '[0] must be an address'],
    ['another document', '{"x": 1}', 'x is not known here'],
  ])('%s is unreadable', async (_, text, message) => {
    const { code, err } = await lpae(['tlb', '--trace', tempFile('a.trace', text)]);
    expect(code).toBe(3);
    expect(err).toContain(message);
  });
});

test('memory that can not be mapped: why, and exit code 1', async () => {
  const args = ['tlb', '--workload', 'odd-start', '--footprint', '1M', ...ONE];
  const { code, out } = await lpae(args);
  expect(code).toBe(1);
  expect(out).toMatch(/stage 1, 4K granule, pages: not mapped\n {2}.*entry 0/);
  expect(out.match(/not mapped/g)).toHaveLength(1);
});

test('Ctrl-C stops after a combination', async () => {
  const sink = () => {
    const lines: string[] = [];
    return { lines, isTTY: false, write: (text: string) => lines.push(text) };
  };
  const { run } = await import('../../src/cli/program.ts');
  const [stdout, stderr] = [sink(), sink()];
  const stdin = (async function* () {})();
  interruptWhenHeard();
  expect(await run(['tlb', ...PASSES, '--json'], { stdout, stderr, stdin, env: {} })).toBe(130);
  const { interrupted, combinations } = JSON.parse(stdout.lines.join('')) as {
    interrupted: boolean;
    combinations: unknown[];
  };
  expect(interrupted).toBe(true);
  expect(combinations).toHaveLength(1);
  expect(stderr.lines.join('')).toContain('interrupted after ');
});

test.each<[string, string[], string]>([
  ['sets that are no power of two', ['--entries', '12', '--ways', '4'], '12 entries of 4 ways make 3 sets'],
  ['no entries', ['--entries', '0'], "--entries: '0' is not a whole number from 1"],
  ['a walk cache of words', ['--walk-cache', 'big'], "--walk-cache: 'big' is not a whole number"],
  ['a granule that there is none of', ['--granule', '8K'], "--granule: '8K' is not one of 4K, 16K, 64K"],
  ['stages', ['--stages', 's3'], "--stages: 's3' is not one of s1, s2, nested"],
  ['a stride of random accesses', ['--stride', '64'], '--stride is not for random accesses'],
  ['a burst of generated accesses', ['--burst', '64'], '--burst is for files of scatterlists'],
  ['tables of a kind and a file', ['x.json', '--granule', '4K'], '--granule is for generated tables'],
  ['a range of nothing', ['--range', '0+4K'], '--range is for tables from a file'],
  [
    'a footprint too small',
    ['--trace', 'dma-ring', '--footprint', '1'],
    'a ring and a buffer take 6144 bytes',
  ],
  [
    'fragmented huge pages',
    ['--workload', 'gpu', '--fragmentation', '1'],
    '--fragmentation is for fragmented',
  ],
  ['a share of 2', ['--fragmentation', '2'], "--fragmentation: '2' is not a share from 0 to 1"],
])('wrong usage: %s', async (_, args, message) => {
  const { code, err } = await lpae(['tlb', ...args]);
  expect({ code, said: err.includes(message) }, err).toEqual({ code: 2, said: true });
});

test('a trace that is not there', async () => {
  const { code, err } = await lpae(['tlb', '--trace', 'nowhere.trace']);
  expect(code).toBe(3);
  expect(err).toContain('nowhere.trace');
});
