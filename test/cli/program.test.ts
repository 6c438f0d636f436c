import { expect, test } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { lpae } from './run.ts';

const ESCAPE = '\u001b[';

test('without a command, the help goes to stderr and the exit code is 2', async () => {
  const { code, out, err } = await lpae([]);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toContain('Usage: lpae COMMAND [options]');
});

test.each(['map', 'walk', 'dump', 'decode', 'check', 'replay', 'formats'])(
  '%s --help has examples',
  async (name) => {
    const { code, out } = await lpae([name, '--help']);
    expect(code).toBe(0);
    expect(out).toContain(`Usage: lpae ${name}`);
    expect(out).toContain(`$ lpae ${name}`);
    expect(out).toContain('--json');
  },
);

test('lpae --help lists every command and the exit codes', async () => {
  const { code, out } = await lpae(['--help']);
  expect(code).toBe(0);
  for (const name of ['map', 'walk', 'dump', 'decode', 'check', 'replay', 'formats']) {
    expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
  }
  expect(out).toContain('Exit codes: 0 yes, 1 a negative answer');
});

test('--version is the package version', async () => {
  expect(await lpae(['--version'])).toEqual({ code: 0, out: '0.2.0\n', err: '' });
});

test.each([
  [['wlk'], "lpae: unknown command 'wlk'\n(Did you mean walk?)"],
  [['walk', '--acess'], "lpae: unknown option '--acess'\n(Did you mean --access?)"],
  [['walk'], "lpae: missing required argument 'file'"],
  [['walk', 'x', '0', '--access', 'fly'], 'Allowed choices are read, write, execute.'],
  [['formats', '--color=mauve'], 'Allowed choices are auto, always, never.'],
])('wrong usage: %j', async (args, message) => {
  const { code, out, err } = await lpae(args);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toContain(message);
});

test('a file that is not there is one line and exit code 3', async () => {
  expect(await lpae(['walk', '/nowhere/x.json', '0'])).toEqual({
    code: 3,
    out: '',
    err: 'lpae: /nowhere/x.json: no such file\n',
  });
});

test('an unexpected error is a short message; LPAE_DEBUG=1 adds the stack', async () => {
  async function* stdin(): AsyncGenerator<string> {
    yield await Promise.reject(new Error('the disk is on fire'));
  }
  const said = async (env: Record<string, string>) => {
    let err = '';
    const sink = { write: (text: string) => (err += text) };
    return { code: await run(['map', '-'], { stdout: sink, stderr: sink, stdin: stdin(), env }), err };
  };
  expect(await said({})).toEqual({
    code: 3,
    err: 'lpae: internal error: the disk is on fire\n      this is a bug in lpae, not a mistake in your input; LPAE_DEBUG=1 shows where\n',
  });
  expect((await said({ LPAE_DEBUG: '1' })).err).toContain('    at ');
});

test('colours: on a terminal or when asked, not in a pipe, not with NO_COLOR', async () => {
  const colours = async (args: string[], options = {}) =>
    (await lpae(['formats', ...args], options)).out.includes(ESCAPE);
  expect(await colours([])).toBe(false);
  expect(await colours([], { tty: true })).toBe(true);
  expect(await colours([], { tty: true, env: { NO_COLOR: '1' } })).toBe(false);
  expect(await colours([], { tty: true, env: { TERM: 'dumb' } })).toBe(false);
  expect(await colours(['--color=never'], { tty: true })).toBe(false);
  expect(await colours(['--color=always'], { env: { NO_COLOR: '1' } })).toBe(true);
  expect(await colours(['--color=always', '--json'])).toBe(false);
});

test('errors have colours only on a terminal', async () => {
  expect((await lpae(['dump', '/nowhere'], { tty: true })).err).toContain(ESCAPE);
  expect((await lpae(['dump', '/nowhere'], { tty: true, env: { NO_COLOR: '1' } })).err).not.toContain(ESCAPE);
});

test('formats', async () => {
  const { code, out } = await lpae(['formats']);
  expect(code).toBe(0);
  // How wide the columns are depends on every format there is.
  expect(out.replace(/ +/g, ' ')).toContain(
    [
      'arm_64_lpae_s1 AArch64 stage 1, long descriptors',
      ' features contiguous lpa2 access_flag dirty_state s1pie s1poe aie haft',
      ' granule leaves input output levels',
      ' 4K 4K 2M 1G 48 bits 48 bits 0 to 3',
      ' 16K 16K 32M 48 bits 48 bits 0 to 3',
      ' 64K 64K 512M 4T 52 bits 52 bits 1 to 3',
    ].join('\n'),
  );
});
