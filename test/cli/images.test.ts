/** Memory images and register values on the command line: the same answers as from the golden file that they were taken from. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { asText, lpae, lpaeJson, tempFile } from './run.ts';

const REAL = join(import.meta.dirname, '../../fixtures/real');
const RAM = `${join(REAL, 'uboot-arm64-el2.ram.gz')}@0x4000_0000`;
const SISTER = join(REAL, 'uboot-arm64-el2.json');

interface Golden {
  regime: string;
  registers: Record<string, string>;
  memory: { pa: string; words64: Record<string, string> }[];
  translations: { va: string; pa?: string; access: string; sid?: string; fault?: { kind: string } }[];
}

const golden = (name: string): Golden => {
  const bytes = readFileSync(join(REAL, name));
  return JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()) as Golden;
};

/** The frames of a golden image as raw files at their addresses. */
function rawFiles(image: Golden): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'lpae-'));
  return image.memory.map(({ pa, words64 }) => {
    const bytes = Buffer.alloc(4096);
    for (const [offset, word] of Object.entries(words64))
      bytes.writeBigUInt64LE(BigInt(word), Number(offset));
    const file = join(folder, `${pa}.bin`);
    writeFileSync(file, bytes);
    return `${file}@${pa}`;
  });
}

describe('the whole RAM of U-Boot, gzipped, with the registers of its sister file', () => {
  test('dumps to the same ranges', async () => {
    const [raw, file] = await Promise.all([
      lpaeJson(['dump', RAM, '--registers', SISTER]),
      lpaeJson(['dump', SISTER]),
    ]);
    expect(raw.code).toBe(0);
    expect(raw.json.ranges).toEqual(file.json.ranges);
    expect((raw.json.ranges as unknown[]).length).toBe(5);
  });

  test('walks to what QEMU answered', async () => {
    const { translations } = golden('uboot-arm64-el2.json');
    const reads = translations.filter(({ access }) => access === 'read');
    const { json } = await lpaeJson(['walk', RAM, ...reads.map(({ va }) => va), '--registers', SISTER]);
    const walks = json.walks as { pa?: string; fault?: { kind: string } }[];
    expect(walks.map(({ pa, fault }) => pa ?? fault?.kind)).toEqual(
      reads.map(({ pa, fault }) => pa ?? fault?.kind),
    );
    expect(reads.length).toBeGreaterThan(100);
  });

  test('register values as options, and what they mean above the walk', async () => {
    const registers = ['--ttbr0', '0x5fff_0000', '--tcr', '0x80823518', '--mair', '0xff440c0400'];
    const { code, out } = await lpae(['walk', RAM, '0x4000_1234', '--regime', 'el2', ...registers]);
    expect(code).toBe(0);
    expect(out).toContain('L1[0x001] @0x5fff1008 = 0x0000000040000711  block -> 0x40000000');
    expect(out).toMatch(/TTBR0.*4K.*40/s);
    expect(out).toContain('0x40001234');
  });
});

describe('captures as raw files, one for each frame', () => {
  test.each([
    'linux61-a72-rodata-on.json.gz',
    'linux612-max-16k-lpa2-blocks.json.gz',
    'linux612-kvm-vhe-stage2.json',
  ])('%s', async (name) => {
    const image = golden(name);
    const files = rawFiles(image);
    const [raw, file] = await Promise.all([
      lpaeJson(['dump', ...files, '--registers', join(REAL, name)]),
      lpaeJson(['dump', join(REAL, name)]),
    ]);
    // What lies outside the frames is not RAM in the raw files, and RAM of zeros in the golden one: no table is there.
    expect(raw.json.ranges).toEqual(file.json.ranges);
  });

  test('an SMMU from its registers alone: stream table, context descriptor, tables', async () => {
    const image = golden('linux61-smmuv3-4k.json');
    const row = image.translations.find(({ pa, sid }) => pa !== undefined && sid !== undefined)!;
    const { strtab_base, strtab_base_cfg, cr0, idr0, idr1, idr5 } = image.registers;
    const options = {
      'strtab-base': strtab_base,
      'strtab-cfg': strtab_base_cfg,
      cr0,
      idr0,
      idr1,
      idr5,
      sid: row.sid,
    };
    const given = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
    const { json, code } = await lpaeJson(['walk', ...rawFiles(image), row.va, ...given]);
    expect(code).toBe(0);
    expect(json.regime).toBe('smmuv3-s1');
    expect(json.walks).toMatchObject([{ pa: row.pa }]);
  });
});

