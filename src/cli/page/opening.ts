/** What is opened, dropped or pasted is understood: a request is asked, an image is dumped, a log is read, a descriptor is decoded. */
import { addFile, beginningOf, runCommand, servedFiles } from './files.ts';
import { askRequest, change, problem } from './store.ts';
import type { OpenedFile } from './worker/messages.ts';

/** A request that is larger is not asked at once: its text stands in the page's address. */
const MOST_REQUEST = 1024 * 1024;
/** Text that is looked at to tell what a file is. */
const START = 4096;

const WORD = /^\s*0x[0-9a-f_]{3,20}\s*$/i;

/** Whether a JSON document is a map request or a golden file of operations. */
function isRequest(text: string): boolean {
  try {
    const json = JSON.parse(text) as Record<string, unknown> | null;
    const asks = ['ops', 'ranges', 'sg'].some((name) => name in (json ?? {}));
    return json !== null && 'format' in json && 'config' in json && asks && !('dma' in json);
  } catch {
    return false;
  }
}

const looksLikeText = (start: string) => !start.includes('\0') && !start.includes('\ufffd');
const looksLikeFault = (start: string) => /fault|abort|event 0x|ESR|FSR|Unable to handle/i.test(start);

/** Shows what a file is good for. */
export async function lookAt(file: OpenedFile): Promise<void> {
  const start = await beginningOf(file, START);
  if (/^\s*\{/.test(start) && file.size <= MOST_REQUEST) {
    const text = await beginningOf(file, MOST_REQUEST);
    if (isRequest(text)) {
      askRequest(text);
      return;
    }
  }
  change({ view: 'open' });
  if (/^\s*\{/.test(start)) runCommand(['dump', file.name]);
  else if (looksLikeText(start) && looksLikeFault(start)) await readLog(file);
}

/** A log is an argument of the command, not a file. */
async function readLog(file: OpenedFile): Promise<void> {
  runCommand(['fault', await beginningOf(file, MOST_REQUEST)]);
}

export async function openAll(list: Iterable<File>): Promise<void> {
  problem.value = undefined;
  const added = [...list].map((file) => addFile(file.name, file, file.size));
  const [first] = added;
  if (first !== undefined && added.length === 1) await lookAt(first);
  else if (added.length > 1) change({ view: 'open' });
}

function pasted(text: string): OpenedFile {
  const blob = new Blob([text]);
  return addFile('pasted.json', blob, blob.size);
}

/** What was pasted outside a field. */
export async function openText(text: string): Promise<void> {
  if (text.trim() === '') return;
  problem.value = undefined;
  if (WORD.test(text)) {
    change({ view: 'open' });
    runCommand(['decode', text.trim()]);
  } else if (isRequest(text)) askRequest(text);
  else if (/^\s*[{[]/.test(text)) await lookAt(pasted(text));
  else {
    change({ view: 'open' });
    runCommand(['fault', text]);
  }
}

/** Listens for files that are dropped and text that is pasted, wherever in the page; and asks the server for those it has. */
export function listen(): void {
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    void openAll(event.dataTransfer?.files ?? []);
  });
  document.addEventListener('paste', (event) => {
    const { target } = event;
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return;
    event.preventDefault();
    if ((event.clipboardData?.files.length ?? 0) > 0) void openAll(event.clipboardData!.files);
    else void openText(event.clipboardData?.getData('text') ?? '');
  });
  void servedFiles().then((list) => {
    const [first] = list;
    if (first !== undefined && list.length === 1) return lookAt(first);
    if (first !== undefined) change({ view: 'open' });
    return undefined;
  });
}
