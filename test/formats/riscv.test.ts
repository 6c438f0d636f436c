/**
 * Entries of Sv39 and Sv48 as literal words, worked out by hand from the RISC-V Privileged Architecture ("Sv39", "Sv48",
 * "Svnapot", "Svpbmt"): what the driver side writes, and what the hardware side makes of words that no driver should write.
 */
import { describe, expect, test } from 'vitest';
import { type FormatRequest, riscv64 } from '../../formats/index.ts';
import type { Prot } from '../../src/pagetable/format.ts';
import { type Access, createWalker } from '../../src/walker/index.ts';
import { SIZES_4K, SIZES_SV39 } from '../support/configs.ts';
import { machine } from '../support/machine.ts';
import { memoryWith } from '../walker/table-builder.ts';

const rw: Prot = { read: true, write: true };
const SV39 = { pgsizeBitmap: SIZES_SV39, ias: 39, oas: 52 };
const SV48 = { pgsizeBitmap: SIZES_SV39 | (1n << 39n), ias: 48, oas: 52 };
/** VPN 5, 0x103 and 7. */
const VA = 0x1_6060_7000n;

/** Index and descriptor of the entries of each table, from the root down. */
const entriesOf = ({ domain }: ReturnType<typeof machine>) =>
  domain.tables().map(({ entries }) => entries.map(({ index, descriptor }) => [index, descriptor]));

describe('what the driver writes', () => {
  test.each<[string, Prot, bigint]>([
    ['read', { read: true }, 0x2000_0000_0000_00dbn],
    ['read and write', rw, 0x2000_0000_0000_00dfn],
    ['write alone, which reads too', { write: true }, 0x2000_0000_0000_00dfn],
    ['cache', { ...rw, cache: true }, 0xdfn],
    ['mmio', { ...rw, mmio: true }, 0x4000_0000_0000_00dfn],
    ['mmio before cache', { ...rw, mmio: true, cache: true }, 0x4000_0000_0000_00dfn],
    ['priv', { ...rw, priv: true }, 0x2000_0000_0000_00cfn],
    ['noexec', { ...rw, noexec: true }, 0x2000_0000_0000_00d7n],
  ])('a page with %s', (_, prot, bits) => {
    const m = machine(riscv64, SV39);
    m.domain.map(VA, 0x12_3456_7000n, 0x1000n, prot);
    // PPN 0x123_4567, ten bits up.
    expect(entriesOf(m)[2]).toEqual([[7, 0x4_8d15_9c00n | bits]]);
  });

  test.each<[string, FormatRequest, bigint, bigint, bigint]>([
    ['a page at the end of 52 bits', SV39, 0x1000n, 0xf_ffff_ffff_f000n, 0x0003_ffff_ffff_fcdfn],
    ['a 2M superpage', SV39, 0x20_0000n, 0x4020_0000n, 0x1008_00dfn],
    ['a 1G superpage', SV39, 0x4000_0000n, 0x8000_0000n, 0x2000_00dfn],
    ['a 512G superpage of Sv48', SV48, 0x80_0000_0000n, 0x80_0000_0000n, 0x20_0000_00dfn],
  ])('%s', (_, options, size, pa, word) => {
    const m = machine(riscv64, options);
    m.domain.map(0x80_0000_0000n % (1n << BigInt(options.ias)), pa, size, { ...rw, cache: true });
    expect(
      entriesOf(m)
        .at(-1)!
        .map(([, descriptor]) => descriptor),
    ).toEqual([word]);
  });

  test('a 64K range is 16 words that are alike, with N and 0b1000 in PPN[3:0]', () => {
    const m = machine(riscv64, SV39);
    m.domain.map(0x2_0000n, 0x9_0001_0000n, 0x1_0000n, { ...rw, cache: true });
    // PPN 0x90_0010, whose low four bits become 8: 0x90_0018.
    const alike = Array.from({ length: 16 }, (_, i) => [32 + i, 0x8000_0002_4000_60dfn]);
    expect(entriesOf(m)[2]).toEqual(alike);
    expect(m.domain.iovaToPhys(0x2_5678n)).toBe(0x9_0001_5678n);
    expect(m.walker.walk(0x2_5678n, { access: 'write' })).toMatchObject({
      pa: 0x9_0001_5678n,
      size: 0x1_0000n,
      leafBase: 0x9_0001_0000n,
    });
  });

  test('a superpage that loses a page keeps its attributes, in ranges and in pages', () => {
    const m = machine(riscv64, SV39);
    m.domain.map(0x20_0000n, 0x4020_0000n, 0x20_0000n, { read: true, mmio: true, priv: true });
    expect(m.domain.unmap(0x20_1000n, 0x1000n)).toBe(0x1000n);
    const pages = entriesOf(m)[2]!;
    expect(pages.length).toBe(511);
    // PPN 0x4_0200 is left single; from 0x4_0210 on there are ranges.
    expect(pages[0]).toEqual([0, 0x4000_0000_1008_00cbn]);
    expect(pages[1]).toEqual([2, 0x4000_0000_1008_08cbn]);
    expect(pages[15]).toEqual([16, 0xc000_0000_1008_60cbn]);
    expect(pages[510]).toEqual([511, 0xc000_0000_100f_e0cbn]);
  });

  test('tables are pointers with nothing but PPN and V, at VPN[2], VPN[1] and VPN[0]', () => {
    const m = machine(riscv64, SV39);
    m.domain.map(VA, 0n, 0x1000n, rw);
    const [root, middle, last] = m.domain.tables();
    expect(root!.entries[0]).toMatchObject({ index: 5, descriptor: (middle!.pa >> 2n) | 1n });
    expect(middle!.entries[0]).toMatchObject({ index: 0x103, descriptor: (last!.pa >> 2n) | 1n });
  });

  test.each([
    [SV39, 0x8000_0000_0008_0200n],
    [SV48, 0x9000_0000_0008_0200n],
  ])('satp of a root at 0x80200000, %o', (options, satp) => {
    const { cfg, hardware } = riscv64.configure(options).registers(0x8020_0000n);
    expect(cfg).toEqual({ satp });
    expect(hardware).toEqual({ regime: 'riscv-iova', registers: { ttbr0: satp } });
  });
});

