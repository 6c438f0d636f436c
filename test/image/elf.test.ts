/** ELF files: segments by their physical addresses, and what is refused. (System V ABI, "Program Header".) */
import { describe, expect, test } from 'vitest';
import { type ByteSource, openImage } from '../../src/image/index.ts';
import { imageError } from './thrown.ts';
import { contents, elfFile, fields, pattern, sourceOf } from './writers.ts';

const open = (file: Uint8Array, base?: bigint) => openImage(sourceOf(file), { base });

describe.each([
  [64, true],
  [64, false],
  [32, true],
  [32, false],
] as const)('an ELF file of %i bits, little-endian: %s', (bits, little) => {
  test('shows its PT_LOAD segments by p_paddr, ascending', () => {
    const file = elfFile(
      [
        { type: 4, paddr: 0n, data: pattern(20) },
        { paddr: 0x8000_0000n, vaddr: 0xc000_0000n, data: pattern(100, 2) },
        { paddr: 0x4000_0000n, vaddr: 0xd000_0000n, data: pattern(50, 3) },
      ],
      { bits, little },
    );
    const image = open(file);
    expect([image.format, image.notes]).toEqual(['elf', []]);
    expect(contents(image)).toEqual([
      [0x4000_0000n, pattern(50, 3)],
      [0x8000_0000n, pattern(100, 2)],
    ]);
  });

  test('has zeros where memory is larger than what the file holds, and skips what is empty', () => {
    const file = elfFile(
      [
        { paddr: 0x1000n, data: pattern(10), memsz: 16 },
        { paddr: 0x3000n, data: new Uint8Array(), memsz: 8 },
        { paddr: 0x5000n, data: new Uint8Array() },
      ],
      { bits, little },
    );
    expect(contents(open(file))).toEqual([
      [0x1000n, Uint8Array.from([...pattern(10), 0, 0, 0, 0, 0, 0])],
      [0x3000n, new Uint8Array(8)],
    ]);
  });

  test('takes the number of program headers from section 0 where e_phnum is 0xffff', () => {
    const file = elfFile(
      [
        { paddr: 0x1000n, data: pattern(8) },
        { paddr: 0x2000n, data: pattern(9) },
      ],
      { bits, little, xnum: true },
    );
    expect(open(file).segments.map(({ base, size }) => [base, size])).toEqual([
      [0x1000n, 8n],
      [0x2000n, 9n],
    ]);
  });

  test('is moved by a base, which a note tells', () => {
    const image = open(elfFile([{ paddr: 0x1000n, data: pattern(8) }], { bits, little }), 0x8_0000_0000n);
    expect(image.segments[0]?.base).toBe(0x8_0000_1000n);
    expect(image.notes).toEqual([
      '0x800000000 was added to the addresses of the file; with the raw format, the file itself would be placed there',
    ]);
  });
});

