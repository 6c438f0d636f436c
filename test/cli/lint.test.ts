/** `lpae lint` on the command line: what it shows, which rules it takes, and its exit codes. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lpae, lpaeJson } from './run.ts';

const REAL = join(import.meta.dirname, '../../fixtures/real');
const UBOOT = join(REAL, 'uboot-arm64-el2.json');

test('findings by rule, with why and where it is written', async () => {
  const { code, out, err } = await lpae(['lint', UBOOT]);
  expect([code, err]).toEqual([1, '']);
  expect(out).toContain(
    'warning  writable-executable: memory that one privilege level may write and execute\n',
  );
  expect(out).toContain('  0x40000000-0x3fffffffff    writable and executable, privileged\n');
  expect(out).toContain('(DDI 0487 D8.4)');
  expect(out).toMatch(/0 errors, 2 warnings, 4 info in 5 tables\n$/);
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test('--rule, --severity: less, and the exit code is about what was asked', async () => {
  const info = await lpaeJson(['lint', UBOOT, '--rule', 'table-writable,empty-table']);
  expect(info.code).toBe(0);
  expect((info.json.findings as { rule: string }[]).map(({ rule }) => rule)).toEqual(
    Array(4).fill('table-writable'),
  );
  const warnings = await lpaeJson(['lint', UBOOT, '--severity', 'warning']);
  expect(warnings.code).toBe(1);
  expect(warnings.json.findings).toMatchObject([
    { rule: 'writable-executable', severity: 'warning', first: '0x0', last: '0x7ffffff', count: 1 },
    { rule: 'writable-executable' },
  ]);
  const errors = await lpaeJson(['lint', UBOOT, '--severity', 'error']);
  expect([errors.code, errors.json.findings]).toEqual([0, []]);
});

test('--rules lists them', async () => {
  const { code, out } = await lpae(['lint', '--rules']);
  expect(code).toBe(0);
  expect(out).toContain('contiguous-run  error  a contiguous run that does not keep its promise\n');
  const { json } = await lpaeJson(['lint', '--rules', '--severity', 'error']);
  expect((json.rules as { severity: string }[]).every(({ severity }) => severity === 'error')).toBe(true);
});

test.each([
  [['lint', UBOOT, '--rule', 'typo'], "no rule is named 'typo'"],
  [['lint'], "missing required argument 'file'"],
])('%j', async (args, message) => {
  const { code, err } = await lpae(args);
  expect(code).toBe(2);
  expect(err).toContain(message);
});
