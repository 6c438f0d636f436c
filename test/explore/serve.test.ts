/** The page is served to this machine, to whoever knows its address, and to no page of another origin. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

test('files that were named are served whole and in ranges, and no others', async () => {
  process.emit('SIGINT');
  await served.closed;
  const folder = mkdtempSync(join(tmpdir(), 'lpae-serve-'));
  const file = join(folder, 'a.bin');
  writeFileSync(file, '0123456789');
  served = await servePage("<!doctype html>default-src 'none'; script-src", [file]);
  address = new URL(served.address);
  const { pathname } = address;
  expect((await get(pathname)).body).toContain("connect-src 'self'");
  expect(JSON.parse((await get(`${pathname}files`)).body)).toEqual([{ name: file, size: 10 }]);
  expect(await get(`${pathname}files/0`)).toMatchObject({ status: 200, body: '0123456789' });
  const range = (value: string) => get(`${pathname}files/0`, { range: value });
  expect(await range('bytes=2-4')).toMatchObject({ status: 206, body: '234' });
  expect(await range('bytes=8-99')).toMatchObject({ status: 206, body: '89' });
  for (const wrong of ['bytes=10-11', 'bytes=4-2', 'bytes=-3', 'bytes=0-1,3-4', 'lines=1-2']) {
    expect([wrong, (await range(wrong)).status]).toEqual([wrong, 416]);
  }
  for (const path of ['files/1', 'files/', 'files/0/', 'files/..%2f0', 'files/00x']) {
    expect([path, (await get(`${pathname}${path}`)).status]).toEqual([path, 404]);
  }
  expect((await get(`${pathname}files/0`, { origin: 'http://evil.example' })).status).toBe(403);
  expect((await get(`/files/0`)).status).toBe(404);
  rmSync(folder, { recursive: true });
});
