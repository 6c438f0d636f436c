/**
 * Permissions of an SMMU that are not direct: CD.PIIP and PIIU, SMMU_S2PII and STE.S2POI, each value against the manual's tables.
 * (IHI 0070 3.26, 5.2 S2POI, 5.4 PIIU, PIIP, 6.3.17.)
 */
import { describe, expect, test } from 'vitest';
import { type CdWords, createSmmu, createStream, type SteWords } from '../../src/smmu/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const ACCESSES = ['read', 'write', 'execute'] as const;
const BOTH = [true, false] as const;

/** Sixteen level 3 entries at 0x4000_2000, one for each index, below tables of a 39-bit address. */
function tables(leaf: (n: bigint) => bigint): Record<string, bigint> {
  const words: Record<string, bigint> = { '0x40000000': 0x4000_1003n, '0x40001000': 0x4000_2003n };
  for (let n = 0n; n < 16n; n++) {
    words[`0x${(0x4000_2000n + n * 8n).toString(16)}`] = leaf(n) | (0x8000_0000n + (n << 12n));
  }
  return words;
}

/** A page with PIIndex n: bits 54, 53, 51 and 6. AF, inner shareable, and dirty (AP[2] or S2AP[1] says so). */
const index = (n: bigint) =>
  (((n >> 3n) & 1n) << 54n) | (((n >> 2n) & 1n) << 53n) | (((n >> 1n) & 1n) << 51n) | ((n & 1n) << 6n);

/** A value in each of sixteen fields of so many bits. */
const everywhere = (value: number, bits: number) =>
  Array.from({ length: 16 }, (_, n) => BigInt(value) << BigInt(bits * n)).reduce((a, b) => a | b);

