/** Recipes of docs/recipes.md that need a compiler or QEMU. Where one is missing they are skipped, in CI they fail. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
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