describe('register files', () => {
  const words = tempFile('words.txt', '40001000: 0000000040000711 0000000000000000\n');

  test.each<[string, object, string]>([
    ['names of a debugger', { TTBR0_EL1: '0x40001000', TCR_EL1: '0x19', MAIR_EL1: '0xff' }, 'el1&0'],
    ['of EL2', { TTBR0_EL2: '0x40001000', TCR_EL2: '0x19', MAIR_EL2: '0xff' }, 'el2'],
    ['of EL2 with VHE', { TTBR0_EL2: '0x40001000', TCR_EL2: '0x19', HCR_EL2: '0x4_0000_0000' }, 'el2&0'],
    ['of EL3', { TTBR0_EL3: '0x40001000', TCR_EL3: '0x19' }, 'el3'],
    ['of stage 2', { VTTBR_EL2: '0x40001000', VTCR_EL2: '0x59' }, 'el1&0-s2'],
    ['of AArch32', { TTBR0: '0x40001000', TTBCR: '0x8000_0000', MAIR0: '0xff', MAIR1: 0 }, 'pl1&0'],
    ['a regime by name', { regime: 'el3', registers: { ttbr0: '0x40001000', tcr: '0x19' } }, 'el3'],
  ])('%s', async (_, registers, regime) => {
    const { json } = await lpaeJson([
      'walk',
      words,
      '0x0',
      '--registers',
      tempFile('r.json', asText(registers)),
    ]);
    expect(json.regime).toBe(regime);
  });

  test.each<[string, string[], number, string]>([
    ['none at all', ['walk', words, '0x0'], 2, "el1&0 can't be walked without --ttbr0 and --tcr"],
    ['no TCR', ['walk', words, '0', '--ttbr0', '0x1000'], 2, '--tcr'],
    ['no number', ['walk', words, '0', '--ttbr0', 'x'], 2, "--ttbr0: 'x' is not a 64-bit address"],
    ['not a regime', ['walk', words, '0', '--regime', 'el7'], 2, 'el7'],
    [
      '--sid of a PE',
      ['walk', words, '0', '--ttbr0', '0', '--tcr', '25', '--sid', '1'],
      2,
      '--sid is for an SMMU',
    ],
    [
      'raw bytes without a base',
      ['dump', tempFile('x.bin', Buffer.alloc(64, 0xa5)), '--ttbr0', '0'],
      3,
      '@0x4000',
    ],
    [
      'a request beside memory',
      ['dump', words, tempFile('q.json', '{}')],
      2,
      "can't be combined with other files",
    ],
    ['--row of memory', ['walk', words, '0', '--row', '1'], 2, '--row is for golden images'],
    ['the same memory twice', ['dump', words, words, '--ttbr0', '0', '--tcr', '25'], 3, 'overlaps'],
    ['--registers that are no JSON', ['dump', words, '--registers', words], 3, 'no JSON document'],
    [
      'a register that is no number',
      ['dump', words, '--registers', tempFile('r.json', '{"tcr":"x"}')],
      3,
      'r.json: tcr must be',
    ],
    ['--reverse: not an address', ['dump', words, '--reverse', 'q'], 2, "--reverse: 'q'"],
    ['--has: not rights', ['dump', words, '--has', 'rq'], 2, "--has: 'rq'"],
    ['--level: not a level', ['dump', words, '--level', '7'], 2, "--level: '7'"],
  ])('%s', async (_, args, code, message) => {
    const ran = await lpae(args);
    expect([ran.code, ran.out]).toEqual([code, '']);
    expect(ran.err).toContain(message);
    expect(ran.err).not.toContain('internal error');
  });
});

