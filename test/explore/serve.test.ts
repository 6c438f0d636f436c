/** The page is served to this machine, to whoever knows its address, and to no page of another origin. */
import { request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Served, servePage } from '../../src/cli/run/serve-page.ts';

let served: Served;
let address: URL;

beforeEach(async () => {
  served = await servePage('<!doctype html><p>here');
  address = new URL(served.address);
});
afterEach(async () => {
  process.emit('SIGINT');
  await served.closed;
});

function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const { hostname, port } = address;
  return new Promise<{ status: number; body: string; type: string | undefined }>((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode!, body, type: response.headers['content-type'] }),
      );
    });
    asked.on('error', reject).end();
  });
}

test('the address has a secret of 128 bits, on this machine alone', async () => {
  expect(served.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/$/);
  expect(await get(address.pathname)).toEqual({
    status: 200,
    body: '<!doctype html><p>here',
    type: 'text/html; charset=utf-8',
  });
});

test('nothing else is served', async () => {
  for (const path of [
    '/',
    `/${'0'.repeat(32)}/`,
    `${address.pathname}x`,
    '/../package.json',
    `${address.pathname}?a`,
  ]) {
    expect([path, (await get(path)).status]).toEqual([path, 404]);
  }
  expect((await get(address.pathname, {}, 'POST')).status).toBe(405);
  expect(await get(address.pathname, {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
});

test('a page of another origin, or one that found this by a name of its own, gets nothing', async () => {
  const { pathname, host, origin } = address;
  expect((await get(pathname, { host: 'evil.example' })).status).toBe(403);
  expect((await get(pathname, { origin: 'http://evil.example' })).status).toBe(403);
  expect((await get(pathname, { host: 'localhost' })).status).toBe(403);
  expect((await get(pathname, { host, origin })).status).toBe(200);
});
