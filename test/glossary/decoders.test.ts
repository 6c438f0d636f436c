/** Fault status codes and decoders against literal values of the manuals. (DDI 0487 D24.2.45, G8.2.47; IHI 0070 7.3.) */
import { describe, expect, test } from 'vitest';
import { decodeDfsr, decodeEsr, decodeIfsr, decodePar } from '../../src/glossary/faults/from-cpu.ts';
import { decodeContextFault, decodeEvent, decodeGlobalFault } from '../../src/glossary/faults/from-smmu.ts';
import { causesOf, faultSentence, nextSteps } from '../../src/glossary/faults/words.ts';
import { mairByteText } from '../../src/glossary/mair.ts';
import { codesOf, longStatus, shortStatus } from '../../src/glossary/status.ts';

test.each([
  [0x00, 'address_size', 0],
  [0x07, 'translation', 3],
  [0x08, 'access_flag', 0],
  [0x0f, 'permission', 3],
  [0x10, 'external', undefined],
  [0x11, 'tag_check', undefined],
  [0x12, 'external_walk', -2],
  [0x13, 'external_walk', -1],
  [0x17, 'external_walk', 3],
  [0x1b, 'parity_walk', -1],
  [0x1f, 'parity_walk', 3],
  [0x21, 'alignment', undefined],
  [0x22, 'granule_walk', -2],
  [0x28, 'granule', undefined],
  [0x29, 'address_size', -1],
  [0x2a, 'translation', -2],
  [0x2b, 'translation', -1],
  [0x2c, 'address_size', -2],
  [0x30, 'tlb_conflict', undefined],
  [0x31, 'hardware_update', undefined],
  [0x35, 'exclusive', undefined],
  [0x3d, 'domain', 1],
])('DFSC %i is a %s at level %s', (code, kind, level) => {
  expect(longStatus(code)).toEqual(level === undefined ? { kind } : { kind, level });
});

test.each([0x19, 0x1a, 0x20, 0x2d, 0x32, 0x3f])('DFSC %i is reserved', (code) => {
  expect(longStatus(code)).toBeUndefined();
});

test.each([
  [0x01, 'alignment', undefined],
  [0x03, 'access_flag', 1],
  [0x05, 'translation', 1],
  [0x06, 'access_flag', 2],
  [0x07, 'translation', 2],
  [0x09, 'domain', 1],
  [0x0b, 'domain', 2],
  [0x0c, 'external_walk', 1],
  [0x0d, 'permission', 1],
  [0x0e, 'external_walk', 2],
  [0x0f, 'permission', 2],
  [0x16, 'serror', undefined],
])('FS %i is a %s at level %s', (code, kind, level) => {
  expect(shortStatus(code)).toEqual(level === undefined ? { kind } : { kind, level });
});

test('STATUS of AArch32 is DFSC but for three codes', () => {
  expect(longStatus(0x11, 'aarch32')).toEqual({ kind: 'serror' });
  expect(longStatus(0x22, 'aarch32')).toEqual({ kind: 'debug' });
  expect(longStatus(0x07, 'aarch32')).toEqual({ kind: 'translation', level: 3 });
  expect(codesOf('permission', 'long').map(({ code }) => code)).toEqual([0x0c, 0x0d, 0x0e, 0x0f]);
  expect(codesOf('translation', 'long').map(({ code }) => code)).toEqual([
    0x2a, 0x2b, 0x04, 0x05, 0x06, 0x07,
  ]);
});