describe('dump filters', () => {
  const of = async (...options: string[]) => {
    const { json, code } = await lpaeJson(['dump', join(REAL, 'edk2-arm64-el1.json.gz'), ...options]);
    return { code, ranges: json.ranges as Record<string, never>[] };
  };

  test('--has, --level, --type, alone and together', async () => {
    const { ranges: all } = await of();
    const { ranges: written } = await of('--has', 'wx');
    expect(written.length).toBe(13);
    const { ranges: devices } = await of('--type', 'device');
    expect(devices.length).toBeGreaterThan(0);
    const { ranges: pages } = await of('--level', '3');
    const { ranges: blocks } = await of('--level', '1,2');
    expect(pages.length + blocks.length).toBe(all.length);
    const { ranges: both } = await of('--has', 'wx', '--level', '3');
    expect(both.length).toBeLessThan(written.length);
    expect(both.every(({ level }) => level === 3)).toBe(true);
  });

  test('--has g: Guarded Control Stacks, by privilege', async () => {
    // PIIndex is bits 54, 53, 51 and 6: pages of index 0 to 3. Nibble 9 of PIR_EL1 and PIRE0_EL1 is a Guarded Control Stack.
    const image = tempFile(
      'gcs.json',
      asText({
        schema: 'pgtable-golden/1',
        kind: 'image',
        name: 'gcs',
        regime: 'el1&0',
        cpu: { model: 'max', pa_bits: 48, features: ['FEAT_S1PIE', 'FEAT_GCS'] },
        ram: { base: '0x40000000', size: '0x10000' },
        registers: {
          ttbr0: '0x40000000',
          tcr: '0x200803519',
          mair: '0xff',
          sctlr: '0x30d01805',
          tcr2_el1: '0x2',
          pir_el1: '0x5095',
          pire0_el1: '0x9001',
        },
        memory: [
          ['0x40000000', '0x40001003'],
          ['0x40001000', '0x40002003'],
          ['0x40002008', '0x50000703'],
          ['0x40002010', '0x50001743'],
          ['0x40002018', '0x8000050002703'],
          ['0x40002020', '0x8000050003743'],
        ],
        translations: [],
      }),
    );
    const which = async (has: string) => {
      const { json } = await lpaeJson(['dump', image, '--has', has]);
      return (json.ranges as { first: string }[]).map(({ first }) => first);
    };
    expect(await which('g')).toEqual(['0x2000']);
    expect(await which('rg')).toEqual(['0x2000']);
    expect(await which('wg')).toEqual([]);
    expect(await which('u:g')).toEqual(['0x4000']);
    expect(await which('r')).toEqual(['0x1000', '0x2000', '0x4000']);
  });

  test('--reverse: who maps an address, and exit code 1 where nobody does', async () => {
    const { code, ranges } = await of('--reverse', '0x4800_0123');
    expect(code).toBe(0);
    expect(ranges).toMatchObject([{ first: '0x48000123', last: '0x48000123', pa: '0x48000123' }]);
    const nobody = await of('--reverse', '0xfff_ffff_ffff');
    expect(nobody).toEqual({ code: 1, ranges: [] });
    const table = await lpae(['dump', join(REAL, 'edk2-arm64-el1.json.gz'), '--reverse', '0x47ff_e008']);
    expect(table.err).toBe('lpae: 0x47ffe000 is the level 1 table of ttbr0\n');
    const linux = await lpaeJson([
      'dump',
      join(REAL, 'linux61-a72-rodata-on.json.gz'),
      '--reverse',
      '0xf8e0_0000+4K',
    ]);
    expect((linux.json.ranges as { first: string }[]).map(({ first }) => first)).toEqual([
      '0xffff0000b8e00000',
      '0xffff80000a0ed000',
    ]);
  });
});

test('gzip of any image', async () => {
  const bytes = Buffer.alloc(4096);
  bytes.writeBigUInt64LE(0x4000_0711n, 0);
  const options = ['--ttbr0', '0x4000_0000', '--tcr', '0x19', '--mair', '0xff'];
  const zipped = tempFile('ram.bin.gz', gzipSync(bytes));
  const fromFile = await lpaeJson(['walk', `${zipped}@1G`, '0x1234', ...options]);
  expect(fromFile.json.walks).toMatchObject([{ pa: '0x40001234' }]);
});

describe('an image from stdin, at the base that stands behind -', () => {
  const stdin = Buffer.alloc(4096);
  stdin.writeBigUInt64LE(0x4000_0711n, 0);
  const options = ['--ttbr0', '0x4000_0000', '--tcr', '0x19', '--mair', '0xff'];

  test.each([
    [['-@1G', '0x1234', ...options]],
    [[...options, '-@0x4000_0000', '0x1234']],
    [['--access', 'write', '-@1G', ...options, '0x1234']],
    [[...options, '--', '-@1G', '0x1234']],
  ])('walk %j', async (args) => {
    const { code, out } = await lpae(['walk', '--json', ...args], { stdin });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ walks: [{ pa: '0x40001234' }] });
  });

  test('an option that nobody knows is refused before and behind it', async () => {
    for (const args of [
      ['walk', '--acess', '-@1G', '0x1234'],
      ['walk', '-@1G', '0x1234', '--acess'],
    ]) {
      const { code, err } = await lpae([...args, ...options], { stdin });
      expect(code).toBe(2);
      expect(err).toContain("unknown option '--acess'");
    }
  });
});
