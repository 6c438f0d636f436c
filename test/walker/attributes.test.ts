/** Memory attributes through walks: every MAIR encoding, both stages combined, forced Write-Back. (DDI 0487 D8.6.) */
import { describe, expect, test } from 'vitest';
import { stage1 } from '../../src/walker/create.ts';
import { type CpuOptions, createWalker } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const read = { access: 'read' } as const;

/** One 1 GiB block with AttrIndx 0 and the given SH, under a MAIR whose first byte is `byte`. */
function attributesOf(byte: number, sh = 3, cpu: 'max' | 'cortex-a57' = 'max') {
  const memory = memoryWith({ '0x40000000': 0x8000_0401n | (BigInt(sh) << 8n) });
  const result = stage1(memory, { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n, mair: BigInt(byte) }, cpu).walk(
    0n,
    read,
  );
  if (!result.ok) throw new Error(result.fault.kind);
  return result;
}

describe('MAIR', () => {
  test.each([
    [0x00, 'nGnRnE'],
    [0x04, 'nGnRE'],
    [0x08, 'nGRE'],
    [0x0c, 'GRE'],
  ])('0x%s is Device-%s, outer shareable', (byte, device) => {
    expect(attributesOf(byte, 0)).toMatchObject({
      attributes: { type: 'device', device, byte },
      shareability: 'outer',
    });
  });

  const policies = { 0: 'write-through', 1: 'write-back', 2: 'write-through', 3: 'write-back' } as const;
  const nibbles = Array.from({ length: 15 }, (_, i) => i + 1);

  test.each(nibbles)('inner nibble %i', (nibble) => {
    const { attributes } = attributesOf(0xf0 | nibble);
    if (nibble === 4) {
      expect(attributes).toMatchObject({
        byte: 0xf4,
        inner: { policy: 'non-cacheable', readAllocate: false },
      });
      return;
    }
    expect(attributes).toMatchObject({
      type: 'normal',
      byte: 0xf0 | nibble,
      outer: { policy: 'write-back', transient: false },
      inner: {
        policy: policies[(nibble >> 2) as 0 | 1 | 2 | 3],
        readAllocate: (nibble & 2) !== 0,
        writeAllocate: (nibble & 1) !== 0,
        transient: nibble < 8 && (nibble & 3) !== 0,
      },
    });
  });

  test('0xf0 is Tagged where the PE has FEAT_MTE2, and reserved elsewhere', () => {
    expect(attributesOf(0xf0).attributes).toMatchObject({ tagged: true, byte: 0xf0 });
    expect(attributesOf(0xf0, 3, 'cortex-a57').attributes).toMatchObject({ tagged: false });
  });

  test('shareability: 0 non, 2 outer, 3 inner; Non-cacheable is always outer', () => {
    expect([0, 2, 3].map((sh) => attributesOf(0xff, sh).shareability)).toEqual(['non', 'outer', 'inner']);
    expect([0, 2, 3].map((sh) => attributesOf(0x44, sh).shareability)).toEqual(['outer', 'outer', 'outer']);
    expect([0, 2, 3].map((sh) => attributesOf(0x4f, sh).shareability)).toEqual(['non', 'outer', 'inner']);
  });
});

