/** `lpae explore` on the command line: what it refuses before anything is served. */
import { describe, expect, test } from 'vitest';
import { linkOfRequest } from '../../src/cli/run/explorer-link.ts';
import { requestOf } from '../../src/explore/command.ts';
import { PRESETS, REQUESTS } from '../../src/explore/presets.ts';
import { stateOf } from '../../src/explore/share.ts';
import { lpae, lpaeJson, tempFile } from './run.ts';

test('the page alone is written: a request goes into a link', async () => {
  const { code, err } = await lpae(['explore', 'request.json', '--write', 'explorer.html']);
  expect(code).toBe(2);
  expect(err).toContain('--write writes only the page');
});

test('a file that is there is not overwritten', async () => {
  const { code, err } = await lpae(['explore', '--write', 'package.json']);
  expect(code).toBe(2);
  expect(err).toContain('package.json already exists');
});

test('a request that the playground can ask is its question, another one is shown itself', () => {
  const [{ playground }] = PRESETS as [(typeof PRESETS)[0]];
  const asked = stateOf(linkOfRequest(requestOf(playground), 'a request'));
  expect(asked).toEqual({ playground, view: 'map', flips: [] });
  const [{ request }] = REQUESTS as [(typeof REQUESTS)[0]];
  const {
    request: text,
    view,
    step,
  } = stateOf(linkOfRequest(request, 'a request', { view: 'time', step: 2 }));
  expect(JSON.parse(text!)).toEqual(request);
  expect([view, step]).toEqual(['time', 2]);
});

test('a golden file of operations keeps what is asked, and where its tables are', () => {
  const golden = {
    schema: 'pgtable-golden/1',
    kind: 'ops',
    name: 'g',
    format: 'arm_32_lpae_s1',
    config: { pgsize_bitmap: '0x1000', ias: 32, oas: 40 },
    result: { pgsize_bitmap: '0x1000', registers: {} },
    ops: [{ op: 'unmap', iova: '0x0', size: '0x1000', ret: '0x0' }],
    tables: [{ pa: '0x40000000', level: 1, entries: {} }],
    translations: [],
  };
  expect(JSON.parse(stateOf(linkOfRequest(golden, 'g.json')).request!)).toEqual({
    name: 'g',
    format: 'arm_32_lpae_s1',
    config: golden.config,
    ops: golden.ops,
    ram: { base: '0x40000000', size: '0x40000000' },
  });
});

test('what is too long for a link, or makes no tables, is refused', () => {
  const request = { format: 'arm_64_lpae_s1', config: { pgsize_bitmap: '0x1000', ias: 48, oas: 48 } };
  const op = { op: 'unmap', iova: '0x0', size: '0x1000' };
  expect(() => linkOfRequest({ ...request, ops: Array(2000).fill(op) }, 'x')).toThrow(/too long for a link/);
  const bad = { ...request, config: { ...request.config, pgsize_bitmap: '0x8000' }, ops: [op] };
  expect(() => linkOfRequest(bad, 'x')).toThrow(/x: config: /);
});

test('what is no file is refused before anything is served', async () => {
  for (const [file, why] of [
    ['nowhere.bin', 'no such file'],
    ['fixtures', 'is no plain file'],
  ] as const) {
    const { code, err } = await lpae(['explore', file, 'package.json', '--no-open']);
    expect([file, code]).toEqual([file, 3]);
    expect(err).toContain(why);
  }
  expect((await lpae(['explore', '-', 'package.json'])).code).toBe(2);
});

describe('--link', () => {
  const linked = async (...args: string[]) => {
    const { code, out } = await lpae(args);
    expect(code).toBe(0);
    return stateOf(out.trim().replace(/^[^#]*#/, '#'));
  };

  test('of a map request: the playground, or the request, at the moment that the command is about', async () => {
    const [{ playground }] = PRESETS as [(typeof PRESETS)[0]];
    const question = tempFile('question.json', JSON.stringify(requestOf(playground)));
    expect(await linked('map', question, '--link')).toEqual({ playground, view: 'map', flips: [] });
    const request = tempFile('request.json', JSON.stringify(REQUESTS[0]!.request));
    expect(await linked('bbm', request, '--link')).toMatchObject({ view: 'time' });
    const { json } = await lpaeJson(['map', request, '--link']);
    expect(json.address).toContain('#v=1&request=');
  });

  test('is refused where the explorer shows nothing of it', async () => {
    const intent = await lpae(['map', '-', '--link'], {
      stdin: 'el1&0 granule 4K\n0x1000 4K rw -> 0x2000\n',
    });
    expect(intent.code).not.toBe(0);
    const trace = await lpae(['bbm', '-', '--link'], {
      stdin: '{ "granule": "4K", "ias": 39, "root": "0x40000000", "steps": [] }',
    });
    expect(trace.code).toBe(2);
    expect(trace.err).toContain('is a trace, and the explorer asks map requests');
  });
});
