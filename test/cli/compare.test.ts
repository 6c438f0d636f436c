/** `lpae compare`: tables, refusals and advice as text and JSON, files and generated lists, wrong usage, and an interrupt. */
import { describe, expect, test } from 'vitest';
import { interruptWhenHeard } from '../support/interrupt.ts';
import { asText, lpae, lpaeJson, REQUEST, tempFile } from './run.ts';

const REAL = ['linux61-smmuv3-4k', 'linux612-smmuv3-16k'].map((name) => `fixtures/real/${name}.sg.json`);

/** 4M that begin 0x3000 into a block, and a page. */
const SHIFTED = {
  ...REQUEST,
  cpu_page_size: '4K',
  sg: [['0x900003000', '4M']],
};

interface Result {
  readonly granule: string;
  readonly sizes: string;
  readonly stage: string;
  readonly maps: boolean;
  readonly counts: Record<string, unknown>;
  readonly misses: { accesses: number }[];
  readonly semantics: Record<string, unknown>[];
  readonly dma: Record<string, unknown>;
  readonly refusals: Record<string, unknown>[];
  readonly advice: { kind: string; text: string; gain: Record<string, number> }[];
}

const listsOf = (json: Record<string, unknown>) =>
  json.lists as { cpu_page_size: string; entries: number; bytes: string; combinations: Result[] }[];

describe('text', () => {
  test('is a table for each CPU page size, refusals below, advice at the end', async () => {
    const { code, out, err } = await lpae([
      'compare',
      '--workload',
      'page-cache',
      '--size',
      '1M',
      '--stages',
      's1,nested',
    ]);
    expect([code, err]).toEqual([0, '']);
    const heads = [...out.matchAll(/^CPU pages of (\S+): ([\d,]+) entries in 1 request, 1M$/gm)];
    expect(heads.map(([, page, entries]) => [page, entries])).toEqual([
      ['4K', '256'],
      ['16K', '64'],
      ['64K', '16'],
    ]);
    expect(out).toMatch(/^ {2}granule {2}sizes +stage +maps +leaves +tables +bytes +levels +miss$/m);
    expect(out).toMatch(/^ {2}4K +pages +s1 +yes +L3 256 +4 +16\.0 KiB +4 +4$/m);
    expect(out).toMatch(/^ +nested +yes +L3 256 +4 +16\.0 KiB +4\+4 +24$/m);
    expect(out).toMatch(/^ {2}64K +pages +s1 +no, 1 +- +- +- +3 +-$/m);
    expect(out).toMatch(
      /- 16K, map_sg: request 0: EINVAL: entry 0 \(page 0x[0-9a-f]+, offset 0x0, length 0x1000\)/,
    );
    const advice = out.slice(out.indexOf('\nAdvice\n'));
    expect(advice).toMatch(/^- CPU 4K, granule 16K, pages, s1: take a granule of 4K instead of 16K/m);
    expect(advice).not.toContain('Refused');
  });

  test('has no line of more than 100 columns', async () => {
    const runs = [
      ...REAL.map((file) => [file]),
      ['--workload', 'gpu'],
      ['--workload', 'misaligned', '--size', '128M'],
    ];
    for (const args of runs) {
      const { out } = await lpae(['compare', ...args, '--stages', 's1,nested']);
      expect(Math.max(...out.split('\n').map((line) => line.length)), args.join(' ')).toBeLessThanOrEqual(
        100,
      );
    }
  });

  test('says what the semantics map too much, and what the DMA layer pads', async () => {
    const file = tempFile('part.json', asText({ ...REQUEST, sg: [['0x900001000', '4K']] }));
    const { code, out } = await lpae(['compare', file, '--stages', 's1', '--sizes', 'blocks']);
    expect(code).toBe(0);
    expect(out).toMatch(/^ {2}granule {2}exact +per-entry +page-align +DMA layer +too much$/m);
    expect(out).toMatch(/^ {2}4K +maps +maps +maps, 60\.0 KiB too much +4\.00 KiB +0 bytes$/m);
    expect(out).toMatch(/^ {2}64K +refuses 1 +refuses 1 +maps, 60\.0 KiB too much +64\.0 KiB +60\.0 KiB$/m);
    const one = await lpae(['compare', file, '--semantics', 'per-entry']);
    expect(one.out).toMatch(/^ {2}granule {2}per-entry +DMA layer +too much$/m);
  });

  test('is coloured on a terminal alone', async () => {
    const args = ['compare', '--workload', 'gpu', '--size', '1M', '--cpu', '4K', '--stages', 's1'];
    const [pipe, terminal] = [await lpae(args), await lpae(args, { tty: true })];
    expect(pipe.out).not.toContain('\u001b');
    expect(terminal.out).toContain('\u001b[32myes');
  });
});

