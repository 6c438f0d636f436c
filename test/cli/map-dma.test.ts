/** `lpae map` with a DMA part and reserved ranges: what the device gets, as text and as JSON, and what is refused. */
import { describe, expect, test } from 'vitest';
import { lpae, lpaeJson, tempFile } from './run.ts';

const BASE = {
  format: 'arm_64_lpae_s1',
  config: { pgsize_bitmap: '0x40201000', ias: 36, oas: 40 },
};
const requestOf = (rest: object) => tempFile('request.json', JSON.stringify({ ...BASE, ...rest }));
const DMA = {
  iova: 'linux',
  preset: 'pci',
  boundary: '0xffff',
  devices: [{}, { limit: '0xbfffffff' }],
  ops: [
    {
      op: 'map_sg',
      sg: [['0x880000800', '2K'], { page: '0x900000000', offset: 0, length: '64K' }],
      direction: 'to-device',
    },
    { op: 'map_single', phys: '0x880000000', size: '4K', device: 1, attributes: ['mmio'] },
    { op: 'unmap', of: 0 },
  ],
};
const MSI = [{ iova: '0xfffff000', size: '4K', type: 'msi' }];

describe('lpae map with a DMA part', () => {
  test('shows IOVAs, segments and what is mapped beyond the request', async () => {
    const { code, out } = await lpae(['map', requestOf({ dma: DMA, reserved: MSI })]);
    expect(code).toBe(0);
    expect(out).toContain(
      '0 dma map_sg  2 entries, 66K  to-device  read cache  = IOVA 0xfffc0000, 128K in 2 segments',
    );
    expect(out).toMatch(/0xfffc0800 +2K +entry 0\n +0xfffd0000 +64K +entry 1/);
    expect(out).toContain('62K mapped beyond the request, 60K of them to keep segments off boundary lines');
    expect(out).toContain(
      '1 dma map_single  device 1, PA 0x880000000, 4K  bidirectional  read write mmio  = IOVA 0xbffff000',
    );
    expect(out).toContain('2 dma unmap  operation 0  = 0x20000 (128K unmapped)');
  });

  test('says the same as JSON', async () => {
    const { json } = await lpaeJson(['map', requestOf({ dma: DMA, reserved: MSI })]);
    const { ok, dma } = json as {
      ok: boolean;
      dma: { iova?: string; segments?: object[]; unmapped?: string }[];
    };
    expect([ok, dma[0]!.iova, dma[1]!.iova, dma[2]!.unmapped]).toEqual([
      true,
      '0xfffc0000',
      '0xbffff000',
      '0x20000',
    ]);
    expect(dma[0]!.segments).toEqual([
      { address: '0xfffc0800', length: '0x800', first_entry: 0, entries: 1 },
      { address: '0xfffd0000', length: '0x10000', first_entry: 1, entries: 1 },
    ]);
  });

  test('answers with the error where the DMA layer refuses, and exit code 1', async () => {
    const sg = [['0xfffffff000', '8K']];
    for (const [odd, errno] of [
      ['strict', '-34'],
      ['linux', '-22'],
    ]) {
      const { code, out } = await lpae(['map', requestOf({ dma: { sg, odd } })]);
      expect([code, out]).toEqual([1, expect.stringContaining(`bidirectional  = ${errno}\n`)]);
    }
    const twice = { ops: [...DMA.ops, { op: 'unmap', of: 0 }], devices: DMA.devices };
    expect((await lpae(['map', requestOf({ dma: twice })])).out).toContain(
      'operation 0 mapped nothing, or is unmapped already',
    );
  });

  test('is walked and dumped as any request', async () => {
    const request = requestOf({ dma: { iova: 'lowest', sg: [['0x900000000', '4K']] } });
    expect((await lpae(['walk', request, '0x1234'])).out).toContain('0x900000234');
    expect((await lpae(['dump', request])).out).toContain('0x900000000');
  });

  test.each([
    [{ dma: {} }, /dma: asks for nothing: it needs sg or ops/],
    [{ dma: { sg: [], iova: 'best' } }, /dma\.iova must be one of/],
    [{ dma: { sg: [], dma_msk: '4G' } }, /dma\.dma_msk is not known here; did you mean dma_mask/],
    [
      { dma: { ops: [{ op: 'unmap', of: 0 }] } },
      /dma\.ops\[0\]\.of must be the index of an operation before it/,
    ],
    [{ dma: { ops: [{ op: 'map_single', phys: '0', size: '4K', device: 2 }] } }, /there is no device 2/],
    [{ dma: { sg: [] }, reserved: [['0x1000']] }, /reserved\[0\] must be/],
  ])('is refused where it is wrong: %j', async (rest, message) => {
    const { code, err } = await lpae(['map', requestOf(rest)]);
    expect([code, err]).toEqual([3, expect.stringMatching(message)]);
  });

  test('is refused by commands that need IOVAs', async () => {
    for (const command of ['bbm', 'compare']) {
      const { code, err } = await lpae([command, requestOf({ dma: { sg: [['0x900000000', '4K']] } })]);
      expect([code, err]).toEqual([3, expect.stringContaining('dma is for lpae map, walk and dump')]);
    }
  });
});

test('lpae map refuses to map over an MSI window', async () => {
  const ranges = [{ iova: '0x4000000', paddr: '0x44000000', size: '128M' }];
  const { code, out } = await lpae(['map', requestOf({ ranges, reserved: [['0x8000000', '1M']] })]);
  expect([code, out]).toEqual([
    1,
    expect.stringMatching(/= -22\n +EINVAL: \[0x4000000, \+0x8000000\) touches the reserved range/),
  ]);
});
