/** The granule protection table listed, and its rules: literal words that break each, and the same words mended. (DDI 0487 D9.6.) */
import { describe, expect, test } from 'vitest';
import { lint } from '../../src/lint/index.ts';
import { createMachine } from '../../src/machine/machine.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { listGranules, listSpace } from '../../src/space/index.ts';

/** 4K granules, 36 bits, 1 GiB an entry of level 0; the table at 0x1_0000, of 64 entries. */
const GPCCR = 0x1_3501n;
const GPTBR = 0x10n;
const LEVEL1 = 0x2_0000n;
const ROOT = 0xaaaa_aaaa_aaaa_aaaan;
const NS = 0x9999_9999_9999_9999n;
/** Level 1 of the first GiB: the tables, 0x1_0000 to 0x3_ffff, are Root's; all before and after it Non-secure. */
const GOOD: Readonly<Record<string, bigint>> = {
  '0x10000': LEVEL1 | 3n,
  '0x10008': 0x91n,
  '0x20000': NS,
  '0x20008': ROOT,
  '0x20010': ROOT,
  '0x20018': ROOT,
};

function machineOf(words: Readonly<Record<string, bigint>>, own: Readonly<Record<string, bigint>> = {}) {
  const memory = new PhysicalMemory({ base: 0n, size: 0x8_0000n });
  for (let at = 0x2_0020n; at < 0x4_0000n; at += 8n) memory.write64(at, NS);
  for (let i = 2n; i < 64n; i++) memory.write64(0x1_0000n + i * 8n, 0x01n);
  for (const [at, word] of Object.entries({ ...GOOD, ...words })) memory.write64(BigInt(at), word);
  return createMachine({
    memory,
    regime: 'el1&0',
    registers: {
      ttbr0: 0x1000n,
      tcr: 0x2_0080_0019n,
      mair: 0xffn,
      gpccr_el3: GPCCR,
      gptbr_el3: GPTBR,
      ...own,
    },
  })();
}

/** Ranges as `first-last level owner`. */
const listed = (words: Readonly<Record<string, bigint>>, only?: { first: bigint; last: bigint }) =>
  listGranules(machineOf(words).granuleProtection!, { only }).ranges.map(
    ({ first, last, level, gpi, gpc }) => `${first.toString(16)}-${last.toString(16)} ${level} ${gpi ?? gpc}`,
  );

describe('listGranules', () => {
  test('granules, groups and blocks that say the same are one range', () => {
    expect(listed({})).toEqual([
      '0-ffff 1 9',
      '10000-3ffff 1 10',
      '40000-3fffffff 1 9',
      '40000000-7fffffff 0 9',
      '80000000-fffffffff 0 0',
    ]);
  });

  test('one granule of 16, an entry that is not valid, a block', () => {
    const words = { '0x20020': 0x9999_99b9_9999_9999n, '0x20028': 0x2n, '0x10010': 0xf1n };
    expect(listed(words).slice(2, 8)).toEqual([
      '40000-48fff 1 9',
      '49000-49fff 1 11',
      '4a000-4ffff 1 9',
      '50000-5ffff 1 walk',
      '60000-3fffffff 1 9',
      '40000000-7fffffff 0 9',
    ]);
  });

  test('a part, cut at both ends', () => {
    expect(listed({}, { first: 0x1_2345n, last: 0x4_0123n })).toEqual([
      '12345-3ffff 1 10',
      '40000-40123 1 9',
    ]);
  });

  test('a contiguous region', () => {
    expect(listed({ '0x20100': 0x1b1n }).slice(2, 5)).toEqual([
      '40000-1fffff 1 9',
      '200000-20ffff 1 11',
      '210000-3fffffff 1 9',
    ]);
  });

  test('a list that is too long is given up', () => {
    const gpc = machineOf({}).granuleProtection!;
    expect(listGranules(gpc, { maxRanges: 2 })).toMatchObject({ complete: false, ranges: { length: 2 } });
  });
});

const found = (words: Readonly<Record<string, bigint>>, own: Readonly<Record<string, bigint>> = {}) => {
  const translator = machineOf(words, own);
  return lint({ translator, ranges: listSpace(translator).ranges })
    .findings.filter(({ rule }) => /^gpt-|^granule-/.test(rule))
    .map(({ rule, message }) => `${rule}: ${message}`);
};

describe('lint', () => {
  test('a table that is well made', () => {
    expect(found({})).toEqual([]);
  });

  test('entries that are not valid', () => {
    expect(found({ '0x20028': 2n })).toEqual([
      'gpt-invalid: level 1 of the granule protection table is not valid there',
    ]);
    expect(found({ '0x10010': 0n })).toEqual([
      'gpt-invalid: level 0 of the granule protection table is not valid there',
    ]);
    expect(found({ '0x10010': 0x10_0000_0003n })).toEqual([
      'gpt-invalid: level 0 of the granule protection table leads beyond GPCCR_EL3.PPS',
    ]);
    expect(found({ '0x10010': 0x8_0000_0003n })).toContainEqual(
      'gpt-invalid: there is no RAM where level 1 of the granule protection table should be',
    );
  });

  test('tables in memory that is not for Root alone', () => {
    expect(found({ '0x20008': NS })).toEqual([
      'gpt-exposed: the level 0 table at 0x10000 is in memory for Non-secure',
    ]);
    expect(found({ '0x20010': 0xaaaa_aaaa_aaaa_aaafn })).toEqual([
      'gpt-exposed: the level 1 table at 0x20000 is in memory for all accesses',
    ]);
  });

  test('a contiguous region whose entries differ', () => {
    // 2 MiB from 0x20_0000 on are 32 entries from 0x2_0100 on.
    const region = Object.fromEntries(
      Array.from({ length: 32 }, (_, i) => [`0x${(0x2_0100 + 8 * i).toString(16)}`, 0x1b1n]),
    );
    expect(found(region)).toEqual([]);
    const broken = { ...region, '0x20108': NS, '0x20110': 2n };
    expect(found(broken)).toContainEqual(
      'gpt-contiguous: the entries of a contiguous region differ: Realm, Non-secure, not valid',
    );
  });

  test('a mapping to granules of others', () => {
    // Level 1 at 0x1000: a table to 0x2000, to 0x3000, and two pages of PA 0x4_8000 and 0x4_9000.
    const tables = {
      '0x1000': 0x2003n,
      '0x2000': 0x3003n,
      '0x3000': 0x60_0000_0004_8703n,
      '0x3008': 0x60_0000_0004_9703n,
    };
    expect(found(tables)).toEqual([]);
    const realm = { ...tables, '0x20020': 0x9999_99b9_9999_9999n };
    expect(found(realm)).toEqual(['granule-denied: leads to PA 0x49000-0x49fff, which is Realm']);
    const [finding] = lint({
      translator: machineOf(realm),
      ranges: listSpace(machineOf(realm)).ranges,
      rules: ['granule-denied'],
    }).findings;
    expect([finding?.first, finding?.last]).toEqual([0x1000n, 0x1fffn]);
  });

  test('without checks there is nothing to report', () => {
    expect(found({ '0x10010': 0n }, { gpccr_el3: GPCCR & ~0x1_0000n })).toEqual([]);
  });
});
