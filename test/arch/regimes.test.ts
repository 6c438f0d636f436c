/** Regimes as data: what people may call them, and that nothing else reads a regime's name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REGIMES } from '../../src/arch/regime-table.ts';
import { machineRegimes, regimeNamed, regimes, traitsOf } from '../../src/arch/regimes.ts';

const SOURCES = resolve(import.meta.dirname, '../../src');

describe('names that people type', () => {
  test.each([
    ['el1', 'el1&0'],
    ['EL1', 'el1&0'],
    ['el1&0', 'el1&0'],
    ['EL1&0', 'el1&0'],
    ['el10', 'el1&0'],
    ['el1-0', 'el1&0'],
    ['EL1_0', 'el1&0'],
    ['el2', 'el2'],
    ['EL2', 'el2'],
    ['el2-0', 'el2&0'],
    ['el20', 'el2&0'],
    ['VHE', 'el2&0'],
    ['el3', 'el3'],
    ['nested', 'el1&0-nested'],
    ['el10-nested', 'el1&0-nested'],
    ['el1-0-s2', 'el1&0-s2'],
    ['PL1-short', 'pl1&0-short'],
    ['hyp', 'pl2'],
    ['sv39', 'riscv'],
    ['smmuv3-s1', 'smmuv3-s1'],
  ])('%s is %s', (typed, regime) => {
    expect(regimeNamed(typed)).toBe(regime);
  });

  test.each(['el4', 'el', '', 'el1&1', 'vhe2', 'constructor'])('%s is none', (typed) => {
    expect(regimeNamed(typed)).toBeUndefined();
  });

  test('mean one regime each', () => {
    const plain = (name: string) => name.toLowerCase().replace(/[&_\s]|-(?=0)/g, '');
    const names = machineRegimes.flatMap((regime) => [regime, ...REGIMES[regime].aliases].map(plain));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('traits', () => {
  // By hand from DDI 0487 Table D8-1 and D8.1.2: who has two ranges, EL0, stage 2.
  test.each([
    ['el1&0', 1, 2, true],
    ['el2', 2, 1, false],
    ['el2&0', 2, 2, true],
    ['el3', 3, 1, false],
    ['pl1&0', 1, 2, true],
    ['pl2', 2, 1, false],
  ] as const)('%s', (regime, el, ranges, unprivileged) => {
    expect(traitsOf(regime)).toMatchObject({ el, ranges, unprivileged, stage1: true, stage2: false });
  });

  test('of streams are not the walker’s', () => {
    expect(machineRegimes.filter((name) => !regimes.some((known) => known === name))).toEqual([
      'smmuv3-s1',
      'smmuv3-s2',
      'smmuv3-nested',
    ]);
  });
});

test('no other source reads what a regime is from its name', () => {
  const pattern =
    /regime\w*\??\.(?:startsWith|endsWith|includes|match)|regime\w*(?:\(\w*\))? [!=]==? '(?:el|pl|mtk|mali|riscv|smmuv3-)|(?:startsWith|endsWith)\('(?:el|pl|-s2|-nested|&0|smmu)/;
  expect("regime.startsWith('pl')").toMatch(pattern);
  expect("regime === 'el1&0'").toMatch(pattern);
  const found = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .map((file) => file.split(sep).join('/'))
    .filter((file) => file.endsWith('.ts') && file !== 'arch/regimes.ts')
    .filter((file) => pattern.test(readFileSync(join(SOURCES, file), 'utf8')));
  expect(found).toEqual([]);
});
