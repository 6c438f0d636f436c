/** The files that were opened, read in windows and at once: only a worker can. (W3C File API 6.3, FileReaderSync; Fetch's ranges by XMLHttpRequest.) */
import type { OpenedFile } from './messages.ts';

/** Not among the types of a page, which has none. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

const files = new Map<string, OpenedFile>();
const open: OpenedFile[] = [];

export function setFiles(list: readonly OpenedFile[]): void {
  files.clear();
  for (const file of list) files.set(file.name, file);
  open.length = 0;
}

export function fileNamed(name: string): OpenedFile | undefined {
  return files.get(name);
}

/** A number for a file that was opened. */
export function handleOf(file: OpenedFile): number {
  return open.push(file) - 1;
}

export function fileOf(handle: number): OpenedFile {
  return open[handle]!;
}

/** The bytes of `[from, from + length)`, fewer where the file ends. @throws Error where the file can no longer be read. */
export function windowOf({ source, size }: OpenedFile, from: number, length: number): Uint8Array {
  const end = Math.min(size, from + length);
  if (end <= from) return new Uint8Array(0);
  if (source instanceof Blob)
    return new Uint8Array(new FileReaderSync().readAsArrayBuffer(source.slice(from, end)));
  const request = new XMLHttpRequest();
  request.open('GET', source.url, false);
  request.responseType = 'arraybuffer';
  request.setRequestHeader('range', `bytes=${from}-${end - 1}`);
  request.send();
  if (request.status !== 206) throw new Error(`the server answered ${request.status}`);
  return new Uint8Array(request.response as ArrayBuffer);
}
