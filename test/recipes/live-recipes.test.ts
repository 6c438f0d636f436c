/** Recipes of docs/recipes.md that need a compiler or QEMU. Where one is missing they are skipped, in CI they fail. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/public-api.ts';
import { Recipe } from './recipe.ts';

const has = (program: string) => spawnSync(program, ['--version']).status === 0;
const UBOOT = '/usr/lib/u-boot/qemu_arm64/u-boot.bin';

/** Runs where the programs are, and in CI. */
function needs(what: string, there: boolean) {
  if (!there && !process.env.CI) console.log(`skipped: ${what} is not installed`);
  return describe.skipIf(!there && !process.env.CI);
}

needs('cc', has('cc'))('a C project', () => {
  test('is as meant; a builder with a mistake is not', () => {
    const recipe = new Recipe('A C project');
    expect(recipe.run()).toMatchObject({ code: 0, out: expect.stringContaining('yes: 3 ranges as meant') });
    expect(recipe.read('verify.xml')).toContain('tests="5" failures="0"');
    recipe.replace('table_test.c', '0x40004000, 0x8000, DATA', '0x40004000, 0x9000, CODE');
    const { code, out } = recipe.run();
    expect(code).toBe(1);
    expect(out).toContain('differs  rw-, not r-x');
    expect(out).toContain('mapped, and not named:\n  no  0x4000c000-0x4000cfff  4K');
  }, 120_000);
});

needs('cc', has('cc'))('changes of live tables in C', () => {
  const PACKAGE = { LPAE: ROOT };
  test('break before make is legal; without the break it is not', () => {
    const recipe = new Recipe('Changes of live tables in C');
    expect(recipe.run(PACKAGE)).toMatchObject({
      code: 0,
      out: expect.stringContaining('PE of level 0: legal'),
    });
    const { memory, steps } = JSON.parse(recipe.read('trace.json')) as Record<string, object[]>;
    expect(memory).toEqual([
      ['0x80000000', '0x80001003'],
      ['0x80001008', '0x40000040200705'],
    ]);
    expect(steps?.slice(511)).toEqual([
      { write: '0x80002ff8', value: '0x400000403ff707' },
      { write: '0x80001008', value: '0x0' },
      { barrier: 'dsb ishst' },
      { tlbi: 'vae1is', operand: '0x200' },
      { barrier: 'dsb ish' },
      { write: '0x80001008', value: '0x80002003' },
      { barrier: 'dsb ishst' },
    ]);
    recipe.replace('break_test.c', '\tlpae_trace_write(trace, entry, 0);\n', '');
    const { code, out } = recipe.run(PACKAGE);
    expect(code).toBe(1);
    expect(out).toContain('0x80001008');
  }, 120_000);

  test('nothing outside the buffer is written; C99 and C++ compile the header without a warning', () => {
    const recipe = new Recipe('Changes of live tables in C');
    recipe.write(
      'outside.c',
      `#include "lpae_trace.h"
int main(void)
{
	uint64_t words[4] = { 0, 5, 0, 0 };
	static struct lpae_registers registers;
	struct lpae_trace trace;
	registers.ttbr0 = 0x1000;
	if (lpae_trace_begin(&trace, stdout, words + 1, 16, 0x1004, &registers) != -1) return 1;
	if (lpae_trace_begin(&trace, stdout, words + 1, 16, 0x1000, &registers)) return 2;
	if (lpae_trace_write(&trace, words, 1) != -1 || lpae_trace_write(&trace, words + 3, 1) != -1) return 3;
	if (words[0] || words[3] || lpae_trace_write(&trace, words + 2, 7) || words[2] != 7) return 4;
	return lpae_trace_end(&trace);
}
`,
    );
    for (const compiler of ['cc -std=c99', 'c++ -x c++']) {
      const { code, out } = recipe.shell(
        `${compiler} -Wall -Wextra -Wpedantic -Werror -I '${ROOT}/c' -o outside outside.c\n./outside`,
      );
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        registers: { ttbr0: '0x1000' },
        memory: [['0x1000', '0x5']],
        steps: [{ write: '0x1008', value: '0x7' }],
      });
    }
  }, 120_000);
});

needs('rustc', has('rustc'))('a Rust project', () => {
  test('is as meant; a builder with a mistake is not', () => {
    const recipe = new Recipe('A Rust project');
    expect(recipe.run()).toMatchObject({
      code: 0,
      out: expect.stringContaining('test result: ok. 1 passed'),
    });
    recipe.replace('table_test.rs', '1 << 10 | 1 << 6', '1 << 6');
    const { code, out } = recipe.run();
    expect(code).not.toBe(0);
    expect(out).toContain('a leaf that no access reaches: access flag fault, stage 1, level 1');
  }, 120_000);
});

needs('QEMU, or U-Boot,', has('qemu-system-aarch64') && existsSync(UBOOT))('a running QEMU', () => {
  test('is as meant', () => {
    const recipe = new Recipe('A running QEMU');
    const PORT = String(20_000 + (process.pid % 20_000));
    expect(recipe.run({ PORT })).toMatchObject({
      code: 0,
      out: expect.stringContaining('yes: 5 ranges as meant'),
    });
  }, 180_000);
});
