/** SMMUs by name: their identification registers as literal words, and what follows from them. */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { smmuFeatures } from '../../src/smmu/features.ts';
import { outcomeText, SMMU_PRESETS, SmmuDevice } from '../../src/smmu/index.ts';
import { parseSmmuTrace, SmmuTraceError } from '../../src/trace/index.ts';

describe('presets', () => {
  test.each([
    ['qemu-7.2', [0xd40_101an, 0x273_0010n, 0x1404n, 0x74n, 1n, 0n]],
    ['qemu-11.1', [0xd44_101bn, 0x273_0010n, 0x1414n, 0x74n, 1n, 0x1000n]],
    ['mmu-600-agilex-5', [0x080f_7e3fn, 0x0e73_9d18n, 0x3cn, 0x0040_0075n, 1n, 0n]],
    ['all', [0x080f_36dfn, 0x0e73_9d20n, 0x00fe_373cn, 0x0100_04f6n, 4n, 0n]],
  ] as const)('%s', (name, words) => {
    const { idr0, idr1, idr3, idr5, aidr, gbpa } = SMMU_PRESETS[name];
    expect([idr0, idr1, idr3, idr5, aidr, gbpa]).toEqual(words);
  });

  test('what they have', () => {
    const has = Object.entries(SMMU_PRESETS).map(([name, registers]) => {
      const { stage2, aarch32, ats, httu, stallModel, ssidSize, sidSize, oas, cpu } = smmuFeatures(registers);
      return [name, stage2, aarch32, ats, httu, stallModel, ssidSize, sidSize, oas, cpu.lpa2];
    });
    expect(has).toEqual([
      ['qemu-7.2', false, false, false, 0, 1, 0, 16, 44, false],
      ['qemu-11.1', true, false, false, 0, 1, 0, 16, 44, false],
      ['mmu-600-agilex-5', true, true, true, 0, 0, 20, 24, 48, false],
      ['all', true, true, true, 3, 0, 20, 32, 52, true],
    ]);
  });

  test.each(Object.keys(SMMU_PRESETS) as (keyof typeof SMMU_PRESETS)[])('%s is a device', (name) => {
    const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x1000n });
    const smmu = new SmmuDevice(memory, SMMU_PRESETS[name]);
    expect(smmu.mmioRead('IDR0')).toBe(SMMU_PRESETS[name].idr0);
    expect(smmu.mmioRead('GBPA')).toBe(SMMU_PRESETS[name].gbpa);
    memory.write64(0x4000_0040n, 9n); // STE 1: bypass
    smmu.mmioWrite('STRTAB_BASE', 0x4000_0000n);
    smmu.mmioWrite('STRTAB_BASE_CFG', 1n);
    smmu.mmioWrite('CR0', 1n);
    const { answers } = smmu.access({ streamId: 1, ia: 0x1234n, access: 'read' });
    expect(answers.map(({ outcome }) => outcomeText(outcome))).toEqual(['pa 0x1234']);
  });
});

describe("a trace's preset", () => {
  const trace = (machine: object) => ({
    schema: 'pgtable-trace/1',
    kind: 'smmuv3',
    name: 'made here',
    machine: { ram: { base: '0x40000000', size: '0x1000' }, ...machine },
    steps: [],
  });

  test('gives the registers that the trace does not', () => {
    const { machine } = parseSmmuTrace(trace({ preset: 'qemu-11.1', idr3: '0x1404', gbpa: '0x0' }));
    const { idr0, idr1, idr3, idr5, aidr, gbpa } = machine;
    expect([idr0, idr1, idr3, idr5, aidr, gbpa]).toEqual([0xd44_101bn, 0x273_0010n, 0x1404n, 0x74n, 1n, 0n]);
    expect(machine).not.toHaveProperty('preset');
  });

  test('without one all are needed', () => {
    const { idr5: _, ...rest } = { idr0: '0x1', idr1: '0x1', idr3: '0x1', idr5: '0x1', aidr: '0x1' };
    expect(() => parseSmmuTrace(trace(rest))).toThrow(
      new SmmuTraceError(
        'machine.idr5 is missing: give it, or a preset, one of qemu-7.2, qemu-11.1, mmu-600-agilex-5, all',
      ),
    );
    expect(() => parseSmmuTrace(trace({ preset: 'qemu-11' }))).toThrow(/preset.*qemu-11\.1/);
  });
});
