/** The lint of tables that are not Arm's: its words and sources are those of their own architecture. (RISC-V Privileged Architecture 1.13.) */
import { describe, expect, test } from 'vitest';
import { lint, RULES, ruleIn } from '../../src/lint/index.ts';
import { createMachine } from '../../src/machine/machine.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { listSpace } from '../../src/space/space.ts';
import { lpae, lpaeJson, tempFile } from '../cli/run.ts';

/** Sv39 at 0x1000. U = 1 and execute-only, A = 0, W without R, and W R X of supervisor mode: each of 1 GiB. */
const LEAVES = [0x59n, 0x07n, 0xc5n, 0xcfn];
const memory = new PhysicalMemory({ base: 0x1000n, size: 0x1000n });
for (const [i, word] of LEAVES.entries()) memory.write64(0x1000n + 8n * BigInt(i), word);

test('every rule has a source, and for RISC-V none of them is of Arm', () => {
  for (const { name } of RULES) {
    if (name.startsWith('gp') || name.startsWith('granule')) continue;
    const { summary, why, reference } = ruleIn(name, 'riscv');
    expect(reference).toMatch(/^RISC-V Privileged Architecture 1\.13, "/);
    // About what RISC-V does not have.
    if (/^(block|contiguous|reserved|misaligned|unused|walk|overlay)/.test(name)) continue;
    expect(`${name}: ${summary} ${why}`).not.toMatch(/\b(EL\d|AF|UXN|TCR|VTCR|SMMU|stage 2|shareability)\b/);
    expect(ruleIn(name, 'mali').reference).toContain('ARM_MALI_LPAE');
    expect(ruleIn(name, 'el1&0').reference).toMatch(/DDI 0487/);
  }
});

test('of a Mali GPU a rule speaks of jobs and the exception types of AS_FAULTSTATUS, not of exception levels', () => {
  const words = RULES.filter(({ name }) => !/^(gp|granule)/.test(name)).map(({ name }) => {
    const { summary, why } = ruleIn(name, 'mali');
    return { name, says: `${summary} ${why}` };
  });
  const says = (name: string) => words.find((one) => one.name === name)?.says;
  expect(says('illegal-block')).toContain('TRANSLATION_FAULT');
  expect(says('outside-ram')).toContain('TRANSTAB_BUS_FAULT');
  // Rules about what a Mali does not have find nothing there: runs, nT, access flags, RES0, a second range, indirect permissions.
  const own = words.filter(
    ({ name }) =>
      !/^(block|contiguous|reserved|unused|walk|overlay|no-access|access-flag|execute)/.test(name) &&
      !/^register/.test(name),
  );
  for (const { name, says: text } of own)
    expect(`${name}: ${text}`).not.toMatch(
      /\b(EL\d|AF|UXN|PXN|TCR|VTCR|SMMU|stage 2|FEAT_\w+|[Uu]nprivileged)\b/,
    );
});

test('findings name the bits of its entries', () => {
  const translator = createMachine({ memory, regime: 'riscv', registers: { ttbr0: (8n << 60n) | 1n } })();
  const { findings } = lint({ translator, ranges: listSpace(translator).ranges });
  const of = (name: string) => findings.find(({ rule }) => rule === name)?.message;
  expect(of('illegal-block')).toBe('V = 1, but reserved: W without R, at level 1');
  expect(of('access-flag')).toBe('A is 0');
  expect(of('execute-unreadable')).toContain('executable but not readable');
});

describe('lpae', () => {
  const words = LEAVES.map((word) => word.toString(16).padStart(16, '0')).join(' ');
  const file = tempFile('words.txt', `1000: ${words}\n`);
  const hart = [file, '--regime', 'riscv', '--ttbr0', '0x8000000000000001'];

  test('lint cites the Privileged Architecture', async () => {
    const { out } = await lpae(['lint', ...hart]);
    expect(out).toContain('a leaf with A = 0, which hardware does not set (Svade)');
    expect(out).not.toContain('DDI 0487');
  });

  test('walk --json has no PAR and no ESR, for there are none', async () => {
    const { json } = await lpaeJson(['walk', ...hart, '0', '0xc000_0000', '--access', 'write']);
    const [denied, written] = json.walks as Record<string, unknown>[];
    expect(denied).toMatchObject({
      scause: 15,
      fault: { denied: [{ by: 'W', stage: 1, level: 1, value: 0, text: 'W = 0 at level 1' }] },
    });
    for (const walk of [denied, written])
      for (const name of ['par', 'esr', 'hpfar']) expect(walk).not.toHaveProperty(name);
  });
});
