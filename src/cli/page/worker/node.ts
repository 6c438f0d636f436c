/**
 * What the command line takes from Node, for a worker of the page: files are those that were opened, nothing can be written, and there is no
 * process. The page's build puts it in the place of every `node:` module.
 */
import { fileNamed, fileOf, handleOf, windowOf } from './files.ts';

class NoFile extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const statOf = (size: number) => ({ size, isFile: () => true, isDirectory: () => false });

export const existsSync = (path: string) => fileNamed(path) !== undefined;

export function openSync(path: string): number {
  const file = fileNamed(path);
  if (file === undefined) throw new NoFile('ENOENT');
  return handleOf(file);
}

export const fstatSync = (handle: number) => statOf(fileOf(handle).size);

export function statSync(path: string, { throwIfNoEntry = true } = {}) {
  const file = fileNamed(path);
  if (file !== undefined) return statOf(file.size);
  if (throwIfNoEntry) throw new NoFile('ENOENT');
  return undefined;
}

export function readSync(
  handle: number,
  into: Uint8Array,
  offset = 0,
  length = into.length,
  position = 0,
): number {
  const bytes = windowOf(fileOf(handle), position, length);
  into.set(bytes, offset);
  return bytes.length;
}

export function readFileSync(path: string): Uint8Array {
  const file = fileNamed(path);
  if (file === undefined) throw new NoFile('ENOENT');
  return windowOf(file, 0, file.size);
}

export const constants = { W_OK: 2 };

export function accessSync(): never {
  throw new NoFile('EROFS');
}
export const writeFileSync = accessSync;

export const basename = (path: string) => path.slice(path.lastIndexOf('/') + 1);
export const dirname = (path: string) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.');
export const join = (...parts: readonly string[]) => parts.join('/');

/** A page may use a few GB; what Node says of its own heap is not known. */
export const getHeapStatistics = () => ({ heap_size_limit: 2 ** 31 });
