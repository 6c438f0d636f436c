/** Images as the command line names them: files, bases, stdin, gzip, and what can't be read. */
import { ftruncateSync, mkdtempSync, openSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openFileSource } from '../../src/cli/input/file-source.ts';
import { openInput } from '../../src/cli/input/open-input.ts';
import { unreadable } from '../../src/cli/input/unreadable.ts';
import { CliError, type CliIo } from '../../src/cli/io.ts';
import { ImageError, type ImageFormat, imageMemory } from '../../src/image/index.ts';
import { tempFile } from '../cli/run.ts';
import { imageError } from './thrown.ts';
import { contents, elfFile, kdumpFile, pattern } from './writers.ts';

function ioOf(...chunks: (string | Uint8Array)[]): CliIo {
  async function* stdin() {
    yield* chunks;
  }
  const sink = { write: () => {} };
  return { stdin: stdin(), stdout: sink, stderr: sink, env: {} };
}

async function openImageFile(argument: string, io: CliIo, { format }: { format?: ImageFormat } = {}) {
  const input = await openInput(argument, io, format);
  if (!('image' in input)) throw new Error('no image');
  return input.image;
}

async function cliError(work: () => unknown): Promise<CliError> {
  const error = await (async () => work())().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CliError);
  expect((error as CliError).exitCode).toBe(3);
  return error as CliError;
}

async function rejected(work: Promise<unknown>): Promise<ImageError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ImageError);
  return error as ImageError;
}

const DATA = pattern(100);

describe('openFileSource', () => {
  test('reads windows', () => {
    const source = openFileSource(tempFile('a', DATA));
    const into = new Uint8Array(10);
    source.read(90, into);
    expect([source.size, into]).toEqual([100, DATA.subarray(90)]);
    expect(imageError(() => source.read(91, into)).message).toContain(
      'at offset 0x64: the file ends here, where it had 0x64 bytes',
    );
  });

  test('reads beyond 2 GiB', () => {
    const path = tempFile('big', '');
    const file = openSync(path, 'r+');
    ftruncateSync(file, 5 * 2 ** 30);
    writeSync(file, Buffer.from('here'), 0, 4, 5 * 2 ** 30 - 4);
    const source = openFileSource(path);
    const into = new Uint8Array(8);
    source.read(source.size - 8, into);
    expect([source.size, Buffer.from(into).toString()]).toEqual([5 * 2 ** 30, '\0\0\0\0here']);
    truncateSync(path, 0);
    expect(imageError(() => source.read(2 ** 32, into)).message).toContain(
      'at offset 0x100000000: the file ends here',
    );
  });

  test('says what is wrong with a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lpae-'));
    expect((await cliError(() => openFileSource(join(folder, 'none')))).message).toBe(
      `${folder}/none: no such file`,
    );
    expect((await cliError(() => openFileSource(folder))).message).toBe(`${folder}: is a directory`);
    expect((await cliError(() => openFileSource(`${folder}/x\0y`))).message).toContain('null bytes');
  });

  // Root may read everything: what the system would say stands for it.
  test('says that it may not read a file', () => {
    const { message, exitCode } = unreadable('secret', Object.assign(new Error('x'), { code: 'EACCES' }));
    expect([message, exitCode]).toEqual(['secret: no permission to read it', 3]);
  });

  test('reads devices until they end, but not for ever', async () => {
    expect(openFileSource('/dev/null').size).toBe(0);
    const error = await cliError(() => openFileSource('/dev/zero'));
    expect(error.message).toBe('/dev/zero: more than 256.0 MiB');
  });
});

describe('openInput', () => {
  test('takes FILE, and FILE@BASE', async () => {
    const elf = tempFile('vmcore', elfFile([{ paddr: 0x1000n, data: DATA }]));
    const raw = tempFile('ram.bin', DATA);
    expect(contents(await openImageFile(elf, ioOf()))).toEqual([[0x1000n, DATA]]);
    expect((await openImageFile(`${elf}@2G`, ioOf())).segments[0]?.base).toBe(0x8000_1000n);
    expect(contents(await openImageFile(`${raw}@0x4000_0000+0x10`, ioOf()))).toEqual([[0x4000_0010n, DATA]]);
    expect((await openImageFile(`${elf}@0`, ioOf(), { format: 'raw' })).format).toBe('raw');
  });

  test('takes a file that exists by its whole name, and what is behind the last @', async () => {
    const odd = tempFile('ram@0x1000', elfFile([{ paddr: 0x2000n, data: DATA }]));
    expect((await openImageFile(odd, ioOf())).segments[0]?.base).toBe(0x2000n);
    expect((await openImageFile(`${odd}@0x1_0000`, ioOf())).segments[0]?.base).toBe(0x1_2000n);
    expect((await cliError(() => openImageFile(`${odd}@home`, ioOf()))).message).toBe(
      `${odd}@home: no such file`,
    );
    expect((await cliError(() => openImageFile('@0x1000', ioOf()))).message).toBe('@0x1000: no such file');
  });

  test('takes stdin, gzip too', async () => {
    const text = '1000: 01 02\n1002: 03\n';
    const expected = [[0x1000n, Uint8Array.of(1, 2, 3)]];
    const image = await openImageFile('-', ioOf(text.slice(0, 9), Buffer.from(text.slice(9))));
    expect([image.source, contents(image)]).toEqual(['stdin', expected]);
    expect(contents(await openImageFile('-', ioOf(gzipSync(text))))).toEqual(expected);
    expect(contents(await openImageFile('-@0x100', ioOf(gzipSync(DATA))))).toEqual([[0x100n, DATA]]);
    expect(contents(await openImageFile(`${tempFile('a.gz', gzipSync(DATA))}@0x100`, ioOf()))).toEqual([
      [0x100n, DATA],
    ]);
  });

  test('refuses more than 256 MiB of stdin', async () => {
    const chunk = new Uint8Array(64 << 20);
    const error = await cliError(() => openImageFile('-', ioOf(chunk, chunk, chunk, chunk, '\0')));
    expect([error.message, error.hint]).toEqual([
      'stdin: more than 256.0 MiB',
      'give a file instead: only the needed parts of a file are read',
    ]);
  });

  test('says which file is no image, with a hint', async () => {
    const raw = tempFile('ram.bin', DATA);
    const error = await rejected(openImageFile(raw, ioOf()));
    expect([error.message, error.hint]).toEqual([
      `${raw}: raw memory does not say where it belongs`,
      'give the PA of its first byte, as in FILE@0x4000_0000; or name the format, if it is not raw memory',
    ]);
    const cut = await rejected(openImageFile(tempFile('a.gz', gzipSync(DATA).subarray(0, 20)), ioOf()));
    expect(cut.hint).toContain('gzip -t');
    expect((await cliError(() => openImageFile('-', ioOf()))).message).toBe('stdin: empty');
  });

  test('opens a dump of which nothing is kept', async () => {
    const file = tempFile('dump', kdumpFile([{ page: 4, data: pattern(4096) }]));
    expect(imageMemory([await openImageFile(file, ioOf())]).read32(0x4000n)).toBe(0x342d_261f);
  });
});