describe('stage 1', () => {
  /** V, stage 1, S1PIE. T0SZ 25, EPD1, V, IPS 44 bits, AA64, R, A; PIE; MAIR0 write-back. */
  const STE: SteWords = [0xbn, 1n << 24n, 0n, 0n];
  const cdOf = (piip: bigint, piiu: bigint, flags = 0n): CdWords => [
    0x6204_c000_0019n | flags,
    0x4000_0000n,
    1n << 59n,
    0xffn,
    0n,
    0n,
    piiu,
    piip,
  ];
  const identification = { idr3: 0x4_1404n };
  const memory = memoryWith(tables((n) => index(n) | 0x703n));

  /** The tables of PIIU and PIIP. */
  const RIGHTS: Readonly<Record<number, string>> = { 0: '', 1: 'r', 2: 'x', 3: 'rx', 5: 'rw', 7: 'rwx' };
  const letter = { read: 'r', write: 'w', execute: 'x' } as const;

  test.each(BOTH)('each pair of values, for each access, with PAN %s', (pan) => {
    for (const [p, privileged] of Object.entries(RIGHTS)) {
      for (const [u, unprivileged] of Object.entries(RIGHTS)) {
        const cd = cdOf(everywhere(Number(p), 3), everywhere(Number(u), 3), pan ? 1n << 40n : 0n);
        const stream = createStream(memory, { ste: STE, cd, identification });
        const illegal = privileged.includes('x') && unprivileged.includes('w');
        for (const access of ACCESSES) {
          for (const isPrivileged of BOTH) {
            const denied = isPrivileged && pan && access !== 'execute' && unprivileged !== '';
            const allowed = !denied && (isPrivileged ? privileged : unprivileged).includes(letter[access]);
            const result = stream.translate(0x5123n, { access, privileged: isPrivileged, trace: false });
            const answer = result.ok ? 'ok' : result.fault.kind;
            expect(`${p} ${u} ${access} ${isPrivileged} ${answer}`).toBe(
              `${p} ${u} ${access} ${isPrivileged} ${illegal ? 'c_bad_cd' : allowed ? 'ok' : 'permission'}`,
            );
          }
        }
      }
    }
  });

  test('each PIIndex chooses its own three bits of either field', () => {
    for (let n = 0; n < 16; n++) {
      // Read-only at n, no access elsewhere; unprivileged: execute-only at n, read-write elsewhere.
      const piip = 0b001n << BigInt(3 * n);
      const piiu = (everywhere(5, 3) & ~(7n << BigInt(3 * n))) | (0b010n << BigInt(3 * n));
      const stream = createStream(memory, { ste: STE, cd: cdOf(piip, piiu), identification });
      for (let at = 0; at < 16; at++) {
        const result = (access: 'read' | 'write' | 'execute', privileged: boolean) =>
          stream.translate(BigInt(at) << 12n, { access, privileged }).ok;
        expect(result('read', true)).toBe(at === n);
        expect(result('write', true)).toBe(false);
        expect(result('execute', false)).toBe(at === n);
        expect(result('write', false)).toBe(at !== n);
      }
    }
  });

  test('EL2 without E2H has no PIIU: reserved values there are no error, and its accesses are privileged', () => {
    const ste: SteWords = [0xbn, (1n << 24n) | (2n << 30n), 0n, 0n];
    // EPD1 is of no range here. PIIP: read, write, execute; PIIU: reserved, and writable.
    for (const piiu of [everywhere(4, 3), everywhere(5, 3)]) {
      const stream = createStream(memory, {
        ste,
        cd: cdOf(everywhere(7, 3), piiu),
        identification: { ...identification, idr0: 0x0d44_121bn },
      });
      for (const access of ACCESSES) {
        expect(stream.translate(0x3000n, { access, privileged: false })).toMatchObject({ ok: true });
      }
    }
  });

  test.each([0b100, 0b110])(
    'reserved value %d of PIIP or PIIU: C_BAD_CD, and with PIE = 0 no matter',
    (value) => {
      const at7 = BigInt(value) << 21n;
      for (const cd of [cdOf(at7, 0n), cdOf(0n, at7)]) {
        const translate = (words: CdWords) =>
          createStream(memory, { ste: STE, cd: words, identification }).translate(0x1000n, {
            access: 'read',
          });
        expect(translate(cd)).toMatchObject({ ok: false, fault: { kind: 'c_bad_cd' } });
        const [w0, w1, , w3, ...more] = cd;
        expect(translate([w0, w1, 0n, w3, ...more])).toMatchObject({ ok: true });
      }
    },
  );

  test('hierarchical permissions and CD.WXN have no effect', () => {
    const words = tables((n) => index(n) | 0x703n);
    // APTable read-only, XNTable, PXNTable on the way.
    const ram = memoryWith({ ...words, '0x40000000': 0x5800_0000_4000_1003n });
    const cd = cdOf(everywhere(7, 3), 0n, 1n << 36n);
    const stream = createStream(ram, { ste: STE, cd, identification });
    for (const access of ACCESSES) expect(stream.translate(0x1000n, { access }).ok).toBe(true);
  });

  test('a writable-clean page: HD = 0 is a permission fault that says so, HD = 1 makes it dirty', () => {
    const clean = () => memoryWith(tables((n) => index(n) | 0x783n));
    const off = createStream(clean(), { ste: STE, cd: cdOf(everywhere(5, 3), 0n), identification });
    expect(off.translate(0x3000n, { access: 'read' }).ok).toBe(true);
    expect(off.translate(0x3000n, { access: 'write' })).toMatchObject({
      ok: false,
      fault: { kind: 'permission', dirtyBit: true },
    });
    const ram = clean();
    const cd = cdOf(everywhere(5, 3), 0n, 3n << 42n);
    const on = createStream(ram, { ste: STE, cd, identification: { ...identification, idr0: 0x0d44_109bn } });
    expect(on.translate(0x3000n, { access: 'write' }).ok).toBe(true);
    // PIIndex 3: bits 51 and 6. AP[2] is clear.
    expect(ram.read64(0x4000_2018n)).toBe(0x8_0000_8000_3743n);
  });

  test('the CD comes from memory with all of its 64 bytes', () => {
    const cd = cdOf(everywhere(1, 3), 0n);
    const words = Object.fromEntries(cd.map((word, i) => [`0x${(0x4000_8000 + 8 * i).toString(16)}`, word]));
    const ram = memoryWith({
      ...tables((n) => index(n) | 0x703n),
      ...words,
      '0x40009000': 0x4000_800bn,
      '0x40009008': 1n << 24n,
    });
    const smmu = createSmmu(ram, { strtabBase: 0x4000_9000n, strtabBaseCfg: 0n, ...identification });
    expect(smmu.translate(0, 0x1000n, { access: 'read' })).toMatchObject({ ok: true, pa: 0x8000_1000n });
    expect(smmu.translate(0, 0x1000n, { access: 'write' })).toMatchObject({ fault: { kind: 'permission' } });
  });
});

