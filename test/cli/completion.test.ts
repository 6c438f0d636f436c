import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { lpae, tempFile } from './run.ts';

const OF_WALK = ['--access', '--registers', '--regime', '--cpu-number', '--sid', '--row'];

async function script(shell: string): Promise<string> {
  const { code, out, err } = await lpae(['completion', shell]);
  expect([code, err]).toEqual([0, '']);
  return out;
}

function has(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

describe('lpae completion', () => {
  test.each(['bash', 'zsh', 'fish'])('%s knows every command, option and choice', async (shell) => {
    const text = await script(shell);
    const { out: help } = await lpae(['--help']);
    const commands = [...help.matchAll(/^ {2}([a-z]+) (?:\[|<| )/gm)].map(([, name]) => name!);
    expect(commands.length).toBeGreaterThan(15);
    for (const name of commands.filter((one) => one !== 'help')) expect(text).toContain(name);
    for (const option of OF_WALK) expect(text).toContain(shell === 'fish' ? `-l ${option.slice(2)}` : option);
    expect(text).toContain('read write execute');
    expect(text).toContain('auto always never');
  });

  test.runIf(has('bash'))('bash completes', async () => {
    const file = tempFile('lpae.bash', await script('bash'));
    const complete = (...words: string[]) => {
      const list = ['lpae', ...words].map((word) => `'${word}'`).join(' ');
      const code = `source ${file}; COMP_WORDS=(${list}); COMP_CWORD=${words.length}; _lpae; echo "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', code], { encoding: 'utf8', cwd: 'fixtures' }).trim().split(' ');
    };
    expect(complete('wa')).toEqual(['walk']);
    expect(complete('walk', 'file', '--acc')).toEqual(['--access']);
    expect(complete('walk', 'file', '--access', '')).toEqual(['read', 'write', 'execute']);
    expect(complete('dump', '--color', 'a')).toEqual(['auto', 'always']);
    // An option of another command is none, and where no option is, there is a file.
    expect(complete('formats', '--acc')).toEqual(['']);
    expect(complete('walk', 'READ')).toEqual(['README.md']);
  });

  test.each(['zsh', 'fish'])('%s reads its script', async (shell) => {
    const file = tempFile(`lpae.${shell}`, await script(shell));
    // Where the shell is not installed, quotes are counted at least: an odd one would swallow the rest.
    if (has(shell)) expect(spawnSync(shell, ['-n', file]).status).toBe(0);
    const text = (await script(shell)).replaceAll("'\\''", '').replaceAll(/^#.*$/gm, '');
    for (const line of text.split('\n')) expect(line.split("'").length % 2).toBe(1);
  });

  test('of another shell is refused', async () => {
    const { code, err } = await lpae(['completion', 'tcsh']);
    expect([code, err.includes('Allowed choices are bash, zsh, fish.')]).toEqual([2, true]);
  });
});

describe('lpae man', () => {
  test('is a manual page with every command, option and exit code', async () => {
    const { code, out } = await lpae(['man']);
    expect(code).toBe(0);
    expect(out).toMatch(/^\.TH LPAE 1 "" "lpae \d+\.\d+\.\d+"/);
    for (const option of OF_WALK) expect(out).toContain(option.replaceAll('-', '\\-'));
    expect(out).toContain('.SS "lpae walk [options] <file> [address...]"');
    expect(out).toContain('Exit codes: 0 yes');
    // A line that begins with a dot or a quote would be a request.
    const requests = [...out.matchAll(/^[.'](\S*)/gm)].map(([, name]) => name);
    expect([...new Set(requests)].sort()).toEqual(['B', 'I', 'PP', 'RI', 'SH', 'SS', 'TH', 'TP', 'fi', 'nf']);
  });

  test.runIf(has('groff'))('says nothing that roff complains about', async () => {
    const { out } = await lpae(['man']);
    const { stdout, stderr, status } = spawnSync('groff', ['-man', '-ww', '-Tutf8'], {
      input: out,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Translate addresses as hardware does, step by step.');
  });
});
