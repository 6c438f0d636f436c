/** Linux's golden files pass, fact by fact; and each kind of wrong file is refused with the place where it is wrong. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkGolden } from '../../src/golden/index.ts';
import { notAsAsked } from '../../src/golden/witness.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { createWalker } from '../../src/walker/index.ts';

const folder = new URL('../../fixtures/linux/', import.meta.url);
const newer = new URL('../../fixtures/linux73/', import.meta.url);
const filesIn = (where: URL) => readdirSync(where).filter((name) => name.endsWith('.json'));
const files = filesIn(folder);
// biome-ignore lint/suspicious/noExplicitAny: the tests reach into raw JSON to break it
type Json = any;
const stage1 = { name: 'arm_64_lpae_s1', stage: 1, quirks: [] } as const;
const load = (name: string, where = folder): Json => JSON.parse(readFileSync(new URL(name, where), 'utf8'));

describe('golden files of Linux 6.12', () => {
  it('are all there: 177 files of operations and the list of creations', () => {
    expect(files.filter((name) => name.startsWith('arm_')).length).toBe(177);
    expect(load('creation.json').length).toBe(500);
  });

  it.each(files)('%s', (name) => {
    const result = checkGolden(load(name));
    expect(result.differences).toEqual([]);
    expect(result.checked).toBeGreaterThanOrEqual(5);
  });
});

describe('golden files of Linux 7.3', () => {
  const own = filesIn(newer);
  const agrees = (file: Json) => checkGolden(file).differences.length === 0;
  const dirty = 'arm_64_lpae_s1-00286.json';
  const mandatory = 'arm_64_lpae_s2-00206.json';

  it('are all there: 96 files of operations and the list of creations', () => {
    expect(own.filter((name) => name.startsWith('arm_')).length).toBe(96);
    expect(load('creation.json', newer).length).toBe(327);
  });

  it.each(own)('%s', (name) => {
    const result = checkGolden(load(name, newer));
    expect(result.differences).toEqual([]);
    expect(result.checked).toBeGreaterThanOrEqual(5);
  });

  it('say the same by linux: "7.3", in config or beside it', () => {
    for (const name of own.filter((one) => one.startsWith('arm_'))) {
      const file = load(name, newer);
      const { partial_unmap: _, concatenation: __, ...config } = file.config;
      expect([name, agrees({ ...file, config: { ...config, linux: '7.3' } })]).toEqual([name, true]);
      expect([name, agrees({ ...file, config, linux: '7.3' })]).toEqual([name, true]);
    }
  });

  it('differ under the choices of 6.12, where these differ', () => {
    const under = (name: string, config: Json) => {
      const file = load(name, newer);
      return agrees({ ...file, config: { ...file.config, ...config } });
    };
    expect(under(mandatory, { concatenation: 'possible' })).toBe(false);
    const [split, whole] = (['split', 'whole'] as const).map((partial_unmap) =>
      own.filter((name) => name.startsWith('arm_') && !under(name, { partial_unmap })),
    );
    expect(split!.length).toBeGreaterThan(5);
    expect(whole!.length).toBeGreaterThan(5);
    const rows = load('creation.json', newer).map(({ config, ...row }: Json) => {
      return { ...row, config: { ...config, ...(config.concatenation && { concatenation: 'possible' }) } };
    });
    expect(checkGolden(rows).differences.length).toBeGreaterThan(5);
  });

  it.each<[string, (file: Json) => void, RegExp]>([
    [
      'a dirty range that was none',
      (file) => file.ops[18].ranges.push(['0x0', '0x10000']),
      /^ops\[18\] dirty ranges: want \[0x0, \+0x10000\) got none$/,
    ],
    [
      'a dirty range less',
      (file) => file.ops[9].ranges.pop(),
      /^ops\[9\] dirty ranges: want none got \[0x20000, \+0x40000\)$/,
    ],
    [
      'a range that was not cleared',
      (file) => {
        file.ops[16].clear = false;
      },
      /^ops\[18\] dirty ranges: want none got \[0x0, \+0x20000\)$/,
    ],
    [
      'a hole that was none',
      (file) => {
        file.ops[0].ret = 0;
      },
      /^ops\[0\] dirty ret: want 0x0 got -22 \(EINVAL: nothing is mapped at IOVA 0x20000/,
    ],
  ])('with %s are seen to be wrong', (_what, change, line) => {
    const file = structuredClone(load(dirty, newer));
    change(file);
    const [first] = checkGolden(file).differences.map((d) => `${d.where}: want ${d.want} got ${d.got}`);
    expect(first).toMatch(line);
  });

  it.each<[Json, string]>([
    [{ linux: '6.13' }, 'config.linux must be one of 6.12, 7.3, but is "6.13"'],
    [{ concatenation: 'always' }, 'config.concatenation must be one of possible, mandatory, but is "always"'],
    [{ partial_unmap: 'join' }, 'config.partial_unmap must be one of split, refuse, whole, but is "join"'],
    [{ features: ['pie'] }, 'config.features[0] must be'],
    [{ mair: 255 }, 'config.mair must be a "0x…" string of at most 64 bits, but is 255'],
  ])('with config %j are refused', (config, message) => {
    const file = load(dirty, newer);
    expect(() => checkGolden({ ...file, config: { ...file.config, ...config } })).toThrow(message);
  });

  it('that say two things at once are refused', () => {
    const file = load(dirty, newer);
    expect(() => checkGolden({ ...file, partial_unmap: 'whole' })).toThrow(
      'partial_unmap is whole, but config.partial_unmap is refuse: give one of them',
    );
  });

  it('take features and a mair of the library: the words are those of DDI 0487', () => {
    // Write-Back is attribute 0 of this MAIR: AttrIndx is 0 where Linux's would be 1. Bit 52 is the contiguous hint.
    const page = (i: number) => [String(i), `0x${(0x10_0000_9000_0fc3n + BigInt(i) * 0x1000n).toString(16)}`];
    const file = {
      schema: 'pgtable-golden/1',
      kind: 'ops',
      name: 'a contiguous run',
      format: 'arm_64_lpae_s1',
      config: { pgsize_bitmap: '0x11000', ias: 39, oas: 40, mair: '0x44ff', features: ['contiguous'] },
      result: {
        pgsize_bitmap: '0x11000',
        registers: {
          ttbr: '0x80000000',
          tcr: { tg: 0, tsz: 25, ips: 2, sh: 3, irgn: 1, orgn: 1 },
          mair: '0x44ff',
        },
      },
      ops: [
        { op: 'map', iova: '0x0', paddr: '0x90000000', size: '0x10000', prot: ['read', 'cache'], ret: 0 },
      ],
      tables: [
        { pa: '0x80000000', level: 1, entries: { 0: '0x80001003' } },
        { pa: '0x80001000', level: 2, entries: { 0: '0x80002003' } },
        {
          pa: '0x80002000',
          level: 3,
          entries: Object.fromEntries(Array.from({ length: 16 }, (_, i) => page(i))),
        },
      ],
      translations: [{ iova: '0x1234', pa: '0x90001234' }],
    };
    expect(checkGolden(file).differences).toEqual([]);
    expect(agrees({ ...file, config: { ...file.config, features: [] } })).toBe(false);
    expect(agrees({ ...file, config: { ...file.config, mair: '0xff44' } })).toBe(false);
  });
});

describe('a golden file that is wrong', () => {
  const blocks = 'arm_64_lpae_s1-16k-blocks-0001.json';
  const prot = 'arm_64_lpae_s2-4k-prot-0001.json';

  /** The differences after `change`, as lines. */
  function broken(name: string, change: (file: Json) => void): string[] {
    const file = structuredClone(load(name));
    change(file);
    return checkGolden(file).differences.map((d) => `${d.where}: want ${d.want} got ${d.got}`);
  }

  const leafTable = (file: Json) =>
    file.tables.find((t: Json) => t.level === 3 && Object.keys(t.entries).length > 0);
  const flip = (word: string, bit: number) => `0x${(BigInt(word) ^ (1n << BigInt(bit))).toString(16)}`;
  const firstKey = (table: Json) => Object.keys(table.entries)[0]!;

  it.each([
    [10, 'AF [10]'],
    [5, 'MemAttr [5:2]'],
    [6, 'S2AP [7:6]'],
    [8, 'SH[1:0] [9:8]'],
    [54, 'XN[1:0] [54:53]'],
    [52, 'Contiguous [52]'],
    [51, 'DBM [51]'],
    [63, 'RES0 [63]'],
    [12, 'OA[47:12] [47:12]'],
    [1, 'Type [1]'],
  ])('with descriptor bit %i flipped names the field %s', (bit, field) => {
    const lines = broken(prot, (file) => {
      const table = leafTable(file);
      table.entries[firstKey(table)] = flip(table.entries[firstKey(table)], bit);
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`level 3 entry 2 ${field}`);
  });

  it('with a bit above a 32-bit entry names the words: no field is there', () => {
    const lines = broken('arm_v7s-4k-section-split-0001.json', (file) => {
      const [, { entries }] = file.tables;
      entries['7'] = flip(entries['7'], 54);
    });
    expect(lines).toEqual(['table 0x80004000 level 2 entry 7: want 0x40000000007c72 got 0x7c72']);
  });

  it('with a bit of a table descriptor flipped names its field, and nothing that follows from it', () => {
    const lines = broken(prot, (file) => {
      file.tables[0].entries['0'] = flip(file.tables[0].entries['0'], 60);
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^table 0x80000000 level \d entry 0 RES0 \[63:59\]: want 0x2 got 0x0/);
  });

  it.each([
    [
      'an entry more',
      (file: Json) => {
        leafTable(file).entries['500'] = '0x401e43';
      },
      /level 3 entry 500: want 0x401e43 got nothing/,
    ],
    [
      'an entry less',
      (file: Json) => {
        const table = leafTable(file);
        delete table.entries[firstKey(table)];
      },
      /level 3 entry 2: want nothing got 0x/,
    ],
    [
      'a table pointer to nowhere',
      (file: Json) => {
        file.tables[0].entries['0'] = '0x90000003';
      },
      /entry 0: want a table at 0x90000000 got the file lists none there/,
    ],
    [
      'a table that nothing points to',
      (file: Json) => {
        file.tables.push({ pa: '0x90000000', level: 3, entries: {} });
      },
      /table 0x90000000 level 3: want a parent entry got none points to it/,
    ],
    [
      'a wrong level',
      (file: Json) => {
        leafTable(file).level = 2;
      },
      /level 2: want level 2 got level 3/,
    ],
    [
      'a wrong register field',
      (file: Json) => {
        file.result.registers.vtcr.sl = 2;
      },
      /^result\.registers\.vtcr\.sl: want 0x2 got 0x\d$/,
    ],
    [
      'a register more',
      (file: Json) => {
        file.result.registers.mair = '0xff';
      },
      /^result\.registers\.mair: want 0xff got absent$/,
    ],
    [
      'a wrong root',
      (file: Json) => {
        file.result.registers.vttbr = '0x80000010';
      },
      /^result\.registers\.vttbr: want 0x80000010 got 0x80000000$/,
    ],
    [
      'a wrong page size',
      (file: Json) => {
        file.result.pgsize_bitmap = '0x201000';
      },
      /^result\.pgsize_bitmap: want 0x201000 got 0x/,
    ],
    [
      'a wrong return value',
      (file: Json) => {
        file.ops[1].ret = -17;
      },
      /^ops\[1\] map ret: want -17 got 0x0$/,
    ],
    [
      'a refusal that was none',
      (file: Json) => {
        file.ops.splice(2, 0, { ...file.ops[1], ret: 0 });
      },
      /^ops\[2\] map ret: want 0x0 got -17 \(EEXIST: IOVA 0x2000 is mapped already/,
    ],
    [
      'a wrong translation',
      (file: Json) => {
        file.translations.find((t: Json) => t.pa !== null).pa = '0x1234';
      },
      /^translations\[\d+\] IOVA 0x[0-9a-f]+: want 0x1234 got 0x/,
    ],
    [
      'a translation where there is none',
      (file: Json) => {
        file.translations.find((t: Json) => t.pa === null).pa = '0x1234';
      },
      /^translations\[\d+\] IOVA 0x[0-9a-f]+: want 0x1234 got not mapped$/,
    ],
  ])('with %s says so', (_what, change, line) => {
    expect(broken(prot, change).join('\n')).toMatch(new RegExp(line.source, 'm'));
  });

  it('with a block turned into a page-sized hole is refused', () => {
    const lines = broken(blocks, (file) => {
      for (const table of file.tables) {
        for (const [index, word] of Object.entries<string>(table.entries)) {
          if ((BigInt(word) & 3n) === 1n) delete table.entries[index];
        }
      }
    });
    expect(lines.join('\n')).toMatch(/level 2 entry \d+: want nothing got 0x/);
  });

  it('and a creation list: an accepted row refused, a refused row accepted, a field off', () => {
    const rows: Json = load('creation.json');
    const accepted = rows.find((r: Json) => r.ok);
    const refused = rows.find((r: Json) => !r.ok);
    const lines = (row: Json) =>
      checkGolden([row]).differences.map((d) => `${d.where}: want ${d.want} got ${d.got}`);
    expect(lines({ ...accepted, ok: false, result: null })).toEqual([
      '[0] arm_64_lpae_s1: want a refusal got a table',
    ]);
    expect(lines({ ...refused, ok: true, result: accepted.result })[0]).toMatch(
      /want a table got EINVAL: oas 31/,
    );
    expect(lines({ ...accepted, result: { ...accepted.result, root_entries: 8 } })).toEqual([
      '[0] arm_64_lpae_s1.root_entries: want 8 got 4',
    ]);
  });
});

describe('what the walker sees counts too', () => {
  // The bits of a golden page, held against what else could have been asked.
  it('a prot that was not asked for is seen by its rights, type or shareability', () => {
    const file = structuredClone(load('arm_64_lpae_s1-4k-misaligned-0001.json'));
    for (const [prot, problem] of [
      [['read'], 'rights for privileged'],
      [['read', 'write', 'priv'], 'rights for unprivileged'],
      [['read', 'write', 'noexec'], 'executable'],
      [['read', 'write', 'mmio'], 'normal memory'],
      [['read', 'write', 'cache'], 'non-cacheable'],
    ] as const) {
      const walked = notAsAsked(translation(), Object.fromEntries(prot.map((p) => [p, true])), stage1);
      expect(walked, prot.join(' ')).toContain(problem);
    }
    expect(notAsAsked(translation(), { read: true, write: true }, stage1)).toBeUndefined();
    expect(checkGolden(file).differences).toEqual([]);

    function translation() {
      const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 20n });
      memory.write64(0x8000_0000n, 0x8000_1003n);
      memory.write64(0x8000_1000n, 0x8000_2003n);
      memory.write64(0x8000_2000n, 0x8000_3003n);
      memory.write64(0x8000_3000n, 0x40_1e43n);
      const registers = { ttbr0: 0x8000_0000n, tcr: 0x5_0080_3510n, mair: 0xff44n };
      const walk = createWalker(memory, { regime: 'el1&0', registers }).walk(0n, { access: 'read' });
      if (!walk.ok) throw new Error(walk.fault.kind);
      return walk;
    }
  });
});

