/** A program that made tables in a buffer of its own, behind gdbserver. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lpae } from '../cli/run.ts';
import { freePort } from './live-machine.ts';

/** A level 1 table of 4 entries: a block, and a level 2 table with another block, whose address is that of PA 0x8000_1000. */
const PROGRAM = `
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
static _Alignas(4096) uint64_t tables[1024];
int main(void) {
  tables[0] = 0xc0000701;
  tables[1] = 0x80001003;
  tables[512 + 1] = 0x90000000 | 0x701;
  printf("%p\\n", (void *)tables);
  fflush(stdout);
  for (;;) pause();
}
`;

/** @throws Error where a program is missing and CI is set. */
function has(program: string): boolean {
  if (spawnSync(program, ['--version']).error === undefined) return true;
  if (process.env.CI)
    throw new Error(`CI must look at a program behind gdbserver, and there is no ${program}`);
  return false;
}

describe.runIf(has('cc') && has('gdbserver'))('a program behind gdbserver', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lpae-program-'));
  const children: ChildProcess[] = [];
  let gdb: string;
  let buffer: string;

  beforeAll(async () => {
    writeFileSync(join(folder, 'tables.c'), PROGRAM);
    execFileSync('cc', ['-O1', '-o', join(folder, 'tables'), join(folder, 'tables.c')]);
    const program = spawn(join(folder, 'tables'), { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(program);
    [buffer] = (await once(program.stdout, 'data')).map((text) => String(text).trim()) as [string];
    const port = await freePort();
    gdb = `gdb://127.0.0.1:${port}`;
    const server = spawn('gdbserver', ['--attach', `127.0.0.1:${port}`, `${program.pid}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(server);
    for (let said = ''; !said.includes('Listening on port'); )
      said += String((await once(server.stderr, 'data'))[0]);
  });
  afterAll(() => {
    for (const child of children.toReversed()) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const REGISTERS = ['--ttbr0', '0x8000_0000', '--tcr', '0x8080_3520', '--mair', '0xff'];

  test('is dumped from its buffer, once and again', async () => {
    for (let times = 0; times < 2; times++) {
      const { code, out } = await lpae(['dump', gdb, '--base', `${buffer}=0x8000_0000`, ...REGISTERS]);
      expect(code).toBe(0);
      expect(out).toMatch(/0x00000000-0x3fffffff +1G +-> 0xc0000000 +1G/);
      expect(out).toMatch(/0x40200000-0x403fffff +2M +-> 0x90000000 +2M/);
    }
  });

  test('needs to be told where that is', async () => {
    const { code, err } = await lpae(['dump', gdb, ...REGISTERS]);
    expect(code).toBe(3);
    expect(err).toContain('this stub has no physical-memory mode');
  });

  test('has no memory where it has none', async () => {
    const { code, out } = await lpae([
      'walk',
      gdb,
      '0x4020_0000',
      '--base',
      '0x1000=0x8000_0000',
      ...REGISTERS,
    ]);
    expect(code).toBe(1);
    expect(out).toContain('external abort');
  });
});