describe('what is refused', () => {
  test.each<[string, Partial<FormatRequest>, RegExp]>([
    ['another input size', { ias: 40 }, /ias 40.*39 \(Sv39: 3 levels\) and 48 \(Sv48: 4 levels\)/],
    ['all of its 56 output bits', { oas: 56 }, /at most 52 bits of output/],
    ['no 4K pages', { pgsizeBitmap: 0x1_0000n }, /no pages of 0x1000 bytes/],
    ['a quirk of Arm’s', { quirks: ['arm_ns'] }, /has no quirk arm_ns; it knows none/],
    ['a feature of Arm’s', { features: ['contiguous'] }, /has no feature contiguous/],
    ['a MAIR', { mair: 0xffn }, /takes no mair/],
  ])('%s', (_, changes, reason) => {
    expect(() => riscv64.configure({ ...SV39, ...changes })).toThrow(reason);
  });

  test('page sizes are those of the mode', () => {
    const sizes = (ias: number, pgsizeBitmap: bigint) =>
      riscv64.configure({ ias, oas: 52, pgsizeBitmap }).pgsizeBitmap;
    expect(sizes(39, 0xffff_ffff_f000n)).toBe(0x4021_1000n);
    expect(sizes(48, 0xffff_ffff_f000n)).toBe(0x80_4021_1000n);
    expect(sizes(48, SIZES_4K)).toBe(SIZES_4K);
  });
});

/** Sv39 with the root at 0x4000_0000, whose entry 0 leads to 0x4000_1000, and that one's entry 0 to 0x4000_2000. */
function walk(words: Record<string, bigint>, access: Access, va = 0n, satp = 0x8000_0000_0004_0000n) {
  const tables = { '0x40000000': 0x1000_0401n, '0x40001000': 0x1000_0801n };
  const memory = memoryWith({ ...tables, ...words });
  return createWalker(memory, { regime: 'riscv', registers: { ttbr0: satp } }).walk(va, access);
}

const page = (word: bigint, access: Access, va?: bigint) => walk({ '0x40002000': word }, access, va);
const read: Access = { access: 'read' };
const faultOf = (result: ReturnType<typeof walk>) => !result.ok && [result.fault.kind, result.fault.level];

