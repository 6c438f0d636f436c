/** `lpae lint` on the command line: what it shows, which rules it takes, and its exit codes. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
  expect(out).toMatch(/0 errors, 5 warnings, 8 info in 5 tables\n$/);
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
    { rule: 'reserved-bits', severity: 'warning', first: '0x8000000', last: '0x3fffffff', count: 448 },
    { rule: 'reserved-bits' },
    { rule: 'reserved-bits' },
    { rule: 'writable-executable', severity: 'warning', first: '0x0', last: '0x7ffffff', count: 1 },
    { rule: 'writable-executable' },
  ]);
  const errors = await lpaeJson(['lint', UBOOT, '--severity', 'error']);
  expect([errors.code, errors.json.findings]).toEqual([0, []]);
});

test('several documents are several address spaces, and what they map together', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lpae-lint-'));
  const image = (name: string, block: string) => {
    const file = join(dir, `${name}.json`);
    const registers = { ttbr0: '0x80000000', tcr: '0x200802519', mair: '0xff', sctlr: '0x1' };
    const memory = [{ pa: '0x80000000', words64: { '8': block } }];
    const rest = { producer: 'by hand', regime: 'el1&0', cpu: { model: 'cortex-a57' }, translations: [] };
    const ram = { base: '0x80000000', size: '0x10000' };
    const document = { schema: 'pgtable-golden/1', kind: 'image', name, registers, memory, ram, ...rest };
    writeFileSync(file, JSON.stringify(document));
    return file;
  };
  // The same gigabyte: inner shareable here, outer shareable there.
  const files = [image('guest', '0x60000040000701'), image('host', '0x60000040000601')];
  const alias = ['--rule', 'alias-attributes'];
  const { code, out } = await lpae(['lint', ...files, ...alias]);
  expect(code).toBe(1);
  expect(out).toMatch(/^guest:\n0 errors, 0 warnings, 0 info in 1 table\nhost:\n0 errors/);
  expect(out.replace(/\s+/g, ' ')).toContain(
    'is Normal write-back, outer-shareable in host, and Normal write-back, inner-shareable at 0x40000000 in guest',
  );
  expect(out).toMatch(/0 errors, 1 warning, 0 info in 2 address spaces\n$/);
  const { json } = await lpaeJson(['lint', ...files, ...alias]);
  expect(json).toMatchObject({
    schema: 'lpae.lint-spaces/1',
    spaces: [{ name: 'guest', findings: [] }, { name: 'host' }],
    across: { findings: [{ rule: 'alias-attributes', first: '0x40000000', last: '0x7fffffff' }] },
  });
  expect((await lpae(['lint', files[0]!, files[0]!, ...alias])).code).toBe(0);
});

test('--rules lists them', async () => {
  const { code, out } = await lpae(['lint', '--rules']);
  expect(code).toBe(0);
  expect(out).toContain('contiguous-run  error  a contiguous run whose entries do not belong together\n');
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