describe('what is not a golden file', () => {
  it.each([
    [null, /^file: expected a JSON object/],
    [{ schema: 'pgtable-golden/1', kind: 'poem' }, /^kind: "poem" is not a kind of golden file known here/],
    [[{ format: 'arm_64_lpae_s1' }], /^\[0\]\.config must be an object, but is missing$/],
    [[], /^the document must hold at least one row$/],
    [{ schema: 'pgtable-scatterlists/1', requests: [] }, /lpae replay runs them/],
  ])('%j is refused with the path of what is wrong', (json, message) => {
    expect(() => checkGolden(json)).toThrow(message);
  });

  it('names the path of a bad value, and an unknown format', () => {
    const file = load('arm_64_lpae_s1-4k-misaligned-0001.json');
    expect(() => checkGolden({ ...file, format: 'arm_128' })).toThrow(
      'format: arm_128 is not a format known here',
    );
    const op = { ...file.ops[0], iova: '12' };
    expect(() => checkGolden({ ...file, ops: [op] })).toThrow(
      'ops[0].iova must be a "0x…" string of at most 64 bits, but is "12"',
    );
    expect(() => checkGolden({ ...file, tables: undefined })).toThrow(
      /^tables must be a list, but is missing$/,
    );
    expect(() => checkGolden({ ...file, tables: [] })).toThrow('tables must hold at least the root');
    expect(() => checkGolden({ ...file, tables: [...file.tables, file.tables[0]] })).toThrow(
      'two tables have the same pa',
    );
    for (const index of ['00', '99999999999999999999']) {
      const odd = { ...file.tables[0], entries: { [index]: '0x80001003' } };
      expect(() => checkGolden({ ...file, tables: [odd] })).toThrow(
        `tables[0].entries.${index} is no index of an entry`,
      );
    }
    expect(() => checkGolden({ ...file, config: { ...file.config, quirk: [] } })).toThrow(
      /^config\.quirk is not known here; did you mean quirks\? Known are pgsize_bitmap, ias, /,
    );
    expect(() => checkGolden({ ...file, ops: [{ ...file.ops[0], retr: 0 }] })).toThrow(
      /^ops\[0\]\.retr is not known here; did you mean ret\? /,
    );
  });
});