describe('what hardware makes of a word', () => {
  test.each<[string, bigint]>([
    ['V = 0', 0xden],
    ['W without R', 0x2000_00d5n],
    ['W and X without R', 0x2000_00ddn],
    ['bit 54', 0x0040_0000_2000_00dfn],
    ['bit 60', 0x1000_0000_2000_00dfn],
    ['PBMT 3', 0x6000_0000_2000_00dfn],
    ['N with PPN[3:0] = 0', 0x8000_0000_2000_00dfn],
    ['N with PPN[3:0] = 0b1100', 0x8000_0000_2000_30dfn],
    ['a pointer at the last level', 0x2000_0001n],
  ])('%s at the last level is a page fault', (_, word) => {
    expect(faultOf(page(word, read))).toEqual(['translation', 3]);
  });

  test.each<[string, bigint]>([
    ['a 2M superpage that is not aligned', 0x2000_04dfn],
    ['N in a superpage', 0x8000_0000_2000_20dfn],
    ['N in a pointer', 0x8000_0000_1000_0801n],
    ['PBMT in a pointer', 0x2000_0000_1000_0801n],
    ['A in a pointer', 0x1000_0841n],
    ['D in a pointer', 0x1000_0881n],
    ['U in a pointer', 0x1000_0811n],
  ])('%s is a page fault', (_, word) => {
    expect(faultOf(walk({ '0x40001000': word }, read))).toEqual(['translation', 2]);
  });

  test.each<[string, bigint, Access, string | undefined]>([
    ['A = 0', 0x2000_009fn, read, 'access_flag'],
    ['A = 0, and no permission either', 0x2000_0093n, { access: 'write' }, 'permission'],
    ['D = 0, a read', 0x2000_005fn, read, undefined],
    ['D = 0, a write', 0x2000_005fn, { access: 'write' }, 'access_flag'],
    ['X alone, a fetch', 0x2000_00c9n, { access: 'execute' }, undefined],
    ['X alone, a read', 0x2000_00c9n, read, 'permission'],
    ['U, a fetch of the supervisor', 0x2000_00dfn, { access: 'execute' }, 'permission'],
    ['U, a fetch of the user', 0x2000_00dfn, { access: 'execute', privileged: false }, undefined],
    ['U, with SUM = 0', 0x2000_00dfn, { access: 'read', pan: true }, 'permission'],
    ['no U, a read of the user', 0x2000_00cfn, { access: 'read', privileged: false }, 'permission'],
    ['no U, a fetch of the supervisor', 0x2000_00cfn, { access: 'execute' }, undefined],
    ['a PPN of 41 bits', 0x0004_0000_0000_00dfn, read, 'address_size'],
  ])('%s: %o', (_, word, access, kind) => {
    const result = page(word, access, 0x123n);
    if (kind === undefined) expect(result).toMatchObject({ ok: true, pa: 0x8000_0123n, level: 3 });
    else expect(faultOf(result)).toEqual([kind, 3]);
  });

  test('RSW is free, and G of a pointer counts for all below it', () => {
    expect(page(0x2000_03dfn, read)).toMatchObject({ ok: true, global: false });
    expect(page(0x2000_00ffn, read)).toMatchObject({ ok: true, global: true });
    const words = { '0x40001000': 0x1000_0821n, '0x40002000': 0x2000_00dfn };
    expect(walk(words, read)).toMatchObject({ ok: true, global: true });
  });

  test('a table where there is no memory is an access fault', () => {
    const result = walk({ '0x40001000': 0x2000_0001n }, read, 0x5000n);
    expect(result).toMatchObject({ ok: false, fault: { kind: 'external_walk', fetchAddress: 0x8000_0028n } });
  });

  test.each<[string, bigint, bigint, [string, number] | undefined]>([
    ['Bare', 0n, 0x8000_0000_0000n, undefined],
    ['Bare, beyond 52 bits', 0n, 1n << 52n, ['address_size', 0]],
    ['a reserved mode', 0x1000_0000_0004_0000n, 0n, ['translation', 0]],
    ['Sv39, beyond 39 bits', 0x8000_0000_0004_0000n, 1n << 39n, ['translation', 1]],
    ['Sv48, beyond 48 bits', 0x9000_0000_0004_0000n, 1n << 48n, ['translation', 0]],
  ])('satp of %s', (_, satp, va, fault) => {
    const result = walk({}, read, va, satp);
    if (fault === undefined) expect(result).toMatchObject({ ok: true, pa: va });
    else expect(faultOf(result)).toEqual(fault);
  });
});
