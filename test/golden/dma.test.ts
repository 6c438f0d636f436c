/** Linux's golden files of the DMA layer pass, every IOVA and every segment; and a file with a wrong fact is told where it is wrong. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { checkGolden } from '../../src/golden/index.ts';

const folder = new URL('../../fixtures/dma/', import.meta.url);
const files = readdirSync(folder);
// biome-ignore lint/suspicious/noExplicitAny: the tests reach into raw JSON to break it
type Json = any;
const load = (name: string): Json =>
  JSON.parse(gunzipSync(readFileSync(new URL(name, folder))).toString('utf8'));
const loaded = new Map(files.map((name) => [name, load(name)]));

describe("golden files of Linux's DMA layer", () => {
  it('are all there', () => {
    const count = (pattern: RegExp) => files.filter((name) => pattern.test(name)).length;
    expect(files.length).toBe(144);
    expect([/^top-/, /^tree-/, /^fast-/, /^edge-/].map(count)).toEqual([45, 12, 42, 45]);
    expect([/-plain-/, /-multi-/, /-fail-/, /-odd-/].map(count)).toEqual([60, 12, 6, 21]);
  });

  it.each(files)('%s', (name) => {
    const { differences, checked } = checkGolden(loaded.get(name));
    expect(differences).toEqual([]);
    expect(checked).toBeGreaterThanOrEqual(5);
  });
});

describe('a golden file of the DMA layer that is wrong', () => {
  /** The places that differ after `change`. */
  function broken(name: string, change: (file: Json) => void): string[] {
    const file = structuredClone(loaded.get(`${name}.json.gz`));
    change(file);
    return checkGolden(file).differences.map(({ where, want, got }) => `${where}: want ${want} got ${got}`);
  }
  const hint = 'edge-fast-hint';
  const list = 'edge-fast-boundary-exact';

  it.each<[string, string, (file: Json) => void, RegExp]>([
    [
      'an address',
      hint,
      (f) => (f.ops[1].ret = '0xfffd0000'),
      /^ops\[1\] map_page ret: want 0xfffd0000 got 0xfffe/,
    ],
    ['an IOVA', hint, (f) => (f.ops[1].iova = '0xfffd0000'), /^ops\[1\] map_page iova: want 0xfffd0000/],
    [
      'a prot',
      hint,
      (f) => (f.ops[0].prot = ['read']),
      /^ops\[0\] map_page prot: want read got read write cache/,
    ],
    [
      'a padded list',
      list,
      (f) => (f.ops[0].mapped[0][1] = '0x2000'),
      /^ops\[0\] map_sg mapped: want 0x\w+\+0x2000 /,
    ],
    [
      'a segment',
      list,
      (f) => (f.ops[0].segments[0][1] = '0x1'),
      /^ops\[0\] map_sg segments: want 0x\w+\+0x1 /,
    ],
    ['a count', list, (f) => (f.ops[0].ret = 9), /^ops\[0\] map_sg ret: want 9 got/],
    [
      'an error',
      'edge-fast-all-reserved',
      (f) => (f.ops[0].ret = -22),
      /^ops\[0\] map_sg ret: want -22 got -12 \(ENOMEM/,
    ],
    [
      'bytes unmapped',
      hint,
      (f) => (f.ops[3].ret = '0x2000'),
      /^ops\[3\] unmap_page ret: want 0x2000 got 0x1000/,
    ],
    [
      'a size unmapped',
      hint,
      (f) => (f.ops[3].size = '0x2000'),
      /^ops\[3\] unmap_page size: want 0x2000 got 0x1000/,
    ],
    [
      'a PA left',
      hint,
      (f) => (f.left[0][1] = '0xb0000000'),
      /^left\[0\] IOVA 0xfffdf000: want 0xb0000000 got 0xa0000000/,
    ],
    [
      'a range left that is not',
      hint,
      (f) => f.left.push(['0x1000', '0x0', '0x1000']),
      /^left\[5\] IOVA 0x1000: want 0x0 got not mapped/,
    ],
    ['a range left out', hint, (f) => f.left.pop(), /^left: want 0x\w+ bytes mapped got 0x\w+ bytes/],
    ['a reservation', 'edge-fast-reserve-ends', (f) => f.config.taken.pop(), /^config.taken: want/],
    ['warnings', hint, (f) => (f.warnings = 1), /^warnings: want 1 got 0/],
    [
      'damage',
      'edge-fast-over-4g-boundary',
      (f) => (f.ops[0].list_damaged = 1),
      /^ops\[0\] map_sg list_damaged: want 1 got none/,
    ],
  ])('in %s', (_, name, change, line) => {
    expect(broken(name, change)[0]).toMatch(line);
  });

  it.each<[string, (file: Json) => void, RegExp]>([
    ['an allocator that nobody knows', (f) => (f.config.allocator = 'best'), /config.allocator must be/],
    ['a member that nobody knows', (f) => (f.ops[0].bounce = true), /ops\[0\].bounce is not known here/],
    [
      'an attribute that is not modelled',
      (f) => (f.ops[0].attrs = ['weak_ordering']),
      /ops\[0\].attrs\[0\] must be/,
    ],
    ['a device that is not there', (f) => (f.ops[0].device = 3), /ops\[0\].device: there is no device 3/],
    ['a mapping that is not there', (f) => (f.ops[3].of = 3), /ops\[3\] unmap_page: of names no mapping/],
    ['another granule', (f) => (f.config.granule = '0x4000'), /config.granule: must be the smallest page/],
    [
      'an aperture beyond the table',
      (f) => (f.config.aperture[1] = '0xffffffffff'),
      /config.aperture: ends beyond the 36 bits/,
    ],
    ['a mask that is none', (f) => (f.config.boundary = '0x1234'), /config: EINVAL: segmentBoundary/],
    [
      'an empty reservation',
      (f) => f.config.reserved.push({ iova: '0x0', size: '0x0', type: 'msi' }),
      /config: EINVAL/,
    ],
    ['sizes that no table has', (f) => (f.config.oas = 41), /config: .*oas/],
  ])('%s is refused', (_, change, message) => {
    expect(() => broken(hint, change)).toThrow(message);
  });
});
