/** Golden images may say what an access changes in memory: `updates` of a row. */
import { describe, expect, test } from 'vitest';
import { checkImage } from '../../src/golden/image.ts';
import { accessed, dirty, type Image, type Json, none, read, updating, write } from './image-fixtures.ts';

describe('updates', () => {
  test('every row starts from the memory of the file', () => {
    const rows = [
      { ...write, updates: dirty },
      { ...read, updates: accessed },
      { ...none, updates: [] },
      { ...write, updates: dirty },
      write,
    ];
    expect(checkImage(updating(rows))).toEqual({
      name: 'updating',
      checked: 5,
      // The bits of ISS2, none of which is set in a translation fault, are one of them.
      claims: 13,
      differences: [],
      notes: [],
    });
    // Were the write's update still there, the read would leave nothing changed.
    const kept = [write, { ...read, updates: [] }];
    expect(checkImage(updating(kept)).differences.map(({ where }) => where)).toEqual([
      'translations[1].updates',
    ]);
  });

  test.each<[string, Json, string, string]>([
    [
      'another word',
      { ...read, updates: dirty },
      '0x40002000 becomes 0x8000050000703',
      '0x40002000 becomes 0x8000050000783',
    ],
    ['none where there is one', { ...read, updates: [] }, 'none', '0x40002000 becomes 0x8000050000783'],
    [
      'one at another place',
      { ...read, updates: [{ pa: '0x40002008', word: '0x8000050000783' }] },
      '0x40002008 becomes 0x8000050000783',
      '0x40002000 becomes 0x8000050000783',
    ],
    [
      'one too many',
      { ...read, updates: [...accessed, { pa: '0x40001000', word: '0x40002403' }] },
      '0x40002000 becomes 0x8000050000783, 0x40001000 becomes 0x40002403',
      '0x40002000 becomes 0x8000050000783',
    ],
    ['one with a fault', { ...none, updates: accessed }, '0x40002000 becomes 0x8000050000783', 'none'],
    [
      'a word that is not changed',
      { ...none, updates: [{ pa: '0x40002000', word: '0x8000050000383' }] },
      '0x40002000 becomes 0x8000050000383',
      'none',
    ],
  ])('%s is a difference', (_, row, want, got) => {
    expect(checkImage(updating([row])).differences).toEqual([
      { where: 'translations[0].updates', want, got },
    ]);
  });

  test('beside arm, and in it', () => {
    const { pa, ...asked } = read;
    const differ = (row: Json) => checkImage(updating([row])).differences.length > 0;
    expect(differ({ ...asked, updates: accessed, arm: { pa } })).toBe(false);
    expect(differ({ ...asked, updates: dirty, arm: { pa } })).toBe(true);
    expect(differ({ ...asked, arm: { pa, updates: accessed } })).toBe(false);
    expect(differ({ ...asked, arm: { pa, updates: dirty } })).toBe(true);
    expect(differ({ ...asked, arm: { pa, updates: dirty }, arm_or: { pa, updates: accessed } })).toBe(false);
  });

  describe('stage-2 dirty state of a page that holds stage-1 tables', () => {
    /** The same under stage 2: 1G blocks, of which the one that holds the tables is writable-clean. VA 0x2000 has AF = 1. */
    const nested = (row: Json): Image => {
      const image = updating([row]);
      image.regime = 'el1&0-nested';
      Object.assign(image.registers, { vttbr: '0x40010000', vtcr: '0x80620059', hcr: '0x80000001' });
      image.memory[2]!.words64 = { '0': '0x80000383', '16': '0x80000703' };
      image.memory.push({
        pa: '0x40010000',
        words64: { '8': '0x800004000077d', '16': '0x800007fd' },
      });
      return image;
    };
    const tables = (word: string) => ({ pa: '0x40010008', word });
    const differs = (row: Json) => checkImage(nested(row)).differences.map(({ where }) => where);
    const onlyRead = { va: '0x2000', access: 'read', el: 1, pa: '0x80000000' };
    const updated = { va: '0x0', access: 'read', el: 1, pa: '0x80000000' };
    const flag = { pa: '0x40002000', word: '0x80000783' };

    test('may be set or not where nothing is written to the tables', () => {
      expect(differs({ ...onlyRead, updates: [] })).toEqual([]);
      expect(differs({ ...onlyRead, updates: [tables('0x80000400007fd')] })).toEqual([]);
    });
    test('but nothing else of it may change', () => {
      expect(differs({ ...onlyRead, updates: [tables('0x80000400003fd')] })).toEqual([
        'translations[0].updates',
      ]);
      expect(differs({ ...onlyRead, updates: [{ pa: '0x40010010', word: '0x8000080000077d' }] })).toEqual([
        'translations[0].updates',
      ]);
    });
    test('must be set where a descriptor is written', () => {
      expect(differs({ ...updated, updates: [flag, tables('0x80000400007fd')] })).toEqual([]);
      expect(differs({ ...updated, updates: [flag] })).toEqual(['translations[0].updates']);
    });
  });
});
