/** Fault codes and PAR: by the tables of the manual, and by what QEMU left in PAR after each faulting probe. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseImageFile } from '../../src/golden/image-file.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import {
  createWalker,
  dfsr,
  type Fault,
  faultStatusCode,
  hpfarEl2,
  parEl1,
  type Regime,
  shortFaultStatus,
} from '../../src/walker/index.ts';

test.each([
  ['address_size', -1, 0b101001],
  ['translation', -1, 0b101011],
  ['external_walk', -1, 0b010011],
  ['address_size', 0, 0b000000],
  ['translation', 0, 0b000100],
  ['translation', 3, 0b000111],
  ['access_flag', 1, 0b001001],
  ['permission', 2, 0b001110],
  ['external_walk', 1, 0b010101],
] as const)('%s at level %i', (kind, level, code) => {
  expect(faultStatusCode({ kind, level })).toBe(code);
});

test.each([
  ['translation', 1, 0b00101],
  ['translation', 2, 0b00111],
  ['access_flag', 1, 0b00011],
  ['access_flag', 2, 0b00110],
  ['domain', 1, 0b01001],
  ['domain', 2, 0b01011],
  ['permission', 1, 0b01101],
  ['permission', 2, 0b01111],
  ['external_walk', 1, 0b01100],
  ['external_walk', 2, 0b01110],
] as const)('short descriptors: %s at level %i', (kind, level, code) => {
  expect(shortFaultStatus({ kind, level })).toBe(code);
});

test('PAR_EL1, HPFAR_EL2 and DFSR of a stage-2 fault on a stage-1 walk', () => {
  const fault: Fault = {
    kind: 'permission',
    level: 3,
    stage: 2,
    ptw: true,
    s1Level: 1,
    ipa: 0xabc_d123_4567n,
  };
  expect(parEl1({ ok: false, ia: 0n, fault, steps: [] })).toBe(0xb1fn);
  expect(hpfarEl2(fault)).toBe(0xa_bcd1_2340n);
  expect(hpfarEl2({ ...fault, stage: 1 })).toBeUndefined();
  expect(dfsr(fault, { long: true, write: true })).toBe(0xa0f);
  expect(dfsr({ kind: 'domain', level: 2, stage: 1, domain: 5 }, { long: false, write: false })).toBe(0x5b);
});

describe('PAR as QEMU wrote it', () => {
  const folder = new URL('../../fixtures/qemu/', import.meta.url);
  const files = readdirSync(folder).filter((name) => /^qemu-(s1|nested|el2|v7).*\.json$/.test(name));

  test.each(files)('%s', (name) => {
    const json = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as {
      translations: Record<string, unknown>[];
    };
    const image = parseImageFile(json);
    const memory = new PhysicalMemory(image.ram);
    for (const [pa, word] of image.words) memory.write64(pa, word);
    const cpu = { model: image.cpu.model as 'max', paBits: image.cpu.paBits ?? 52 };
    const regime = image.regime as Regime;
    const walker = createWalker(memory, { regime, registers: image.registers, cpu });
    let compared = 0;
    for (const { va, access, el, par, fault, arm } of json.translations) {
      // QEMU reports the stage-1 level of a stage-2 fault on a stage-1 walk; such rows claim no level.
      if (par === undefined || fault === undefined || arm !== undefined || (fault as Fault).level === null)
        continue;
      const result = walker.walk(BigInt(String(va)), { access: access as 'read', privileged: el !== 0 });
      if (result.ok) throw new Error(`${String(va)} translated`);
      const expected = Number(BigInt(String(par)));
      const got =
        regime === 'pl1&0-short' ? (shortFaultStatus(result.fault) << 1) | 1 : Number(parEl1(result));
      expect(got).toBe(expected);
      compared++;
    }
    expect(compared).toBeGreaterThan(20);
  });
});
