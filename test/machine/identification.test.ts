/** What a PE says of itself, and what its registers show: identification values and bits that are RES0 without a feature. */
import { describe, expect, test } from 'vitest';
import { describeRegime } from '../../src/describe/index.ts';
import { cpuOf } from '../../src/machine/machine.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { cpuFeatures, featuresBeyond } from '../../src/walker/cpu.ts';
import { createWalker } from '../../src/walker/index.ts';

/** QEMU 11.1's `-cpu max`, at run time. */
const MAX = {
  ID_AA64MMFR0_EL1: 0x2100_0323_1020_1126n,
  ID_AA64MMFR1_EL1: 0x11_0112_0103_1212_2n,
  ID_AA64MMFR3_EL1: 0x1000_0000_1100_1111n,
  ID_AA64MMFR4_EL1: 0x100n,
};
const of = (identification: Record<string, bigint>, more: object = {}) =>
  cpuFeatures(cpuOf({ cpu: { identification, ...more } }));

describe('identification registers', () => {
  test('take the place of what the model has', () => {
    expect(of(MAX)).toMatchObject({
      paBits: 52,
      lpa: true,
      lpa2: true,
      hafdbs: true,
      haft: false,
      pan3: true,
      hpds: true,
      s1pie: true,
      s2pie: true,
      s1poe: false,
      s2poe: false,
      aie: true,
      asid2: true,
    });
    expect(of({ ID_AA64MMFR3_EL1: 0n })).toMatchObject({ s1pie: false, aie: false, s2pie: false });
    expect(of({ ID_AA64MMFR3_EL1: 0x1_0000n })).toMatchObject({ s1poe: true, s2poe: false });
    expect(of({ ID_AA64MMFR1_EL1: 3n })).toMatchObject({ hafdbs: true, haft: true, pan: false });
    expect(of({ ID_AA64MMFR0_EL1: 0x4n })).toMatchObject({ paBits: 44, lpa: false, lpa2: false });
    expect(of({ ID_AA64PFR1_EL1: 0x0009_1000_0000_0201n })).toMatchObject({
      the: true,
      gcs: true,
      mte: true,
      bti: true,
    });
    const rme = (value: bigint) => of({ ID_AA64PFR0_EL1: value << 52n });
    expect(rme(0n)).toMatchObject({ rme: false, rmeGpc2: false });
    expect(rme(1n)).toMatchObject({ rme: true, rmeGpc2: false, rmeGpc3: false, sel2: false });
    expect(rme(2n)).toMatchObject({ rme: true, rmeGpc2: true, rmeGpc3: false });
    expect(rme(3n)).toMatchObject({ rme: true, rmeGpc2: true, rmeGpc3: true });
    expect(of({ ID_AA64MMFR4_EL1: 0x1000_0000n })).toMatchObject({ rmeGdi: true, asid2: false });
    expect(of({ ID_AA64PFR2_EL1: 1n })).toMatchObject({ mtePerm: true });
  });

  test('PA bits and features that are asked for come first', () => {
    expect(of({ ID_AA64MMFR0_EL1: 4n }, { paBits: 40 }).paBits).toBe(40);
    expect(of({ ID_AA64MMFR3_EL1: 0n }, { features: ['FEAT_S1PIE'] }).s1pie).toBe(true);
  });
});

describe('registers that show a feature', () => {
  const shown = (registers: Record<string, bigint>, cpu?: object) =>
    cpuFeatures(cpuOf({ registers, ...(cpu && { cpu }) }));

  test('a bit that is RES0 without it is set', () => {
    expect(shown({ tcr2: 0x8n })).toMatchObject({ s1poe: true, haft: false, the: false });
    expect(shown({ tcr2: 0x801n })).toMatchObject({ s1poe: false, haft: true, the: true });
    expect(shown({ vtcr: 1n << 37n })).toMatchObject({ s2poe: true });
    expect(shown({ vtcr: 1n << 34n })).toMatchObject({ the: true });
  });

  test('not of a model that is known by name, nor beside identification registers', () => {
    expect(shown({ tcr2: 0x8n }, { model: 'cortex-a76' }).s1poe).toBe(false);
    expect(shown({ tcr2: 0x8n }, { identification: { ID_AA64MMFR3_EL1: 0n } }).s1poe).toBe(false);
    expect(shown({ tcr2: 0x8n }, { model: 'max' }).s1poe).toBe(true);
  });
});

test('each feature beyond a model has one name', () => {
  expect(featuresBeyond('max', cpuFeatures('max'))).toEqual([]);
  const more = cpuFeatures({ model: 'max', s1poe: true, the: true, xs: true });
  expect(featuresBeyond('max', more)).toEqual(['FEAT_XS', 'FEAT_S1POE', 'FEAT_THE']);
  expect(featuresBeyond('cortex-a76', cpuFeatures({ model: 'cortex-a76', nv: true }))).toEqual(['FEAT_NV']);
});

describe('granules of ID_AA64MMFR0_EL1', () => {
  test.each<[string, bigint, readonly number[], readonly number[], boolean]>([
    ['all, stage 2 as stage 1', 0x10_0005n, [12, 14, 16], [12, 14, 16], false],
    ['no 16K', 0x5n, [12, 16], [12, 16], false],
    ['no 4K and no 64K', 0xff10_0005n, [14], [14], false],
    ['16K at stage 2 alone', 0x2_0000_0005n, [12, 16], [12, 14, 16], false],
    ['64K at stage 1 alone', 0x10_0010_0005n, [12, 14, 16], [12, 14], false],
    ['4K at stage 2 with 52 bits', 0x300_0000_0005n, [12, 16], [12, 16], true],
  ])('%s', (_, ID_AA64MMFR0_EL1, granules1, granules2, lpa2) => {
    expect(of({ ID_AA64MMFR0_EL1 })).toMatchObject({ granules1, granules2, lpa2 });
  });

  test('a walk with a granule that is not there takes one that is, which is told', () => {
    // No 16K. TCR_EL1: T0SZ 25, TG0 16K, EPD1, IPS 44 bits. As tables of 4K the entry at 0 is a block of level 1.
    const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x1_0000n });
    memory.write64(0x4000_0000n, 0x8000_0701n);
    const registers = { ttbr0: 0x4000_0000n, tcr: 0x4_0080_8019n, mair: 0xffn, sctlr: 1n };
    const walked = (mmfr0: bigint) => {
      const cpu = of({ ID_AA64MMFR0_EL1: mmfr0 });
      return createWalker(memory, { regime: 'el1&0', registers, cpu }).walk(0x1234n, { access: 'read' });
    };
    expect(walked(0x4n)).toMatchObject({ ok: true, pa: 0x8000_1234n, level: 1 });
    expect(walked(0x10_0004n)).toMatchObject({ ok: false });
    const { stages } = describeRegime('el1&0', registers, of({ ID_AA64MMFR0_EL1: 4n }));
    expect(stages.flatMap(({ ranges }) => ranges.flatMap(({ problems }) => problems))).toContainEqual(
      expect.objectContaining({ value: 2n, rule: expect.stringMatching(/no granule of 16K .* has 4K, 64K/) }),
    );
  });
});
