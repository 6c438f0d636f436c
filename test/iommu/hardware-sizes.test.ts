/** The sizes that a domain's register values carry, and what hardware of these sizes makes of the tables. */
import { describe, expect, test } from 'vitest';
import { arm32LpaeS2, arm64LpaeS1, arm64LpaeS2, armMaliLpae, armV7s } from '../../formats/index.ts';
import { obstaclesOf } from '../../src/describe/obstacles.ts';
import { createWalker } from '../../src/walker/index.ts';
import { configs } from '../support/configs.ts';
import { machine } from '../support/machine.ts';

const rw = { read: true, write: true };

test.each([
  [arm64LpaeS1, { pgsizeBitmap: 0x1000n, ias: 48, oas: 40 }, 40, 40],
  [arm64LpaeS1, { pgsizeBitmap: 0x1000n, ias: 48, oas: 52 }, 48, 48],
  [arm64LpaeS2, { pgsizeBitmap: 0x1_0000n, ias: 40, oas: 52 }, 52, 52],
  [armV7s, { pgsizeBitmap: 0x1000n, ias: 32, oas: 30 }, 30, 32],
  [armMaliLpae, { pgsizeBitmap: 0x1000n, ias: 48, oas: 40 }, 40, 40],
] as const)('%o with %o: outputs of %i bits, hardware of %i', (format, options, outputBits, paBits) => {
  const { hardware } = machine(format, options).domain.registers;
  expect([hardware.outputBits, hardware.cpu]).toEqual([outputBits, { paBits }]);
});

describe.each(configs)('$name', ({ format, options }) => {
  test('is walked by hardware of its own sizes, to the last address of output', () => {
    const m = machine(format, options);
    const { hardware } = m.domain.registers;
    expect(obstaclesOf(hardware)).toEqual([]);
    const { firstIova, oas, granuleLog2 } = m.domain.format;
    const page = 1n << BigInt(granuleLog2);
    const last = (1n << BigInt(oas)) - page;
    m.domain.map(firstIova, last, page, rw);
    const walk = createWalker(m.memory, hardware).walk(firstIova + 4n, { access: 'read' });
    expect(walk.ok && walk.pa).toBe(last + 4n);
  });
});

// PA size, granule, ias and concatenation: every row that Linux 6.12 or 7.3 accepts and such hardware does not.
test.each([
  [{ pgsizeBitmap: 0x4000n, ias: 40, oas: 40 }, 'SL0', /T0SZ 24 needs SL0 1 \(level 2\)/],
  [{ pgsizeBitmap: 0x1000n, ias: 44, oas: 42 }, 'T0SZ', /44 IPA bits are too many.* legal here: 22 to 48/],
  [{ pgsizeBitmap: 0x1000n, ias: 48, oas: 40 }, 'T0SZ', /48 IPA bits are too many.* legal here: 24 to 48/],
  [{ pgsizeBitmap: 0x1000n, ias: 48, oas: 36, linux: '7.3' }, 'T0SZ', /48 IPA bits are too many/],
] as const)(
  '%o is walked by no hardware of that size, which is said of VTCR_EL2.%s',
  (options, field, rule) => {
    const m = machine(arm64LpaeS2, options);
    const { hardware } = m.domain.registers;
    const problems = obstaclesOf(hardware);
    expect(problems.map((one) => one.field)).toEqual([`VTCR_EL2.${field}`]);
    expect(problems[0]!.rule).toMatch(rule);
    m.domain.map(0n, 0x1000_0000n, 0x4000n, rw);
    const { regime, registers } = hardware;
    expect(createWalker(m.memory, hardware).walk(0n)).toMatchObject({
      ok: false,
      fault: { kind: 'translation', level: 0 },
    });
    expect(createWalker(m.memory, { regime, registers }).walk(0n).ok).toBe(true);
  },
);

test('an AArch32 stage 2 takes 40 bits of IPA whatever a PA has', () => {
  const options = { pgsizeBitmap: 0x1000n, ias: 40, oas: 32 };
  expect(obstaclesOf(machine(arm32LpaeS2, options).domain.registers.hardware)).toEqual([]);
  // 7.3 starts at level 0, which AArch32 does not have.
  const newer = machine(arm32LpaeS2, { ...options, linux: '7.3' }).domain.registers.hardware;
  expect(newer.regime).toBe('el1&0-s2');
  expect(obstaclesOf(newer).length).toBe(1);
});
