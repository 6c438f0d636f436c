/** Serves one page from 127.0.0.1 to whoever knows the secret in its address, until SIGINT. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

const HOST = '127.0.0.1';
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
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

/** The page's own policy stands in it. Nothing but the page is served. */
export async function servePage(page: string): Promise<Served> {
  const path = `/${randomBytes(16).toString('hex')}/`;
  let host = '';
  const server = createServer((request, response) => {
    if (!isAllowed(request, host)) response.writeHead(403).end();
    else if (request.url !== path) response.writeHead(404).end();
    else if (request.method !== 'GET' && request.method !== 'HEAD')
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    else response.writeHead(200, HEADERS).end(request.method === 'GET' ? page : undefined);
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
