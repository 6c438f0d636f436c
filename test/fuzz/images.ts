/** Damaged image files on the command line: what each must end with. Shared by a test and by `npm run fuzz -- --images=N`. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { lpae } from '../cli/run.ts';
import { elfFile, ihexFile, kdumpFile, limeFile, srecFile, wordLines } from '../image/writers.ts';
import { Random } from '../support/random.ts';
import { Violation } from './check.ts';

/** No command takes longer, whatever it is given. */
const MAX_MILLISECONDS = 2000;

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

export const RAM = tables();
const PAGES = [1, 2, 3, 4, 5].map((page) => ({ page, data: RAM.subarray((page - 1) * 4096, page * 4096) }));
const REAL = join(import.meta.dirname, '../../fixtures/real');

/** Whole files, and the registers that go with them. */
const REGISTERS = ['--ttbr0', '0x1000', '--tcr', '0x19', '--mair', '0xff'];
export const FILES: [name: string, bytes: Uint8Array, options: string[]][] = [
  ['elf', elfFile([{ paddr: 0x1000n, data: RAM }]), REGISTERS],
  ['lime', limeFile([{ first: 0x1000n, data: RAM }]), REGISTERS],
  ['kdump', kdumpFile(PAGES), REGISTERS],
  ['hex', Buffer.from(ihexFile(0x1000, RAM)), REGISTERS],
  ['srec', Buffer.from(srecFile(0x1000, RAM)), REGISTERS],
  ['txt', Buffer.from(wordLines(0x1000n, RAM)), REGISTERS],
  ['gz', gzipSync(elfFile([{ paddr: 0x1000n, data: RAM }])), REGISTERS],
  ['raw@0x1000', RAM, REGISTERS],
  ['el2.json', readFileSync(join(REAL, 'uboot-arm64-el2.json')), []],
  ['smmu.json', readFileSync(join(REAL, 'linux61-smmuv3-4k.json')), ['--sid', '0x28']],
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

const folder = mkdtempSync(join(tmpdir(), 'lpae-'));

/** Writes a file of {@link FILES} and answers how a command line names it. */
export function written(name: string, bytes: Uint8Array): string {
  const [kind, base] = name.split('@');
  const path = join(folder, `image.${kind}`);
  writeFileSync(path, bytes);
  return base === undefined ? path : `${path}@${base}`;
}

/**
 * One damaged file through one command.
 * @returns its exit code: 0, 1, or 3 with a message.
 * @throws Violation for any other end, a stack trace, or more than two seconds of the processor.
 */
export async function runDamaged(seed: number, round: number): Promise<number> {
  const random = new Random(seed + round * 7919);
  const [name, whole, options] = FILES[round % FILES.length]!;
  const file = written(name, damaged(random, whole));
  const [command, ...rest] = random.pick(COMMANDS);
  const before = process.cpuUsage();
  const { code, err } = await lpae([command!, file, ...rest, ...options, '--json']);
  const { user, system } = process.cpuUsage(before);
  const took = (user + system) / 1000;
  const what = `seed ${seed}, round ${round}: ${name}, ${command}`;
  if (/internal error|\n\s+at /.test(err)) throw new Violation(`${what}: ${err}`);
  if (![0, 1, 3].includes(code)) throw new Violation(`${what}: exit code ${code}: ${err}`);
  if (code === 3 && !/^lpae: .+\n/.test(err)) throw new Violation(`${what}: no message`);
  if (took > MAX_MILLISECONDS) throw new Violation(`${what}: ${took.toFixed(0)} ms`);
  return code;
}
