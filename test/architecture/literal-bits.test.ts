/** Bit positions stand in src/arch alone: the rest of the hardware side, and who speaks of it, reads them by their declared names. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { expect, test } from 'vitest';
import { literalBits } from '../support/literal-bits.ts';

const SOURCES = resolve(import.meta.dirname, '../../src');

/** Who may hold no literal bits: all that reads descriptors, registers, structures and records. */
const FOLDERS = [
  'walker',
  'smmu',
  'tlb',
  'bbm',
  'describe',
  'machine',
  'lint',
  'glossary',
  'golden',
  'space',
  'text',
  'cli',
];

/** What is arithmetic and no field, by file. */
const ARITHMETIC: Readonly<Record<string, readonly string[]>> = {
  // The order of bytes in a word.
  'walker/table-memory.ts': ['word >>> 24', '(word >>> 8) & 0xff00', '(word & 0xff00) << 8', 'word << 24'],
  // Whether an address of 64 bits is a small signed number, which a double holds.
  'walker/walker.ts': ['high >> 21', 'high >> 31'],
  // Sizes of sections, pages and runs of 16 of them.
  'describe/aarch32.ts': ['1n << 20n', '1n << 12n', 'section << 4n', 'page << 4n'],
  'describe/mali-riscv.ts': ['level.entrySize << 4n'],
  // Flags of a driver's message, and the page of an address.
  'glossary/faults/adreno.ts': ['Number(flags) & 1'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source's own text
  'glossary/faults/soc-lines.ts': ['BigInt(`0x${at!}`) & ~0xfffn'],
  // Limits of memory and of a double.
  'golden/image-file.ts': ['1n << 52n'],
  'golden/ops.ts': ['1n << 34n', '1n << 53n'],
  'cli/input/file-source.ts': ['256 << 20', '1 << 16'],
  'cli/input/open-input.ts': ['256 << 20'],
  'cli/input/request.ts': ['1n << 30n', '1n << 52n'],
  'cli/input/scatterlists-file.ts': ['1n << 52n'],
  'cli/input/tlb-trace-file.ts': ['1 << 30'],
  'cli/run/replay.ts': ['1n << 30n'],
  // Halving a size until it is short.
  'text/numbers.ts': ['size <<= 1n'],
  // Alignment of entries and pages.
  'cli/input/bbm-file.ts': ['pa & 7n'],
  'cli/machine/image.ts': ['pa & ~0xfffn'],
  // The bits of any word, one by one, and the half of it that is printed.
  'cli/text/descriptor-text.ts': ['BigInt.asUintN(1, word >> BigInt(bit))'],
  'cli/text/fault-text.ts': ['(value >> shift) & 0xffff_ffff_ffff_ffffn'],
};

test('shifts, masks and field calls with numbers are found, arithmetic is not', () => {
  const found = (code: string) => literalBits('sample.ts', code);
  expect(found('const a = (lo >>> 6) & 3;')).toEqual(['(lo >>> 6) & 3']);
  expect(found('const a = 1n << 34n;')).toEqual(['1n << 34n']);
  expect(found('x |= 0b100;')).toEqual(['x |= 0b100']);
  expect(found('const a = word & ~(1 << 7);')).toEqual(['1 << 7']);
  expect(found('const a = field(tcr, 15, 14);')).toEqual(['field(tcr, 15, 14)']);
  expect(found('const a = BigInt.asUintN(48, ttbr);')).toEqual(['BigInt.asUintN(48, ttbr)']);
  expect(found('const a = (x | 0) + (x >>> 0) + (1 << n) + (x & mask) + i * 8;')).toEqual([]);
  expect(found('const a = BigInt.asUintN(64, x) >> 64n;')).toEqual([]);
});

test.each(FOLDERS)('src/%s holds no literal bits', (folder) => {
  const files = readdirSync(join(SOURCES, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [folder, ...file.split(sep)].join('/'));
  expect(files.length).toBeGreaterThan(1);
  const found = files.flatMap((file) => {
    const allowed = ARITHMETIC[file] ?? [];
    return literalBits(file, readFileSync(join(SOURCES, file), 'utf8'))
      .filter((expression) => !allowed.includes(expression))
      .map((expression) => `${file}: ${expression}`);
  });
  expect(found).toEqual([]);
});

test('every entry in the list of arithmetic still exists', () => {
  for (const [file, allowed] of Object.entries(ARITHMETIC)) {
    const found = literalBits(file, readFileSync(join(SOURCES, file), 'utf8'));
    expect(
      allowed.filter((expression) => !found.includes(expression)),
      file,
    ).toEqual([]);
  }
});
