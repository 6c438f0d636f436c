/** The files that were opened in the page, and command lines that its worker runs over them. */
import { signal } from '@preact/signals';
import type { Asked, OpenedFile, Told } from './worker/messages.ts';

export const files = signal<readonly OpenedFile[]>([]);

/** What a command line came to, or how far it is. */
export interface Ran {
  readonly argv: readonly string[];
  readonly state: 'running' | 'done' | 'cancelled';
  readonly progress: string;
  readonly code?: number;
  readonly out: string;
  readonly err: string;
  /** From the question to the answer. */
  readonly milliseconds?: number;
}

export const ran = signal<Ran | undefined>(undefined);

let worker: Worker | undefined;
let asked = 0;

/** The page's own script is the worker's too, so that the page has it once. */
function startWorker(): Worker {
  const text = document.querySelector('script[type=module]')!.textContent!;
  // It imports nothing. A page from disk may not start modules.
  const url = URL.createObjectURL(new Blob(['"use strict";', text], { type: 'text/javascript' }));
  return new Worker(url);
}

/** Runs one, in place of the one that runs. */
export function runCommand(argv: readonly string[]): void {
  if (ran.peek()?.state === 'running') endWorker();
  worker ??= startWorker();
  const id = ++asked;
  const from = performance.now();
  ran.value = { argv, state: 'running', progress: '', out: '', err: '' };
  worker.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data.id !== id || ran.value === undefined) return;
    if ('progress' in data) ran.value = { ...ran.value, progress: data.progress };
    else {
      const { code, out, err } = data;
      ran.value = {
        argv,
        state: 'done',
        progress: '',
        code,
        out,
        err,
        milliseconds: performance.now() - from,
      };
    }
  };
  worker.onerror = ({ message }) => {
    ran.value = {
      argv,
      state: 'done',
      progress: '',
      code: 3,
      out: '',
      err: message ?? 'the worker could not be started',
    };
    endWorker();
  };
  const question: Asked = { id, argv, files: files.value };
  worker.postMessage(question);
}

export function cancel(): void {
  if (ran.value?.state !== 'running') return;
  ran.value = { ...ran.value, state: 'cancelled' };
  endWorker();
}

function endWorker(): void {
  worker?.terminate();
  worker = undefined;
}

/** Adds a file under its name, or one like it that is free. */
export function addFile(name: string, source: OpenedFile['source'], size: number): OpenedFile {
  const plain = name.replaceAll('@', '_');
  let free = plain;
  for (let i = 2; files.value.some((file) => file.name === free); i++) free = `${i}-${plain}`;
  const file = { name: free, source, size };
  files.value = [...files.value, file];
  // It is ready by the time that something is asked.
  worker ??= startWorker();
  return file;
}

export function removeFile(name: string): void {
  files.value = files.value.filter((file) => file.name !== name);
}

/** The first part of a file as text. */
export async function beginningOf({ source, size }: OpenedFile, most: number): Promise<string> {
  const end = Math.min(size, most);
  if (source instanceof Blob) return source.slice(0, end).text();
  if (end === 0) return '';
  const answer = await fetch(source.url, { headers: { range: `bytes=0-${end - 1}` } });
  return answer.text();
}

/** Files that the server has beside the page. A page from disk has no server. */
export async function servedFiles(): Promise<readonly OpenedFile[]> {
  if (!window.location.protocol.startsWith('http')) return [];
  const base = new URL('files', window.location.href.replace(/#.*/, '')).href;
  const answer = await fetch(base);
  if (!answer.ok) return [];
  const list = (await answer.json()) as readonly { readonly name: string; readonly size: number }[];
  return list.map(({ name, size }, i) => addFile(name, { url: `${base}/${i}` }, size));
}

/** A command line as it is typed in a shell. */
export function shellText(argv: readonly string[]): string {
  return argv
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

/** Words of a line, with quotes as in a shell. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );
}