describe('JSON', () => {
  test('has every combination, typed', async () => {
    const { code, json } = await lpaeJson(['compare', '--workload', 'gpu', '--size', '8M', '--cpu', '4K']);
    expect([code, json.schema, json.interrupted, json.workload]).toEqual([0, 'lpae.compare/1', false, 'gpu']);
    const [list] = listsOf(json);
    expect(list).toMatchObject({ cpu_page_size: '0x1000', requests: 1 });
    expect(list!.combinations.length).toBe(27);
    const named = list!.combinations.map(({ granule, sizes, stage }) => `${granule} ${sizes} ${stage}`);
    expect(new Set(named).size).toBe(27);
    const nested = list!.combinations.find(({ sizes, stage }) => sizes === 'pages' && stage === 'nested');
    expect(nested).toMatchObject({
      granule: '0x1000',
      levels: 4,
      stage2_levels: 4,
      misses: [{ accesses: 24 }],
    });
    const [first] = list!.combinations;
    expect(first!.counts).toMatchObject({ by_leaf: [{ level: 3, kind: 'page', size: '0x1000', run: 1 }] });
    expect(first!.semantics.map(({ semantics }) => semantics)).toEqual(['exact', 'per-entry', 'page-align']);
    expect(first!.dma).toMatchObject({ refused_requests: 0, iova_bytes: list!.bytes, over_mapped: '0x0' });
  });

  test('has advice with its gain', async () => {
    const file = tempFile('shifted.json', asText(SHIFTED));
    const { json } = await lpaeJson([
      'compare',
      file,
      '--granule',
      '4K',
      '--sizes',
      'blocks',
      '--stages',
      's1',
    ]);
    const [result] = listsOf(json)[0]!.combinations;
    expect(result!.advice).toEqual([
      {
        kind: 'align-iova',
        text: 'align the IOVA to 2M: request 0 at 0x10403000 instead of 0x10000000, 0x3000 into it as the buffer is',
        gain: { refused_requests: 0, descriptors: 511, leaves: 511, tables: 0, table_bytes: 0 },
      },
      {
        kind: 'align-buffer',
        text: 'use a 2M-aligned allocation, and an IOVA to match: the buffer at PA 0x900003000 of request 0 is off by 0x3000; move it back by that much, or forward by 0x1fd000, and it fits',
        gain: { refused_requests: 0, descriptors: 1022, leaves: 1022, tables: 2, table_bytes: 8192 },
      },
    ]);
  });

  test('has the reason of a refusal, with its entry', async () => {
    const file = tempFile(
      'request.json',
      asText({
        ...REQUEST,
        sg: [
          ['0x900000000', '64K'],
          ['0x910001000', '4K'],
        ],
      }),
    );
    const { code, json } = await lpaeJson(['compare', file, '--granule', '16K', '--stages', 's2']);
    expect(code).toBe(1);
    for (const { maps, refusals } of listsOf(json)[0]!.combinations) {
      expect(maps).toBe(false);
      expect(refusals).toEqual([
        {
          request: 0,
          entry: 1,
          code: 'EINVAL',
          message: expect.stringMatching(/^EINVAL: entry 1 \(page 0x910000000/),
        },
      ]);
    }
  });
});

describe('files', () => {
  test.each([
    [REAL[0]!, '0x1000', 5584],
    [REAL[1]!, '0x4000', 3906],
  ])('%s: lists of real drivers, with their own CPU pages only', async (file, page, entries) => {
    const { code, json } = await lpaeJson(['compare', file, '--stages', 's1', '--sizes', 'blocks']);
    expect([code, listsOf(json).map((list) => [list.cpu_page_size, list.entries])]).toEqual([
      0,
      [[page, entries]],
    ]);
    const maps = listsOf(json)[0]!.combinations.map((one) => one.maps);
    expect(maps).toEqual(page === '0x1000' ? [true, false, false] : [true, true, false]);
  });

  test('map requests: maps and map_sgs count, each space where they overlap', async () => {
    const ops = [
      { op: 'map', iova: '0x1000', paddr: '0x5000', size: '4K' },
      { op: 'unmap', iova: '0x1000', size: '4K' },
      { op: 'map_sg', iova: '0x1000', sg: [['0x9000', '8K']] },
    ];
    const { format, config } = REQUEST;
    const stdin = asText({ format, config, ops });
    const { json } = await lpaeJson(
      ['compare', '-', '--granule', '4K', '--sizes', 'pages', '--stages', 's1'],
      { stdin },
    );
    const [list] = listsOf(json);
    expect(list).toMatchObject({ cpu_page_size: '0x1000', requests: 2, entries: 2, bytes: '0x3000' });
    // Two roots, and all below them twice.
    expect(list!.combinations[0]!.counts).toMatchObject({ tables: 8, descriptors: 3 });
  });

  test.each<[string, unknown, RegExp]>([
    ['nothing to map', { ...REQUEST, sg: undefined, ops: [] }, /maps nothing: it has no map and no map_sg/],
    ['no request', {}, /asks for nothing/],
    [
      'a list that can’t be',
      { ...REQUEST, sg: [['0x10000000000000000', '4K']] },
      /sg\[0\]\[0\] must be an address/,
    ],
    [
      'entries off their pages',
      { ...REQUEST, sg: [{ page: '0x1000', length: '4K' }] },
      /operation 0: EINVAL: entry 0: page must be/,
    ],
  ])('%s is unreadable input', async (_, content, message) => {
    const { code, err } = await lpae(['compare', tempFile('bad.json', asText(content))]);
    expect([code, err]).toEqual([3, expect.stringMatching(message)]);
  });
});

test.each<[string[], RegExp]>([
  [[], /give either a file or --workload/],
  [['x.json', '--workload', 'gpu'], /give either a file or --workload/],
  [['--workload', 'tetris'], /Allowed choices are page-cache, huge-pages/],
  [['--workload', 'gpu', '--granule', '8K'], /--granule: '8K' is not one of 4K, 16K, 64K/],
  [['--workload', 'gpu', '--cpu', 'large'], /--cpu: 'large' is not one of 4K/],
  [['--workload', 'gpu', '--sizes', 'huge'], /--sizes: 'huge' is not one of pages, blocks, contiguous/],
  [['--workload', 'gpu', '--stages', ''], /--stages: '' is not one of s1, s2, nested/],
  [
    ['--workload', 'gpu', '--semantics', 'joined'],
    /--semantics: 'joined' is not one of exact, per-entry, page-align/,
  ],
  [['--workload', 'gpu', '--size', '0'], /--size: '0' is not a whole number from 1 to 1099511627776/],
  [['--workload', 'gpu', '--size', '2T'], /--size: '2T' is not a whole number/],
  [['--workload', 'gpu', '--seed', 'x'], /--seed: 'x' is not a whole number from 0/],
  [['--workload', 'gpu', '--fragmentation', '0.5'], /--fragmentation is for fragmented lists, not for gpu/],
  [['--workload', 'fragmented', '--fragmentation', '2'], /--fragmentation: '2' is not a share from 0 to 1/],
  [[REAL[0]!, '--cpu', '4K'], /--cpu is for generated lists/],
  [[REAL[0]!, '--seed', '4'], /--seed is for generated lists/],
])('%j is wrong usage', async (args, message) => {
  const { code, out, err } = await lpae(['compare', ...args]);
  expect([code, out, err]).toEqual([2, '', expect.stringMatching(message)]);
});

test('an interrupt prints what was measured, and ends with 130', async () => {
  const args = ['compare', '--workload', 'page-cache', '--size', '2M', '--stages', 's1'];
  const before = process.listenerCount('SIGINT');
  interruptWhenHeard();
  const { code, json, err } = await lpaeJson(args);
  expect([code, json.interrupted]).toEqual([130, true]);
  const measured = listsOf(json).flatMap(({ combinations }) => combinations);
  expect(measured).toHaveLength(1);
  expect(err).toBe('lpae: interrupted after 1 of 27 combinations\n');
  expect(process.listenerCount('SIGINT')).toBe(before);
});

test('help names the workloads and the exit code of an interrupt', async () => {
  const { code, out } = await lpae(['compare', '--help']);
  expect(code).toBe(0);
  expect(out).toMatch(/^ {2}huge-pages {4}What do transparent huge pages save/m);
  expect(out).toMatch(/the exit code is 130/);
});

test('says what the loop that map_sg replaced takes', async () => {
  const sg = [
    ['0x900001000', '4K'],
    ['0x900010800', '2K'],
    ['0x900020000', '4K'],
    ['0x900030000', '4K'],
  ];
  const file = tempFile('chunks.json', asText({ ...REQUEST, cpu_page_size: '4K', sg }));
  const { out } = await lpae(['compare', file, '--stages', 's1', '--granule', '4K']);
  expect(out).toMatch(
    /^ {2}lists +IOVA ranges +calls\n {2}at once, by map_sg +1 +1\n {2}chunk by chunk, as before map_sg +2 +4$/m,
  );
  const { json } = await lpaeJson(['compare', file, '--stages', 's1', '--granule', '64K']);
  const { lists } = json as { lists: { combinations: { chunk_loop: object }[] }[] };
  expect(lists[0]!.combinations[0]!.chunk_loop).toEqual({
    possible: false,
    lists: 1,
    ranges: 2,
    calls: 4,
    over_mapped: '0x800',
  });
});
