/** Golden images for tests that change their members: files of `fixtures/`, and one whose accesses change memory. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

export type Json = Record<string, unknown>;

export interface Image {
  regime: string;
  cpu: Json;
  ram: Json;
  registers: Record<string, string>;
  memory: { pa: string; words64: Record<string, string> }[];
  translations: Json[];
  [key: string]: unknown;
}

export const load = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8')) as Image;

export const XS = 'arm/xs-el1-0-4k';
export const PAN = 'arm/pan3-el1-0-16k';
export const STAGE1 = 'qemu/qemu-s1-4k-cortex-a53-02';
export const SMMU = 'qemu/qemu-smmuv3-4k-00';

export const isHit = (row: Json) => row.pa !== undefined && row.arm === undefined;
export const isFault = (row: Json) => row.fault !== undefined && row.arm === undefined;
export const first = (image: Image, which: (row: Json) => boolean) => {
  const at = image.translations.findIndex(which);
  expect(at).toBeGreaterThanOrEqual(0);
  return { at, row: image.translations[at]! };
};

/**
 * 4K, 39 bits, hardware access flag and dirty state. VA 0: a page at 0x5000_0000 with AF = 0, writable-clean (DBM = 1, AP[2] = 1).
 * VA 0x1000: nothing.
 */
export const updating = (rows: Json[]): Image => ({
  schema: 'pgtable-golden/1',
  kind: 'image',
  name: 'updating',
  regime: 'el1&0',
  cpu: { model: 'max', pa_bits: 40 },
  ram: { base: '0x40000000', size: '0x40000000' },
  registers: { ttbr0: '0x40000000', tcr: '0x18200800019', mair: '0xff', sctlr: '0x1' },
  memory: [
    { pa: '0x40000000', words64: { '0': '0x40001003' } },
    { pa: '0x40001000', words64: { '0': '0x40002003' } },
    { pa: '0x40002000', words64: { '0': '0x8000050000383' } },
  ],
  translations: rows,
});
export const read = { va: '0x0', access: 'read', el: 1, pa: '0x50000000' };
export const write = { va: '0x0', access: 'write', el: 1, pa: '0x50000000' };
export const none = {
  va: '0x1000',
  access: 'write',
  el: 1,
  fault: { kind: 'translation', level: 3, stage: 1 },
};
export const accessed = [{ pa: '0x40002000', word: '0x8000050000783' }];
export const dirty = [{ pa: '0x40002000', word: '0x8000050000703' }];