describe('ESR', () => {
  test.each([
    [
      0x9600_0047n,
      { kind: 'translation', level: 3, stage: 1, access: 'write', privileged: true, name: 'DFSC 0x07' },
    ],
    [0x9200_004fn, { kind: 'permission', level: 3, stage: 1, access: 'write', privileged: false }],
    [
      0x8600_000dn,
      { kind: 'permission', level: 1, stage: 1, access: 'execute', privileged: true, name: 'IFSC 0x0d' },
    ],
    [0x8200_0006n, { kind: 'translation', level: 2, access: 'execute', privileged: false }],
    [0x9600_0010n, { kind: 'external', level: undefined, stage: undefined, access: 'read' }],
    [0x9600_0021n, { kind: 'alignment', stage: undefined }],
    // CM: WnR is 1 for cache maintenance, which writes nothing.
    [0x9600_0147n, { kind: 'translation', access: 'read' }],
    [0xf200_0800n, { kind: 'other', name: 'EC 0x3c: BRK' }],
    [0xbe00_0011n, { kind: 'serror' }],
    [0x8a00_0000n, { kind: 'alignment', name: 'EC 0x22: PC alignment fault' }],
  ])('%#', (value, expected) => {
    expect(decodeEsr(value)).toMatchObject(expected);
  });

  test('a level that is not said to be EL1 may be a hypervisor', () => {
    expect(decodeEsr(0x9200_0007n, { el: 2 })).toMatchObject({ stage: 2, privileged: undefined });
    expect(decodeEsr(0x9200_0007n, { el: 1 })).toMatchObject({ stage: 1, privileged: false });
    expect(decodeEsr(0x9600_0007n, { el: 2 })).toMatchObject({ stage: 1, privileged: true });
  });

  test('HPFAR gives the page, FAR the offset; not on a stage-1 walk', () => {
    const context = { far: 0xffff_8000_1234_5678n, hpfar: 0x0800_0010n };
    expect(decodeEsr(0x93c0_8006n, context)).toMatchObject({ stage: 2, level: 2, ipa: 0x8_0000_1678n });
    expect(decodeEsr(0x93c0_8086n, context)).toMatchObject({ stage: 2, ptw: true, ipa: 0x8_0000_1000n });
  });

  test('FAR that is not valid is left out', () => {
    const fault = decodeEsr(0x9600_0410n, { far: 0x1000n });
    expect(fault.address).toBeUndefined();
    expect(fault.notes).toEqual(['FnV is 1: FAR is not valid']);
  });

  test.each([
    ['a translation fault', 0x9600_0407n],
    ['an external abort on a walk', 0x9600_0416n],
    ['an alignment fault', 0x9600_0421n],
    ['a permission fault of a fetch', 0x8600_040fn],
  ])('FnV is RES0 for %s: FAR counts', (_, value) => {
    expect(decodeEsr(value, { far: 0x1000n })).toMatchObject({ address: 0x1000n, notes: [] });
  });
});

test('PAR: stage, PTW, both formats, and no fault', () => {
  expect(decodePar(0x80bn)).toMatchObject({ kind: 'translation', level: 1, stage: 1, name: 'FST 0x05' });
  expect(decodePar(0xb0dn)).toMatchObject({ kind: 'translation', level: 2, stage: 2, ptw: true });
  expect(decodePar(0x17n)).toMatchObject({ kind: 'domain', level: 2, short: true, name: 'FS 0x0b' });
  expect(decodePar(0xff00_0000_4000_0b80n)).toMatchObject({ kind: 'none' });
});

test('DFSR: the domain counts where the level has one', () => {
  expect(decodeDfsr(0x81bn)).toMatchObject({ kind: 'domain', level: 2, access: 'write', domain: 1 });
  expect(decodeDfsr(0x805n)).toMatchObject({ kind: 'translation', level: 1, domain: undefined });
  expect(decodeDfsr(0x206n)).toMatchObject({ kind: 'translation', level: 2, access: 'read' });
});

test.each([
  ['DFSR, short', decodeDfsr, 0x1_0008n, 'DFAR'],
  ['DFSR, long', decodeDfsr, 0x1_0210n, 'DFAR'],
  ['IFSR, short', decodeIfsr, 0x1_0008n, 'IFAR'],
  ['IFSR, long', decodeIfsr, 0x1_0210n, 'IFAR'],
])('%s: FnV says that the address of an external abort is not valid', (_, decode, value, name) => {
  expect(decode(value, { far: 0x1000n })).toMatchObject({
    kind: 'external',
    address: undefined,
    notes: [`FnV is 1: ${name} is not valid`],
  });
  expect(decode(value & 0xffffn, { far: 0x1000n })).toMatchObject({ address: 0x1000n, notes: [] });
});

test.each([
  ['a translation fault, short', 0x1_0005n],
  ['an external abort on a walk, short', 0x1_000en],
  ['a translation fault, long', 0x1_0206n],
  ['an external abort on a walk, long', 0x1_0216n],
])('DFSR and IFSR: FnV is RES0 for %s', (_, value) => {
  for (const decode of [decodeDfsr, decodeIfsr]) {
    expect(decode(value, { far: 0x1000n })).toMatchObject({ address: 0x1000n, notes: [] });
  }
});

