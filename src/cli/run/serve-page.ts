/** Serves one page from 127.0.0.1, and the files that were named beside it, to whoever knows the secret in its address, until SIGINT. */
import { randomBytes } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const HOST = '127.0.0.1';
const HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
} as const;

export interface Served {
  readonly address: string;
  /** Done when the server has ended. */
  readonly closed: Promise<void>;
}

/**
 * Nothing is served but the page and these files: `files` lists them, `files/0` is the first, whole or a range of it. (RFC 9110 14.)
 * @param page - HTML with a policy of its own, which lets it connect to nothing; served, it may ask where it came from.
 */
export async function servePage(page: string, files: readonly string[] = []): Promise<Served> {
  const path = `/${randomBytes(16).toString('hex')}/`;
  const html = page.replace("default-src 'none';", "default-src 'none'; connect-src 'self';");
  let host = '';
  const server = createServer((request, response) => {
    const within = request.url?.startsWith(path) ? request.url.slice(path.length) : undefined;
    const number = /^files\/(\d{1,6})$/.exec(within ?? '')?.[1];
    const file = number === undefined ? undefined : files[Number(number)];
    if (!isAllowed(request, host)) response.writeHead(403).end();
    else if (within !== '' && within !== 'files' && file === undefined) response.writeHead(404).end();
    else if (request.method !== 'GET' && request.method !== 'HEAD')
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    else if (file !== undefined) sendFile(file, request, response);
    else if (within === 'files') send(request, response, 'application/json', JSON.stringify(listOf(files)));
    else send(request, response, 'text/html; charset=utf-8', html);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, HOST, resolve);
  });
  host = `${HOST}:${(server.address() as AddressInfo).port}`;
  const closed = new Promise<void>((resolve) => {
    process.once('SIGINT', () => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  });
  return { address: `http://${host}${path}`, closed };
}

/** A page of another origin can make a browser ask by a name of its own, or with its Origin. */
function isAllowed({ headers }: IncomingMessage, host: string): boolean {
  return headers.host === host && (headers.origin === undefined || headers.origin === `http://${host}`);
}

function listOf(files: readonly string[]): readonly { name: string; size: number }[] {
  return files.map((name) => ({ name, size: statSync(name).size }));
}

function send(request: IncomingMessage, response: ServerResponse, type: string, text: string): void {
  response
    .writeHead(200, { ...HEADERS, 'content-type': type })
    .end(request.method === 'GET' ? text : undefined);
}

function sendFile(file: string, request: IncomingMessage, response: ServerResponse): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) {
    response.writeHead(404).end();
    return;
  }
  const range = rangeOf(request.headers.range, size);
  if (range === undefined) {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
    return;
  }
  const { first, last } = range;
  const whole = request.headers.range === undefined;
  response.writeHead(whole ? 200 : 206, {
    ...HEADERS,
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    'content-length': last - first + 1,
    ...(!whole && { 'content-range': `bytes ${first}-${last}/${size}` }),
  });
  if (request.method === 'HEAD' || last < first) response.end();
  else
    createReadStream(file, { start: first, end: last })
      .on('error', () => response.destroy())
      .pipe(response);
}

/** `bytes=first-last`, as the page asks. @returns undefined for what is no such range of the file. */
function rangeOf(header: string | undefined, size: number): { first: number; last: number } | undefined {
  if (header === undefined) return { first: 0, last: size - 1 };
  const [, from = '', to = ''] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header) ?? [];
  if (from === '') return undefined;
  const [first, last] = [Number(from), Math.min(Number(to), size - 1)];
  return first <= last ? { first, last } : undefined;
}