describe('an ELF file', () => {
  test('reads a window of a segment, across the end of what the file holds', () => {
    const [segment] = open(elfFile([{ paddr: 0x1000n, data: pattern(10), memsz: 100 }])).segments;
    const into = new Uint8Array(6).fill(0xee);
    segment!.read(7, into);
    expect([...into]).toEqual([...pattern(10).subarray(7), 0, 0, 0]);
    segment!.read(90, into);
    expect([...into]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('of 4 GiB is opened with a few small reads', () => {
    const size = 2 ** 32;
    const start = elfFile([{ paddr: 0x4000_0000n, data: new Uint8Array(), memsz: size, offset: 0x1000 }]);
    new DataView(start.buffer, start.byteOffset).setBigUint64(64 + 32, BigInt(size), true);
    let read = 0;
    const source: ByteSource = {
      name: 'huge',
      size: size + 0x1000,
      read(offset, into) {
        read += into.length;
        into.set(start.subarray(offset, offset + into.length));
      },
    };
    expect(openImage(source).segments.map((segment) => segment.size)).toEqual([BigInt(size)]);
    expect(read).toBeLessThan(1000);
  });

  test('may show the same bytes of the file at one PA several times: dumps through page tables do', () => {
    const data = pattern(0x100);
    const file = elfFile([
      { paddr: 0x1000n, vaddr: 0xffff_0000n, data },
      { paddr: 0x1000n, vaddr: 0xaaaa_0000n, data, offset: 64 + 3 * 56 },
      { paddr: 0x1080n, vaddr: 0xbbbb_0000n, data: data.subarray(0x80), offset: 64 + 3 * 56 + 0x80 },
    ]);
    expect(contents(open(file))).toEqual([[0x1000n, data]]);
  });

  test('may hold the same memory twice where both are equal: so does /proc/vmcore the kernel', () => {
    const data = pattern(0x100);
    const file = elfFile([
      { paddr: 0x1000n, data },
      {
        paddr: 0x1040n,
        vaddr: 0xffff_8000_0000_0000n,
        data: Buffer.concat([data.subarray(0x40), pattern(0x20, 9)]),
      },
    ]);
    expect(contents(open(file))).toEqual([
      [0x1000n, data],
      [0x1100n, pattern(0x20, 9)],
    ]);
  });

  test('must not contradict itself', () => {
    const file = elfFile([
      { paddr: 0x1000n, data: Uint8Array.of(1, 2, 3, 4) },
      { paddr: 0x1002n, data: Uint8Array.of(3, 5) },
    ]);
    const error = imageError(() => open(file));
    expect(error.message).toBe(
      'file: the byte at 0x1003 is 0x04 in program header 0, and 0x05 in program header 1',
    );
    expect(error.hint).toContain('the same both times');
  });

  test('with virtual addresses only is refused, or taken at PA 0 if it is one segment', () => {
    const segment = (vaddr: bigint) => ({ paddr: 0n, vaddr, data: pattern(16) });
    const error = imageError(() => open(elfFile([segment(0x40_0000n), segment(0x50_0000n)])));
    expect(error.message).toBe(
      'file at offset 0x40: all its segments have the physical address 0: only virtual ones are known',
    );
    expect(error.hint).toContain('without -p');
    expect(open(elfFile([segment(0x40_0000n)])).notes).toEqual([
      'p_paddr is 0 while p_vaddr is 0x400000: taken as memory at PA 0',
    ]);
  });

  test('of kernel addresses needs a base that moves them', () => {
    const file = elfFile([{ paddr: 0xffff_8000_0800_0000n, data: pattern(16) }]);
    const error = imageError(() => open(file));
    expect(error.message).toContain('beyond the 52 bits of a physical address');
    expect(error.hint).toContain('modulo 2^64');
    expect(open(file, 0x8000_3800_0000n).segments[0]?.base).toBe(0x4000_0000n);
  });

  const good = elfFile([{ paddr: 0x1000n, data: pattern(16) }]);
  const changed = (values: Parameters<typeof fields>[1]) => {
    const file = Uint8Array.from(good);
    for (const key of Object.keys(values).map(Number)) {
      const value = values[key]!;
      const bytes =
        typeof value === 'number'
          ? 4
          : typeof value === 'bigint'
            ? 8
            : typeof value === 'string'
              ? value.length
              : 2;
      file.set(fields(bytes, { 0: value }), key);
    }
    return file;
  };

  test.each([
    ['that ends within its header', good.subarray(0, 40), 'file at offset 0x0: 64 bytes are needed'],
    ['that ends within its identification', good.subarray(0, 9), '16 bytes are needed'],
    [
      'that ends within a segment',
      good.subarray(0, 130),
      "file at offset 0x40: the data of program header 0, [0x78, +0x10), goes beyond the file's end at 0x82",
    ],
    ['of class 3', changed({ 4: '\x03' }), 'file at offset 0x4: EI_CLASS is 3'],
    ['of byte order 9', changed({ 5: '\x09' }), 'file at offset 0x5: EI_DATA is 9'],
    [
      'of other program headers',
      changed({ 54: [32] }),
      'a program header has 56 bytes, but e_phentsize is 32',
    ],
    [
      'whose program headers are outside',
      changed({ 32: 0x7fff_ffff_ffff_ffffn }),
      '1 program headers at 0x7fffffffffffffff do not fit',
    ],
    [
      'with more program headers than bytes',
      changed({ 56: [0xfffe] }),
      '65534 program headers at 0x40 do not fit',
    ],
    ['whose section 0 is outside', changed({ 56: [0xffff], 40: 1n << 63n }), 'e_phnum is 0xffff'],
    [
      'with more data than memory',
      changed({ [64 + 40]: 8n }),
      'program header 0 puts 0x10 bytes of the file into 0x8 bytes of memory',
    ],
    ['beyond 2^52', changed({ [64 + 24]: 1n << 52n }), 'beyond the 52 bits'],
    ['of absurd memory', changed({ [64 + 40]: (1n << 64n) - 1n }), 'beyond the 52 bits'],
    ['without PT_LOAD', changed({ 64: 4 }), 'no PT_LOAD segment that occupies memory'],
    ['without program headers', changed({ 56: [0] }), 'no PT_LOAD segment that occupies memory'],
  ])('%s is refused', (_, file, message) => {
    expect(imageError(() => open(file)).message).toContain(message);
  });
});
