/** Event records of SMMUv3 bit by bit: what a transaction asked for, and what the access to a descriptor was refused. (IHI 0070 7.3.) */
import { describe, expect, test } from 'vitest';
import { type CdWords, createStream } from '../../src/smmu/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

/** V, Config 0b101: stage 1. */
const STAGE1 = 0xbn;
/** V, Config 0b111: both stages. */
const NESTED = 0xfn;
/** S2T0SZ 24, S2SL0 1, 4K, S2PS 44 bits, S2AA64, S2R. */
const STAGE2 = 0x040c_0058_0000_0000n;
/** T0SZ 25, 4K, EPD1, V, IPS 44 bits, AA64, R, A. */
const CD0 = 0x6204_c000_0019n;
const CD_HA = 1n << 43n;
/** SMMU_IDR0.HTTU = 0b01: hardware sets access flags. */
const HTTU = { idr0: 0x0d44_105bn };

describe('RnW [99], InD [98] and PnU [97] are of the transaction', () => {
  const stream = createStream(memoryWith({}), {
    ste: [STAGE1, 0n, 0n, 0n],
    cd: [CD0, 0x4000_0000n, 0n, 0n],
    streamId: 8,
  });

  test.each([
    ['a read', { access: 'read' }, 0x20a_0000_0000n],
    ['a write', { access: 'write' }, 0x202_0000_0000n],
    ['a fetch, which is a read of an instruction', { access: 'execute' }, 0x20e_0000_0000n],
    ['an unprivileged fetch', { access: 'execute', privileged: false }, 0x20c_0000_0000n],
  ] as const)('%s', (_, transaction, word) => {
    expect(stream.translate(0x1234n, transaction)).toMatchObject({
      fault: { kind: 'translation', class: 'in' },
      event: [0x8_0000_0010n, word, 0x1234n, 0n],
    });
  });
});

describe('STE.PRIVCFG and INSTCFG take the place of what the transaction says (5.2)', () => {
  /** SMMU_IDR1.ATTR_PERMS_OVR. */
  const OVERRIDE = { idr1: 0x673_0010n };
  const UNPRIVILEGED = 2n << 48n;
  const PRIVILEGED = 3n << 48n;
  const DATA = 2n << 50n;
  const INSTRUCTION = 3n << 50n;

  test.each([
    ['unprivileged', UNPRIVILEGED, { access: 'read' }, 0x208_0000_0000n],
    ['privileged', PRIVILEGED, { access: 'read', privileged: false }, 0x20a_0000_0000n],
    ['data', DATA, { access: 'execute' }, 0x20a_0000_0000n],
    ['instruction', INSTRUCTION, { access: 'read' }, 0x20e_0000_0000n],
    ['instruction, of a write, which is always data', INSTRUCTION, { access: 'write' }, 0x202_0000_0000n],
    ['nothing', (1n << 48n) | (1n << 50n), { access: 'execute', privileged: false }, 0x20c_0000_0000n],
  ] as const)('%s', (_, ste1, transaction, word) => {
    const stream = (identification: object) =>
      createStream(memoryWith({}), {
        ste: [STAGE1, ste1, 0n, 0n],
        cd: [CD0, 0x4000_0000n, 0n, 0n],
        identification,
      });
    expect(stream(OVERRIDE).translate(0x1234n, transaction)).toMatchObject({
      event: [0x10n, word, 0x1234n, 0n],
    });
    // Without the feature the transaction's own attributes stand.
    const { access, privileged = true } = { privileged: true, ...transaction };
    const own =
      0x200_0000_0000n |
      (privileged ? 1n << 33n : 0n) |
      (access === 'execute' ? 1n << 34n : 0n) |
      (access === 'write' ? 0n : 1n << 35n);
    expect(stream({}).translate(0x1234n, transaction)).toMatchObject({ event: [0x10n, own, 0x1234n, 0n] });
  });
});

describe('F_PERMISSION of class TT (7.3.16)', () => {
  /** Stage 2 maps IPA 0, where the stage-1 table is, with `s2`; the table's entry has AF = 0. */
  const translate = (s2: bigint, access: 'read' | 'write') => {
    const memory = memoryWith({
      '0x40001000': 0x8000_0301n,
      '0x40100000': s2,
      '0x40100010': 0xc000_07fdn,
    });
    const cd: CdWords = [CD0 | CD_HA, 0x1000n, 0n, 0n];
    const ste = [NESTED, 0n, STAGE2, 0x4010_0000n] as const;
    return createStream(memory, { ste, cd, streamId: 8, identification: HTTU }).translate(0x5678n, {
      access,
    });
  };
  /** S2AP 01, 10 and 11. */
  const [READ_ONLY, WRITE_ONLY, BOTH] = [0x4000_077dn, 0x4000_07bdn, 0x4000_07fdn];

  test('TTRnW [108] = 0 where the update of an access flag may not be written; RnW stays that of the transaction', () => {
    expect(translate(READ_ONLY, 'read')).toMatchObject({
      fault: { kind: 'permission', stage: 2, class: 'tt', update: true },
      event: [0x8_0000_0013n, 0x18a_0000_0000n, 0x5678n, 0x1000n],
    });
    expect(translate(READ_ONLY, 'write')).toMatchObject({
      event: [0x8_0000_0013n, 0x182_0000_0000n, 0x5678n, 0x1000n],
    });
  });

  test('TTRnW = 1 where the descriptor may not be read', () => {
    expect(translate(WRITE_ONLY, 'read')).toMatchObject({
      event: [0x8_0000_0013n, 0x118a_0000_0000n, 0x5678n, 0x1000n],
    });
    expect(translate(WRITE_ONLY, 'write')).toMatchObject({
      event: [0x8_0000_0013n, 0x1182_0000_0000n, 0x5678n, 0x1000n],
    });
  });

  test('neither where stage 2 allows both', () => {
    expect(translate(BOTH, 'read')).toMatchObject({ ok: true, pa: 0xc000_5678n });
  });
});