describe('both stages', () => {
  /** Stage 1 maps VA 0 with the MAIR byte, stage 2 the same page with MemAttr and SH. */
  function nested(
    byte: number,
    memAttr: number,
    { s1Sh = 0, s2Sh = 0, fwb = false, bits = 0n, cpu = 'max' as CpuOptions } = {},
  ) {
    const memory = memoryWith({
      '0x40000000': 0x4000_0401n | (BigInt(s1Sh) << 8n),
      '0x40001008': 0x4000_04c1n | (BigInt(memAttr) << 2n) | (BigInt(s2Sh) << 8n) | bits,
    });
    const result = createWalker(memory, {
      regime: 'el1&0-nested',
      registers: {
        ttbr0: 0x4000_0000n,
        tcr: 0x5_0080_0019n,
        mair: BigInt(byte),
        vttbr: 0x4000_1000n,
        vtcr: 0x8005_0059n,
        hcr: fwb ? 0x4000_0000_0001n : 1n,
      },
      cpu,
    }).walk(0n, read);
    if (!result.ok) throw new Error(result.fault.kind);
    return result;
  }

  test.each([
    ['Write-Back and Write-Back', 0xff, 0b1111, 0xff],
    ['Write-Back and Write-Through keep the hints', 0xff, 0b1010, 0xbb],
    ['Write-Back and Non-cacheable', 0xff, 0b0101, 0x44],
    ['Write-Through and Write-Back', 0xaa, 0b1111, 0xaa],
    ['outer Write-Back only', 0xff, 0b1101, 0xf4],
    ['transient stays transient', 0x77, 0b1111, 0x77],
    ['Normal under Device', 0xff, 0b0010, 0x08],
    ['Device under Normal', 0x04, 0b1111, 0x04],
    ['the stronger Device type', 0x0c, 0b0001, 0x04],
    ['Tagged and Write-Back stay Tagged', 0xf0, 0b1111, 0xf0],
    ['Tagged and Write-Through lose the tags', 0xf0, 0b1010, 0xbb],
  ])('%s', (_, byte, memAttr, wanted) => {
    expect(nested(byte, memAttr).attributes.byte).toBe(wanted);
  });

  test.each([
    ['forced Write-Back over Non-cacheable', 0x44, 0b0110, 0xff],
    ['forced Write-Back keeps the hints of cacheable memory', 0xaa, 0b0110, 0xee],
    ['forced Write-Back over Device', 0x00, 0b0110, 0xff],
    ['stage 1 decides', 0xbb, 0b0111, 0xbb],
    ['stage 1 decides: Device', 0x0c, 0b0111, 0x0c],
    ['Non-cacheable', 0xff, 0b0101, 0x44],
    ['Non-cacheable leaves Device alone', 0x08, 0b0101, 0x08],
    ['Device', 0xff, 0b0001, 0x04],
    ['MemAttr[3] is ignored', 0xff, 0b1001, 0x04],
  ])('HCR_EL2.FWB: %s', (_, byte, memAttr, wanted) => {
    expect(nested(byte, memAttr, { fwb: true }).attributes.byte).toBe(wanted);
  });

  /** FnXS is bit 11 of a stage-2 leaf; where XS is 0, PAR_EL1.ATTR says so. */
  const XS = { model: 'max', xs: true } as const;
  const FNXS = 1n << 11n;
  const OTHERS = (0xfn << 55n) | (1n << 10n);
  test.each([
    ['Device', 0x04, 0b1111, false, 0x04, 0x05],
    ['Non-cacheable', 0x44, 0b1111, false, 0x44, 0x40],
    ['Write-Through', 0xaa, 0b1111, false, 0xaa, 0xa0],
    ['Device of stage 2', 0xbb, 0b0001, false, 0x04, 0x05],
    ['Device, FWB', 0x04, 0b0111, true, 0x04, 0x05],
    ['Non-cacheable, FWB, stage 1 decides', 0x44, 0b0111, true, 0x44, 0x40],
    ['Non-cacheable, FWB', 0xff, 0b0101, true, 0x40, 0x40],
    ['Write-Through, FWB, stage 1 decides', 0xaa, 0b0111, true, 0xaa, 0xa0],
    ['Device with XS = 0, FWB, stage 1 decides', 0x05, 0b0111, true, 0x05, 0x05],
    ['Non-cacheable with XS = 0, FWB, stage 1 decides', 0x40, 0b0111, true, 0x40, 0x40],
    ['Write-Back, FWB, stage 1 decides', 0xff, 0b0111, true, 0xff, 0xff],
    ['Device of stage 2, FWB', 0x0c, 0b0001, true, 0x04, 0x05],
    ['Device left alone by Non-cacheable, FWB', 0x0c, 0b0101, true, 0x0c, 0x0d],
    ['forced Write-Back over Device', 0x04, 0b0110, true, 0xff, 0xff],
  ])('FEAT_XS: %s without and with FnXS (D8.7.4)', (_, byte, memAttr, fwb, without, withIt) => {
    const of = (bits: bigint) => nested(byte, memAttr, { fwb, bits, cpu: XS }).attributes;
    expect([of(0n), of(OTHERS)].map((one) => one.byte)).toEqual([without, without]);
    expect([of(FNXS), of(FNXS | OTHERS)].map((one) => one.byte)).toEqual([withIt, withIt]);
    expect(of(FNXS).xs).toBe(false);
  });

  test.each([
    [0, 0, 'non'],
    [0, 3, 'inner'],
    [3, 0, 'inner'],
    [3, 2, 'outer'],
    [2, 0, 'outer'],
  ])('shareability %i with %i is %s', (s1Sh, s2Sh, wanted) => {
    expect(nested(0xff, 0b1111, { s1Sh, s2Sh }).shareability).toBe(wanted);
  });
});
