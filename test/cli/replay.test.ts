import { expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { verifyMapped, verifyUnmapped } from '../../src/cli/run/verify.ts';
import { IommuDomain, PhysicalMemory, Scatterlist } from '../../src/index.ts';
import { createWalker } from '../../src/walker/index.ts';
import { asText, lpae, lpaeJson, tempFile } from './run.ts';

const FILE = {
  schema: 'pgtable-scatterlists/1',
  name: 'two',
  producer: 'by hand',
  cpu_page_size: '0x1000',
  iommu_page_sizes: '0x40201000',
  requests: [
    { iova: '0x0', sg: [['0x80000000', '0x1000']] },
    { iova: '0xffffffe00000', sg: [['0x40000000', '0x200000']] },
    {
      iova: '0x200000',
      sg: [
        ['0x80000000', '0x200000'],
        ['0x90000000', '0x3000'],
        ['0x9f000000', '0x1000'],
      ],
    },
  ],
};

test('what Linux with 16K pages mapped', async () => {
  const { code, json } = await lpaeJson(['replay', 'fixtures/real/linux612-smmuv3-16k.sg.json']);
  expect(code).toBe(0);
  expect(json).toMatchObject({
    schema: 'lpae.replay/1',
    ok: true,
    files: [
      {
        name: 'linux612-smmuv3-16k',
        requests: 2047,
        entries: 3906,
        bytes: '0x13f4c000',
        leaves: [
          { level: 3, size: '0x4000', count: 16339 },
          { level: 2, size: '0x2000000', count: 2 },
        ],
        problems: [],
      },
    ],
  });
});

test('totals, the verdict, and the most interesting request in full', async () => {
  const { code, out, err } = await lpae(['replay', '-'], { stdin: asText(FILE) });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/requests +3\n/);
  expect(out).toMatch(/level 2 blocks +2 of 2M\n/);
  expect(out).toMatch(/level 3 pages +5 of 4K\n/);
  expect(out).toContain('✓ 4,214,784 bytes verified');
  expect(out).toContain('One request in full: requests[2] of two');
  expect(out).toContain('mapSg(0x200000, 3 entries in 3 runs, read write cache) = 0x204000 (2064K)');
  expect(out).toContain('  0x400000  -> 0x90000000  12K\n');
  expect(out).toContain('[0-2]    0x0000000090000f47  page -> 0x90000000 +12K ×3');
  expect(out.split('\n').every((line) => line.length <= 100)).toBe(true);
});

test('a request that the domain refuses is a problem, and the exit code is 1', async () => {
  const requests = [...FILE.requests, { iova: '0x800', sg: [['0x80000000', '0x1000']] }];
  const { code, out } = await lpae(['replay', '-'], { stdin: asText({ ...FILE, requests }) });
  expect(code).toBe(1);
  expect(out).toContain('1 problem:\n  two, requests[3]: EINVAL: ');
});

test.each<[string, unknown, string]>([
  ['another schema', { ...FILE, schema: 'x' }, 'schema must be one of pgtable-scatterlists/1'],
  ['page sizes of no granule', { ...FILE, iommu_page_sizes: '0x200000' }, 'iommu_page_sizes: EINVAL'],
  ['a CPU page of 3 bytes', { ...FILE, cpu_page_size: 3 }, 'cpu_page_size must be a power of two'],
  [
    'a length beyond reason',
    { ...FILE, requests: [{ iova: 0, sg: [['0', '0xffffffffffffffff']] }] },
    'requests[0].sg[0][1] is beyond 52 bits',
  ],
])('unsupported: %s', async (_, file, message) => {
  const { code, err } = await lpae(['replay', tempFile('x.json', asText(file))]);
  expect(code).toBe(3);
  expect(err).toContain(message);
});

/** The verifier must see what is wrong: 8 pages at 0x10000, then one thing spoilt. */
test.each<[string, (domain: IommuDomain, sg: Scatterlist) => void, RegExp]>([
  ['nothing', () => {}, /^undefined$/],
  [
    'a page more behind',
    (d) => d.map(0x18000n, 0n, 0x1000n, RWC),
    /IOVA 0x18000 is not mapped by this request/,
  ],
  [
    'a page more before',
    (d) => d.map(0xf000n, 0n, 0x1000n, RWC),
    /IOVA 0xffff is not mapped by this request/,
  ],
  [
    'a page less',
    (d) => void d.unmap(0x13000n, 0x1000n),
    /IOVA 0x13000 must lead to 0x83000, but: translation fault/,
  ],
  [
    'a page elsewhere',
    (d) => remap(d, 0x13000n, 0x84000n, RWC),
    /IOVA 0x13000 must lead to 0x83000, but leads to 0x84000/,
  ],
  [
    'a read-only page',
    (d) => remap(d, 0x13000n, 0x83000n, { read: true, cache: true }),
    /r-x r-x, not as asked/,
  ],
  [
    'an uncached page',
    (d) => remap(d, 0x13000n, 0x83000n, { read: true, write: true }),
    /not cached as asked/,
  ],
])('the verifier: %s', (_, spoil, verdict) => {
  const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 20n });
  const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x1000n, ias: 48, oas: 48 });
  const sg = Scatterlist.from([{ phys: 0x80000n, length: 0x8000 }]);
  domain.mapSg(0x10000n, sg, RWC);
  spoil(domain, sg);
  const walker = createWalker(memory, domain.registers.hardware);
  expect(String(verifyMapped(walker, 0x10000n, sg, RWC).problem)).toMatch(verdict);
  domain.unmap(0x10000n, 0x3000n);
  expect(verifyUnmapped(walker, 0x10000n, 0x3000n, 0x1000n)).toBeUndefined();
  expect(verifyUnmapped(walker, 0x10000n, 0x8000n, 0x1000n)).toMatch(
    /is not mapped by this request, but leads to/,
  );
});

const RWC = { read: true, write: true, cache: true };

function remap(domain: IommuDomain, iova: bigint, pa: bigint, prot: object): void {
  domain.unmap(iova, 0x1000n);
  domain.map(iova, pa, 0x1000n, prot);
}
