/** Hex dumps as tools write them and people paste them. Each literal is what the named tool prints. */
import { describe, expect, test } from 'vitest';
import { openImage } from '../../src/image/index.ts';
import { cpuMilliseconds } from '../support/cpu-time.ts';
import { imageError } from './thrown.ts';
import { contents, pattern, sourceOf, wordLines } from './writers.ts';

const open = (text: string | Uint8Array, base?: bigint) =>
  openImage(sourceOf(text), { format: 'hex-text', base });
const at = (base: bigint, ...digits: string[]) =>
  digits.map((d) => [base, Uint8Array.from(Buffer.from(d.replaceAll(' ', ''), 'hex'))]);

/** "Hello wo", 0 1 2, "rld abcdef0123456789", as all of them show it. */
const HELLO = '48656c6c6f20776f 00010272 6c642061 6263646566303132 3334353637383900';

describe('hex text', () => {
  test.each([
    [
      'crash rd -p',
      '40000000:  6f77206f6c6c6548 6120646c72020100   Hello wo...rld a\n40000010:  3231306665646362 0039383736353433   bcdef0123456789.\n',
      HELLO,
    ],
    [
      'crash rd -32',
      '40000000:  6c6c6548 6f77206f 72020100 6120646c   Hello wo...rld a\n40000010:  65646362 32313066 36353433 00393837   bcdef0123456789.\n',
      HELLO,
    ],
    [
      'crash rd -8',
      '40000000:  48 65 6c 6c 6f 20 77 6f 00 01 02 72 6c 64 20 61   Hello wo...rld a\n',
      HELLO.slice(0, 34),
    ],
    [
      'a prompt of crash',
      'crash> 40000000:  6161616161616161 6161616161616161   aaaaaaaaaaaaaaaa\n',
      '61'.repeat(16),
    ],
    [
      'gdb x/4gx',
      '0x40000000:\t0x6f77206f6c6c6548\t0x6120646c72020100\n0x40000010 <init_pg_dir+16>:\t0x3231306665646362\t0x0039383736353433\n',
      HELLO,
    ],
    [
      'gdb x/4wx',
      '(gdb) 0x40000000 <foo<int>::bar>:\t0x6c6c6548\t0x6f77206f\t0x72020100\t0x6120646c\n',
      HELLO.slice(0, 34),
    ],
    ['gdb x/8xb', '0x40000000:\t0x48\t0x65\t0x6c\t0x6c\t0x6f\t0x20\t0x77\t0x6f\n', HELLO.slice(0, 16)],
    ['gdb x/4hx', '0x40000000:\t0x6548\t0x6c6c\t0x206f\t0x6f77\n', HELLO.slice(0, 16)],
    ['U-Boot md.q', '40000000: 6f77206f6c6c6548 6120646c72020100    Hello wo...rld a\n', HELLO.slice(0, 34)],
    [
      'U-Boot md.l',
      '=> 40000000: 6c6c6548 6f77206f 72020100 6120646c    Hello wo...rld a\r\n40000010: 65646362 32313066 36353433 00393837    bcdef0123456789.\r\n',
      HELLO,
    ],
    [
      'U-Boot md.w',
      '40000000: 6548 6c6c 206f 6f77 0100 7202 646c 6120    Hello wo...rld a\n',
      HELLO.slice(0, 34),
    ],
    [
      'U-Boot md.b',
      '40000000: 48 65 6c 6c 6f 20 77 6f 00 01 02 72 6c 64 20 61    Hello wo...rld a\n',
      HELLO.slice(0, 34),
    ],
    [
      'xxd',
      '40000000: 4865 6c6c 6f20 776f 0001 0272 6c64 2061  Hello wo...rld a\n40000010: 6263 6465 6630 3132 3334 3536 3738 3900  bcdef0123456789.\n',
      HELLO,
    ],
    ['xxd -e', '40000000: 6c6c6548 6f77206f 72020100 6120646c  Hello wo...rld a\n', HELLO.slice(0, 34)],
    ['xxd -g4', '40000000: 48656c6c 6f20776f 00010272 6c642061  Hello wo...rld a\n', HELLO.slice(0, 34)],
    [
      'xxd -u, the last line short',
      '40000000: 4865 6C6C 6F20                           Hello \n',
      HELLO.slice(0, 12),
    ],
    ['xxd without its text', '40000000: 4865 6c6c 6f20 776f\n', HELLO.slice(0, 16)],
    [
      'xxd of what no text shows',
      '40000000: 0001 0203  ....\n40000004: 0405 0607  ....\n',
      '0001020304050607',
    ],
    [
      'hexdump -C',
      '40000000  48 65 6c 6c 6f 20 77 6f  00 01 02 72 6c 64 20 61  |Hello wo...rld a|\n40000010\n',
      HELLO.slice(0, 34),
    ],
    [
      'hexdump -C with bars in the text',
      '40000000  7c 20 3e 7c                                       || >||\n40000004\n',
      '7c203e7c',
    ],
    ['hexdump', '40000000 6548 6c6c 206f 6f77 0100 7202 646c 6120\n40000010\n', HELLO.slice(0, 34)],
    [
      'od -A x -t x8z',
      '40000000 6f77206f6c6c6548 6120646c72020100  >Hello wo...rld a<\n40000010\n',
      HELLO.slice(0, 34),
    ],
    ['od -A x -t x1', '40000000 48 65 6c 6c\n40000004\n', HELLO.slice(0, 8)],
    ['QEMU xp/2gx', '0000000040000000: 0x6f77206f6c6c6548 0x6120646c72020100\n', HELLO.slice(0, 34)],
    [
      'QEMU xp/4wx',
      '(qemu) 0000000040000000: 0x6c6c6548 0x6f77206f 0x72020100 0x6120646c\n',
      HELLO.slice(0, 34),
    ],
    ['QEMU xp/4hx', '0000000040000000: 0x6548 0x6c6c 0x206f 0x6f77\n', HELLO.slice(0, 16)],
    ['QEMU xp/8bx', '0000000040000000: 0x48 0x65 0x6c 0x6c 0x6f 0x20 0x77 0x6f\n', HELLO.slice(0, 16)],
    ['OpenOCD mdd', '0x40000000: 6f77206f6c6c6548 6120646c72020100 \n', HELLO.slice(0, 34)],
    ['OpenOCD mdw', '> 0x40000000: 6c6c6548 6f77206f \n', HELLO.slice(0, 16)],
    [
      'devmem2',
      '/dev/mem opened.\nMemory mapped at address 0xffff9000.\nValue at address 0x40000000 (0xffff9000): 0xC6C6548\n',
      '48656c0c',
    ],
    [
      'the kernel log',
      '[   12.345678] 40000000: 48656c6c 6f20776f 00010272 6c642061  Hello wo...rld a\n',
      HELLO.slice(0, 34),
    ],
    [
      'a log with priority and time',
      '<6>[2024-01-01 12:00:00] [T1] 40000000: 48 65 6c 6c\n',
      HELLO.slice(0, 8),
    ],
    ['colours', '\x1b[32m40000000:\x1b[0m 48 65 6c 6c\n', HELLO.slice(0, 8)],
    ['a shell prompt', 'root@board:~# 40000000: 48 65 6c 6c\n', HELLO.slice(0, 8)],
  ])('of %s', (_, text, digits) => {
    expect(contents(open(text))).toEqual(at(0x4000_0000n, digits));
  });

  test('says in notes how it was read', () => {
    const text =
      '1000: 0000000000000001 0000000000000002\n1010:  6f77206f6c6c6548   Hello wo\n2000: 4865  He\n3000: 01 02\n3002: 03 04\n';
    expect(open(text).notes).toEqual([
      '1 line of 8-byte words, taken as little-endian',
      '1 line of 8-byte words, taken as little-endian, as the text beside them shows',
      '1 line of 2-byte groups, taken in memory order, as the text beside them shows',
      '2 lines of bytes, in memory order',
    ]);
    expect(open('1000: 0102 0304\n').notes).toEqual([
      '1 line of 2-byte groups, taken in memory order, as xxd writes them',
    ]);
  });

  test('in UTF-16, as PowerShell saves it, and with a byte order mark', () => {
    const text = '\ufeff40000000: 48 65 6c 6c\r\n40000004: 01\r\n';
    const expected = at(0x4000_0000n, '48656c6c01');
    expect(contents(openImage(sourceOf(Buffer.from(text, 'utf16le'))))).toEqual(expected);
    expect(contents(openImage(sourceOf(Buffer.from(text))))).toEqual(expected);
  });

  test('skips what is no dump, and says so', () => {
    const text = [
      '=> md.q 40000000 2',
      '40000000: 0000000000000001',
      '',
      '40000008: 00000000 <b>',
      'words \x07 here',
      'and more',
      'x'.repeat(100),
      '40000010: 0000000000000003',
    ].join('\n');
    const image = open(text);
    expect(contents(image)).toEqual([
      [0x4000_0000n, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)],
      [0x4000_0010n, Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0)],
    ]);
    expect(image.notes.at(-1)).toBe(
      "5 lines are not part of a dump and skipped: line 1: '=> md.q 40000000 2', line 4: '40000008: 00000000 <b>', line 5: 'words . here', …",
    );
    expect(open('1000: 01\nnope\n').notes.at(-1)).toBe(
      "1 line is not part of a dump and skipped: line 2: 'nope'",
    );
  });

  test.each([
    ['words of two widths', '40000000: 00000001 0002'],
    ['an odd number of digits', '40000000: 123'],
    ['a word cut off', '40000000: 6f77206f6c6c6548 6120646c7202'],
    ['3 bytes', '40000000: 012345'],
    ['text that is not what the words say', '40000000: 48656c6c 6f20776f  Hello_wo'],
    ['bits of xxd -b', '40000000: 01001000 01100101  He'],
    ['a symbol of rd -s', '40000000:  init_task+8 0000000000000000'],
    ['the mixed last line of xxd -e', '00000080: 61742020     6c69                      tail'],
    ['disassembly', '   0x40000000 <+0>:\tmov\tx0, x1'],
    ['a line without end', `40000000: ${'00 '.repeat(2000)}`],
    ['an address of 17 digits', '00000000040000000: 01'],
    ['prose', 'dead: end'],
  ])('does not read a line with %s', (_, line) => {
    expect(open(`1000: 01\n${line}\n`).notes.at(-1)).toContain(
      '1 line is not part of a dump and skipped: line 2',
    );
  });

  test("repeats a line where '*' stands, as hexdump and xxd -a write it, without storing it", () => {
    const text =
      '00000000  01 02 03 04 05 06 07 08  09 0a 0b 0c 0d 0e 0f 10  |................|\n*\n10000000000  ff  |.|\n10000000001\n';
    const [first, repeated, last] = open(text).segments;
    expect([first!.size, repeated!.base, repeated!.size, last!.base]).toEqual([
      16n,
      16n,
      0x100_0000_0000n - 16n,
      0x100_0000_0000n,
    ]);
    const into = new Uint8Array(20);
    repeated!.read(2 ** 39 + 14, into);
    expect([...into]).toEqual([15, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 2]);
    expect(contents(open('1000 0201 0403\n*\n100a\n'))).toEqual(
      contents(open('1000 0201 0403\n')).concat([[0x1004n, Uint8Array.of(1, 2, 3, 4, 1, 2)]]),
    );
  });

  test("skips a '*' that has no line before it, or nothing behind", () => {
    for (const text of ['*\n1000: 01\n', '1000: 01\n*\n', '1000: 01\n*\n0800: 01\n', '1000: 01\n*\nnope\n']) {
      expect(open(text).notes.at(-1)).toContain("line 1: '*'".replace('1', text.startsWith('*') ? '1' : '2'));
    }
  });

  test('may say the same twice, but nothing else', () => {
    const text = wordLines(0x1000n, pattern(64));
    expect(contents(open(text + text))).toEqual([[0x1000n, pattern(64)]]);
    const error = imageError(() => open(`${text}1010: 00\n`));
    expect(error.message).toBe(
      'file: the byte at 0x1010 is 0x8f in the lines from 1 on, and 0x00 in the lines from 5 on',
    );
  });

  test('is moved by a base, modulo 2^64', () => {
    const text = 'ffff800012340000:  0000000000000001\n';
    expect(imageError(() => open(text)).hint).toContain('virtual addresses can be moved');
    expect(open(text, 0x8000_0000_0000n).segments[0]?.base).toBe(0x1234_0000n);
  });

  test('with addresses in octal or decimal is refused, as od writes them unless told otherwise', () => {
    const octal = imageError(() =>
      open('0000000 6548 6c6c 206f 6f77 0100 7202 646c 6120\n0000020 6362 6564\n'),
    );
    expect(octal.message).toContain(
      'line 2: from 0000000 to 0000020 are the 16 bytes of the line before only if addresses are octal',
    );
    expect(octal.hint).toBe('od -A x writes hex addresses');
    expect(
      imageError(() => open('0000000 48 65\n0000002 48 65\n0000008 48 65 48 65 48 65\n0000014 48\n')).message,
    ).toContain('decimal');
  });

  test('without any line of a dump is refused', () => {
    const error = imageError(() => open('hello\nworld\n'));
    expect(error.message).toBe("file: no line is a hex dump; line 1 is 'hello'");
    expect(error.hint).toContain('xxd');
    expect(imageError(() => open('')).message).toBe('file: is empty');
  });

  test('of 10 MB is read in seconds', () => {
    const data = pattern(2_600_000);
    const text = wordLines(0x4000_0000n, data);
    const source = sourceOf(text.repeat(2).slice(0, 10_000_000));
    let size: bigint | undefined;
    const took = cpuMilliseconds(() => {
      size = openImage(source).segments[0]?.size;
    });
    expect(took).toBeLessThan(8000);
    expect(size).toBe(BigInt(data.length));
  });
});
