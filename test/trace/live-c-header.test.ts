/** The C header that logs a trace, compiled and run: the example of docs/smmu-traces.md. Without a compiler it is skipped, in CI it fails. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseSmmuTraceText } from '../../src/trace/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const there = spawnSync('cc', ['--version']).status === 0;
if (!there && !process.env.CI) console.log('skipped: cc is not installed');

/** Compiles and runs a program that includes the header. */
function run(source: string, ...flags: string[]): { code: number | null; out: string } {
  const folder = mkdtempSync(join(tmpdir(), 'lpae-'));
  writeFileSync(join(folder, 'test.c'), source);
  const warnings = ['-Wall', '-Wextra', '-Werror', '-pedantic'];
  const built = spawnSync('cc', [...flags, ...warnings, '-I', join(ROOT, 'c'), '-o', 'test', 'test.c'], {
    cwd: folder,
  });
  expect(built.stderr.toString()).toBe('');
  const ran = spawnSync(join(folder, 'test'));
  return { code: ran.status, out: ran.stdout.toString() };
}

describe.skipIf(!there && !process.env.CI)('c/lpae_smmu_trace.h', () => {
  test('logs what the example of the docs does', () => {
    const page = readFileSync(join(ROOT, 'docs/smmu-traces.md'), 'utf8');
    const [, source = ''] = /^```c\n([\s\S]*?)^```/m.exec(page) ?? [];
    const { code, out } = run(source, '-std=c99');
    expect(code).toBe(0);
    const trace = parseSmmuTraceText(out);
    expect(trace).toMatchObject({
      name: 'my driver',
      machine: { base: 0x905_0000n, idr0: 0xd44_101bn, ram: { base: 0x4000_0000n, size: 0x100_0000n } },
      steps: [
        { kind: 'write64', pa: 0x4000_0040n, value: 9n },
        { kind: 'barrier' },
        { kind: 'mmio', register: 'CR0', value: 1n },
        { kind: 'read', register: 'CR0ACK', got: 1n },
        { kind: 'access', access: { sid: 1, iova: 0x1000n, rw: 'read', size: 4 } },
      ],
    });
    // One line is missing.
    expect(() => parseSmmuTraceText(out.replace('{"barrier": true}\n', ''))).toThrow(/lines are missing/);
  });

  test('refuses what can not be logged, and quotes names; as C++ too', () => {
    const source = `#include "lpae_smmu_trace.h"
int main(void)
{
	struct lpae_smmu_machine machine = { "a \\"b\\"\\n", 0, 0x1000, 0x1000, 1, 2, 3, 4, 5, 6 };
	struct lpae_smmu_trace trace;
	if (lpae_smmu_trace_begin(&trace, NULL, &machine) != -1) return 1;
	if (lpae_smmu_trace_begin(&trace, stdout, &machine)) return 2;
	if (lpae_smmu_trace_write64(&trace, 0x1004, 1) != -1) return 3;
	if (lpae_smmu_trace_mmio(&trace, "CMDQ_BASE[63:32]", 0xffffffff)) return 4;
	return lpae_smmu_trace_end(&trace);
}
`;
    for (const flags of [['-std=c99'], ['-x', 'c++']]) {
      const { code, out } = run(source, ...flags);
      expect(code).toBe(0);
      const { name, machine, steps } = parseSmmuTraceText(out);
      expect([name, machine.base, machine.gbpa]).toEqual(['a "b"\n', undefined, 6n]);
      expect(steps).toEqual([{ kind: 'mmio', register: 'CMDQ_BASE', half: 'high', value: 0xffff_ffffn }]);
    }
  });
});