test('an unsupported upstream transaction has no level', () => {
  expect(decodeContextFault({ fsr: 0x500n, fsynr0: 0x13n })).toMatchObject({
    kind: 'f_uut',
    name: 'UUT',
    level: undefined,
    access: 'write',
  });
  expect(decodeContextFault({ fsr: 0x502n, fsynr0: 0x13n })).toMatchObject({ kind: 'translation', level: 3 });
});

test('context faults: bits of FSR, PTWF, stalls, lost faults', () => {
  expect(decodeContextFault({ fsr: 0x402n, fsynr0: 0x11n })).toMatchObject({
    kind: 'translation',
    level: 1,
    access: 'write',
  });
  expect(decodeContextFault({ fsr: 0x408n, fsynr0: 0x70023n })).toMatchObject({
    kind: 'permission',
    level: 3,
    privileged: true,
  });
  expect(decodeContextFault({ fsr: 0x410n, fsynr0: 0x403n })).toMatchObject({ kind: 'external_walk' });
  expect(decodeContextFault({ fsr: 0x410n, fsynr0: 0x3n })).toMatchObject({ kind: 'external' });
  expect(decodeContextFault({ fsr: 0xc000_0402n })).toMatchObject({
    stalled: true,
    notes: ['MULTI is 1: later faults were lost'],
    access: undefined,
  });
  expect(decodeContextFault({ fsr: 0x402n, cbfrsynra: 0x5_0800n }).streamId).toBe(0x800);
  expect(decodeGlobalFault({ gfsr: 0x8000_0002n, gfsynr0: 2n, gfsynr1: 0x404n })).toMatchObject({
    kind: 'unknown_stream',
    access: 'write',
    streamId: 0x404,
  });
});

test('event records: stall, unknown events, a SubstreamID that needs no SSV', () => {
  expect(decodeEvent([0x8_0000_0010n, 0x208_8000_0007n, 0x1000n, 0n])).toMatchObject({
    kind: 'translation',
    stalled: true,
    access: 'read',
    class: 'in',
  });
  expect(decodeEvent([0x8_0000_50e1n, 0n, 0n, 0n])).toMatchObject({
    kind: 'other',
    name: 'event 0xe1',
    streamId: 8,
  });
  expect(decodeEvent([0x8_0000_5008n, 0n, 0n, 0n])).toMatchObject({
    kind: 'c_bad_substreamid',
    substreamId: 5,
  });
});

test('plain words, causes and the next command', () => {
  const fault = decodeEsr(0x9200_0046n, { el: 1, far: 0x10n });
  expect(faultSentence(fault)).toBe(
    'Translation fault at level 2 of stage 1 (DFSC 0x06). It was a write, unprivileged, at 0x10.',
  );
  expect(causesOf(fault)[0]).toBe('a null pointer: 0x10 is a member of a structure at NULL');
  expect(nextSteps(fault)).toEqual([
    'lpae walk FILE 0x10 --access write --unprivileged',
    "lpae explain 'translation fault'",
  ]);
  const event = decodeEvent([0x8_0000_0013n, 0x102_8000_0000n << 8n, 0x8_1000n, 0n]);
  expect(nextSteps({ ...event, access: 'write', privileged: true, substreamId: 5 })[0]).toBe(
    'lpae walk FILE 0x81000 --access write --sid 0x8 --ssid 0x5',
  );
  expect(causesOf(decodeEsr(0x9600_0004n, { far: 0x00ff_8000_0000_0000n }))[0]).toContain(
    'neither all zeros nor all ones',
  );
  expect(faultSentence(decodeEvent([0x8_0000_0004n, 0n, 0n, 0n]))).toMatch(
    /^C_BAD_STE: The STE is invalid.*From StreamID 0x8\.$/,
  );
});

test.each([
  [0x00, 'Device-nGnRnE'],
  [0x04, 'Device-nGnRE'],
  [0x0c, 'Device-GRE'],
  [0x02, 'unpredictable'],
  [0x44, 'Normal, outer and inner Non-cacheable'],
  [0xff, 'Normal, outer and inner Write-Back, read and write allocate'],
  [0xbb, 'Normal, outer and inner Write-Through, read and write allocate'],
  [0xf4, 'Normal, outer Write-Back, read and write allocate, inner Non-cacheable'],
  [0x77, 'Normal, outer and inner Write-Back Transient, read and write allocate'],
  [0xf0, 'Normal, Write-Back, Allocation Tagged (FEAT_MTE2; else unpredictable)'],
  [0x80, 'unpredictable'],
])('MAIR byte %i', (byte, text) => {
  expect(mairByteText(byte)).toBe(text);
});