describe('stage 2', () => {
  /** The table of S2PII and S2POI: what a value allows, in the manual's words. */
  const MEANING = [
    'No Access',
    'Reserved',
    'MRO',
    'MRO-TL1',
    'WO',
    'Reserved',
    'MRO-TL0',
    'MRO-TL01',
    'RO',
    'RO+uX',
    'RO+pX',
    'RO+puX',
    'RW',
    'RW+uX',
    'RW+pX',
    'RW+puX',
  ];
  function allows(value: number, access: 'read' | 'write' | 'execute', privileged: boolean): boolean {
    const meaning = MEANING[value]!;
    if (access === 'read') return /^(MRO|RO|RW)/.test(meaning);
    if (access === 'write') return /^(WO|RW)/.test(meaning);
    return (privileged ? /\+pu?X/ : /\+p?uX/).test(meaning);
  }

  /** V, stage 2; S2T0SZ 25, SL0 1, S2PS 44 bits, AA64, R; S2PIE, and S2POE. */
  const steOf = (s2poi?: bigint): SteWords => [
    0xdn,
    0n,
    0x140c_0059_0000_0000n | (s2poi === undefined ? 0n : 1n << 61n),
    0x4000_0000n,
    ...(s2poi === undefined ? [] : [0n, 0n, 0n, s2poi]),
  ];
  const identification = { idr3: 0x18_1404n };
  /** Write-back memory, dirty (S2AP[1]); POIndex n in bits 62 to 59. */
  const memory = memoryWith(tables((n) => index(n) | (n << 59n) | 0x7bfn));

  test('each value of SMMU_S2PII, for each access', () => {
    for (let value = 0; value < 16; value++) {
      const stream = createStream(memory, { ste: steOf(), identification, s2pii: everywhere(value, 4) });
      for (const access of ACCESSES) {
        for (const privileged of BOTH) {
          const { ok } = stream.translate(0x9000n, { access, privileged });
          expect(`${value} ${access} ${privileged} ${ok}`).toBe(
            `${value} ${access} ${privileged} ${allows(value, access, privileged)}`,
          );
        }
      }
    }
  });

  test('each value of S2PII under each of S2POI: what both allow, and the fault says which denies', () => {
    for (let over = 0; over < 16; over++) {
      for (let base = 0; base < 16; base++) {
        const description = { ste: steOf(everywhere(over, 4)), identification, s2pii: everywhere(base, 4) };
        const stream = createStream(memory, description);
        for (const access of ACCESSES) {
          const result = stream.translate(0x9000n, { access, privileged: false, trace: false });
          if (MEANING[over] === 'Reserved') {
            expect(result).toMatchObject({ ok: false, fault: { kind: 'c_bad_ste' } });
            continue;
          }
          const overlay = allows(over, access, false);
          expect(result.ok).toBe(overlay && allows(base, access, false));
          if (!result.ok) expect('overlay' in result.fault).toBe(!overlay);
        }
      }
    }
  });

  test('PIIndex and POIndex choose a field each', () => {
    for (let n = 0; n < 16; n++) {
      // S2PII: read and write at n, else read. S2POI: read at n + 1, else everything.
      const s2pii = (everywhere(8, 4) & ~(15n << BigInt(4 * n))) | (12n << BigInt(4 * n));
      const other = (n + 1) % 16;
      const s2poi = (everywhere(15, 4) & ~(15n << BigInt(4 * other))) | (4n << BigInt(4 * other));
      const stream = createStream(memory, { ste: steOf(s2poi), identification, s2pii });
      for (let at = 0; at < 16; at++) {
        const ok = (access: 'read' | 'write') => stream.translate(BigInt(at) << 12n, { access }).ok;
        expect(ok('read')).toBe(at !== other);
        expect(ok('write')).toBe(at === n);
      }
    }
  });

  test('overlays need S2PIE = 1, and no S2HWU bit where the SMMU has PBHA', () => {
    const [w0, w1, w2, w3, ...more] = steOf(everywhere(15, 4));
    const kind = (ste: SteWords, idr3: bigint) => {
      const result = createStream(memory, {
        ste,
        identification: { idr3 },
        s2pii: everywhere(15, 4),
      }).translate(0x1000n);
      return result.ok ? 'ok' : result.fault.kind;
    };
    expect(kind([w0, w1, w2 & ~(1n << 60n), w3, ...more], 0x18_1404n)).toBe('c_bad_ste');
    // Without SMMU_IDR3.S2PO the bit is RES0.
    expect(kind([w0, w1, w2 & ~(1n << 60n), w3, ...more], 0x8_1404n)).toBe('ok');
    expect(kind([w0, 1n << 9n, w2, w3, ...more], 0x18_1404n)).toBe('ok');
    expect(kind([w0, 1n << 9n, w2, w3, ...more], 0x18_140cn)).toBe('c_bad_ste');
  });

  test('a stage-1 table in mostly read-only memory: hardware sets access flags there, devices do not write', () => {
    // Stage 2 maps itself: 0x4000_0000 as a 1G block. PIIndex 0 is MRO.
    const s1 = { '0x40000000': 0x4000_1003n, '0x40001000': 0x4000_2003n, '0x40002000': 0x4000_7303n };
    const words = {
      ...s1,
      '0x40100008': 0x4000_07bdn,
      '0x40200000': 0x0000_6a04_c000_0019n,
      '0x40200008': 0x4000_0000n,
    };
    const ram = memoryWith(words);
    const ste: SteWords = [0x4020_000fn, 0n, 0x140c_0059_0000_0000n, 0x4010_0000n];
    const stream = createStream(ram, {
      ste,
      identification: { ...identification, idr0: 0x0d44_109bn },
      s2pii: everywhere(2, 4),
    });
    expect(stream.translate(0x123n, { access: 'read' })).toMatchObject({ ok: true, pa: 0x4000_7123n });
    expect(ram.read64(0x4000_2000n)).toBe(0x4000_7703n);
    expect(stream.translate(0x123n, { access: 'write' })).toMatchObject({
      fault: { kind: 'permission', stage: 2, class: 'in' },
    });
  });
});
