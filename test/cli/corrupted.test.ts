/** Damaged images on the command line: exit code 3 with a message, or an answer, soon; and no mistake of the program's own. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { elfFile, ihexFile, kdumpFile, limeFile, srecFile, wordLines } from '../image/writers.ts';
import { Random } from '../support/random.ts';
import { lpae } from './run.ts';

/** Five pages from 0x1000 on: tables of three levels, one of which leads to itself, and pages. */
function tables(): Uint8Array {
  const bytes = Buffer.alloc(0x5000);
  const put = (pa: number, word: bigint) => bytes.writeBigUInt64LE(word, pa - 0x1000);
  put(0x1000, 0x2003n);
  put(0x1008, 0x4000_0f41n);
  put(0x1010, 0x1003n);
  put(0x2000, 0x3003n);
  put(0x2008, 0x20_0f45n);
  for (let i = 0; i < 64; i++) put(0x3000 + i * 8, 0x8000_0f43n + BigInt(i) * 0x1000n);
  return bytes;
}

const RAM = tables();
const PAGES = [1, 2, 3, 4, 5].map((page) => ({ page, data: RAM.subarray((page - 1) * 4096, page * 4096) }));
const REAL = join(import.meta.dirname, '../../fixtures/real');

/** Whole files, and the registers that go with them. */
const REGISTERS = ['--ttbr0', '0x1000', '--tcr', '0x19', '--mair', '0xff'];
const FILES: [name: string, bytes: Uint8Array, options: string[]][] = [
  ['elf', elfFile([{ paddr: 0x1000n, data: RAM }]), REGISTERS],
  ['lime', limeFile([{ first: 0x1000n, data: RAM }]), REGISTERS],
  ['kdump', kdumpFile(PAGES), REGISTERS],
  ['hex', Buffer.from(ihexFile(0x1000, RAM)), REGISTERS],
  ['srec', Buffer.from(srecFile(0x1000, RAM)), REGISTERS],
  ['txt', Buffer.from(wordLines(0x1000n, RAM)), REGISTERS],
  ['gz', gzipSync(elfFile([{ paddr: 0x1000n, data: RAM }])), REGISTERS],
  ['raw@0x1000', RAM, REGISTERS],
  ['el2.json', readFileSync(join(REAL, 'uboot-arm64-el2.json')), []],
  ['smmu.json', readFileSync(join(REAL, 'linux61-smmuv3-4k.json')), []],
  ['s2.json', readFileSync(join(REAL, 'linux612-kvm-vhe-stage2.json')), []],
  ['nested.json', readFileSync(join(REAL, '../qemu/qemu-nested-4k-max-00.json')), []],
];

function damaged(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = () => random.between(0, random.chance(0.5) ? Math.min(600, copy.length - 1) : copy.length - 1);
  switch (random.between(0, 3)) {
    case 0:
      return copy.subarray(0, at());
    case 1:
      for (let n = random.between(1, 20); n > 0; n--) copy[at()]! ^= 1 << random.between(0, 7);
      return copy;
    case 2: {
      const start = at();
      copy.fill(random.chance(0.5) ? 0xff : random.between(0, 255), start, start + random.between(1, 16));
      return copy;
    }
    default: {
      // A part of it over another.
      const [from, to, length] = [at(), at(), random.between(1, 4096)];
      copy.copyWithin(to, from, from + length);
      return copy;
    }
  }
}

const COMMANDS = [
  ['walk', '0x1234', '0xffff_ffff_f000'],
  ['dump'],
  ['dump', '--tree'],
  ['lint'],
  ['dump', '--reverse', '0x8000_0000'],
  ['capture'],
];

test('1,200 of them', async () => {
  const random = new Random(20261125);
  const folder = mkdtempSync(join(tmpdir(), 'lpae-'));
  const codes = new Map<number, number>();
  for (let round = 0; round < 1200; round++) {
    const [name, whole, options] = FILES[round % FILES.length]!;
    const [kind, base] = name.split('@');
    const path = join(folder, `damaged.${kind}`);
    writeFileSync(path, damaged(random, whole));
    const [command, ...rest] = random.pick(COMMANDS);
    const file = base === undefined ? path : `${path}@${base}`;
    const start = performance.now();
    const { code, err } = await lpae([command!, file, ...rest, ...options, '--json']);
    const what = `round ${round}: ${name} ${command}`;
    expect(err, what).not.toMatch(/internal error|\n\s+at /);
    expect([0, 1, 3], `${what}: ${err}`).toContain(code);
    if (code === 3) expect(err, what).toMatch(/^lpae: .+\n/);
    expect(performance.now() - start, what).toBeLessThan(2000);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  // Each kind of end is met: the damage is neither always fatal nor never.
  for (const code of [0, 3]) expect(codes.get(code)).toBeGreaterThan(50);
}, 120_000);

test('whole, every one of them can be read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lpae-'));
  for (const [name, whole, options] of FILES) {
    const [kind, base] = name.split('@');
    const path = join(folder, `whole.${kind}`);
    writeFileSync(path, whole);
    const { code, err } = await lpae(['dump', base === undefined ? path : `${path}@${base}`, ...options]);
    expect([name, code, err.includes('internal')]).toEqual([name, 0, false]);
  }
});
