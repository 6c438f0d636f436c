/** Secure streams: NS and NSTable, CD.NSCFGn, STE.NSCFG, stage 2 of two IPA spaces, SMMU_S_CR0.SIF. (IHI 0070 3.10.2, 5.2, 5.4, 6.3.57.) */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { createSmmu, createStream, type SmmuResult, type Transaction } from '../../src/smmu/index.ts';

/** Stage 1 of one 4K table at level 3: T0SZ 48 - small tables would be needed, so T0SZ 39 (25 bits) starts at level 2. */
const ROOT = 0x8000_0000n;
const TABLE = 0x8000_1000n;
const S2 = 0x8000_4000n;
const S_S2 = 0x8000_5000n;
const CD_AT = 0x8000_8000n;

type Eight = [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

function memory(): PhysicalMemory {
  const found = new PhysicalMemory({ base: 0x8000_0000n, size: 0x10_0000n });
  // 0x0000: Secure page, 0x1000: NS page, 0x20_0000: the same Secure page below an NSTable.
  found.write64(ROOT, TABLE | 3n);
  found.write64(ROOT + 8n, (1n << 63n) | TABLE | 3n);
  found.write64(TABLE, 0x9000_0743n);
  found.write64(TABLE + 8n, 0x9000_1763n);
  return found;
}

/** V, AA64, T0SZ 39, EPD1, IPS 44 bits, A and R set, TTB0. MAIR 0xff. */
function cd({ nscfg0 = 0n }: { nscfg0?: bigint } = {}): Eight {
  const w0 =
    39n | (1n << 30n) | (1n << 31n) | (4n << 32n) | (1n << 41n) | (1n << 45n) | (1n << 46n) | (1n << 8n);
  return [w0, ROOT | nscfg0, 0n, 0xffn, 0n, 0n, 0n, 0n];
}

const ste = (config: bigint, more: Partial<Record<number, bigint>> = {}): Eight =>
  Array.from({ length: 8 }, (_, i) => (i === 0 ? 1n | (config << 1n) : 0n) | (more[i] ?? 0n)) as Eight;

/** SMMU_IDR1 with ATTR_PERMS_OVR. */
const OVERRIDES = { idr1: 0x4273_0010n | (1n << 26n) };
const space = (result: SmmuResult) => (result.ok ? result.paSpace : result.fault.kind);
const READ: Transaction = { access: 'read' };

describe('stage 1', () => {
  const stream = (words: Partial<Parameters<typeof createStream>[1]> = {}) =>
    createStream(memory(), { ste: ste(5n), cd: cd(), security: 'secure', ...words });

  test('NS of the leaf and NSTable choose the space', () => {
    expect(space(stream().translate(0x0n, READ))).toBe('secure');
    expect(space(stream().translate(0x1000n, READ))).toBe('non-secure');
    expect(space(stream().translate(0x20_0000n, READ))).toBe('non-secure');
    const result = stream().translate(0x0n, READ);
    expect(result.ok && result.security).toBe('secure');
    expect(result.ok && result.ns).toBe(false);
  });

  test('of a Non-secure stream they do not', () => {
    for (const ia of [0x0n, 0x1000n, 0x20_0000n])
      expect(space(stream({ security: 'non-secure' }).translate(ia, READ))).toBe('non-secure');
  });

  test('CD.NSCFG0: the root is in Non-secure memory, so that nothing below is Secure or global', () => {
    const result = stream({ cd: cd({ nscfg0: 1n }) }).translate(0x0n, READ);
    expect(space(result)).toBe('non-secure');
    expect(result.ok && result.global).toBe(false);
    const own = stream().translate(0x0n, READ);
    expect(own.ok && own.global).toBe(true);
  });

  test.each([
    [0n, undefined, true],
    [1n, undefined, true],
    [2n, undefined, true],
    [3n, undefined, false],
    // Without SMMU_S_IDR1.SEL2 there is no Secure EL2.
    [2n, 0x8000_0000n, false],
    [1n, 0x8000_0000n, true],
  ])('STRW %d, SMMU_S_IDR1 %s', (strw, sIdr1, legal) => {
    const words = ste(5n, { 1: strw << 30n });
    const made = stream({ ste: words, ...(sIdr1 !== undefined && { sIdr1 }) });
    const result = made.translate(0x0n, READ);
    expect(result.ok ? true : result.fault.kind).toBe(legal ? true : 'c_bad_ste');
  });

  test('EL3 is for Secure streams, and not with SMMU_IDR0.RME_IMPL', () => {
    const el3 = ste(5n, { 1: 1n << 30n });
    const hyp = { idr0: 0x0d44_121bn };
    const plain = stream({ ste: el3, security: 'non-secure', identification: hyp });
    expect(space(plain.translate(0n, READ))).toBe('c_bad_ste');
    const identification = { idr0: 0x4d44_101bn };
    expect(space(stream({ ste: el3, identification }).translate(0n, READ))).toBe('c_bad_ste');
    expect(space(stream({ ste: el3 }).translate(0n, READ))).toBe('secure');
  });
});

describe('bypass', () => {
  const at = (nscfg: bigint, ns: boolean, identification = {}) =>
    space(
      createStream(memory(), {
        ste: ste(4n, { 1: nscfg << 46n }),
        security: 'secure',
        identification,
      }).translate(0x1234n, { ...READ, ns }),
    );

  test('the space comes with the transaction', () => {
    expect([at(0n, false), at(0n, true), at(1n, true)]).toEqual(['secure', 'non-secure', 'non-secure']);
    // Without SMMU_IDR1.ATTR_PERMS_OVR the field is RES0.
    expect([at(3n, false, { idr1: 0x10n }), at(2n, true, { idr1: 0x10n })]).toEqual(['secure', 'non-secure']);
  });

  test('STE.NSCFG overrides it', () => {
    expect([at(3n, false, OVERRIDES), at(2n, true, OVERRIDES)]).toEqual(['non-secure', 'secure']);
  });
});

describe('stage 2', () => {
  /** S2AA64, S2R, 44 bits, 4K, level 2, S2T0SZ 39; the same sizes for Secure IPAs. */
  const size = 39n | (0n << 6n) | (4n << 16n) | (1n << 19n) | (1n << 26n);
  const words = (spaces: { sw?: bigint; sa?: bigint; nsw?: bigint; nsa?: bigint } = {}) => {
    const { sw = 0n, sa = 0n, nsw = 0n, nsa = 0n } = spaces;
    return ste(6n, {
      2: size << 32n,
      3: S2 | nsw | (nsa << 1n),
      4: 39n << 32n,
      6: S_S2 | sw | (sa << 1n),
    });
  };
  const tables = () => {
    const found = memory();
    // Blocks of 2 MiB: Secure IPAs to 0xc000_0000, Non-secure ones to 0xd000_0000.
    found.write64(S2, 0xd000_07fdn);
    found.write64(S_S2, 0xc000_07fdn);
    return found;
  };
  const at = (words: Eight, ns: boolean, more = {}) =>
    createStream(tables(), { ste: words, security: 'secure', ...more }).translate(0x1000n, { ...READ, ns });
  const seen = (result: SmmuResult) => (result.ok ? [result.pa, result.paSpace] : [result.fault.kind]);

  test('each IPA space has its own tables', () => {
    expect(seen(at(words(), false))).toEqual([0xc000_1000n, 'secure']);
    expect(seen(at(words(), true))).toEqual([0xd000_1000n, 'secure']);
  });

  test.each([
    [{ sa: 1n }, 'non-secure', 'non-secure'],
    [{ sw: 1n }, 'non-secure', 'non-secure'],
    [{ nsa: 1n }, 'secure', 'non-secure'],
    [{ nsw: 1n }, 'secure', 'non-secure'],
  ])('%o: the outputs', (spaces, own, other) => {
    expect(seen(at(words(spaces), false))[1]).toBe(own);
    expect(seen(at(words(spaces), true))[1]).toBe(other);
  });

  test('needs SMMU_S_IDR1.SEL2 and AArch64 tables', () => {
    expect(seen(at(words(), false, { sIdr1: 0x8000_0000n }))).toEqual(['c_bad_ste']);
    const aarch32 = words();
    aarch32[2] &= ~(1n << 51n);
    const both = { identification: { idr0: 0x0d44_101fn } };
    expect(seen(at(aarch32, false, both))).toEqual(['c_bad_ste']);
  });

  test('an illegal size of the Secure tables is an illegal STE; of a Non-secure stream they do not count', () => {
    const wrong = words();
    wrong[4] = 5n << 32n;
    expect(seen(at(wrong, false))).toEqual(['c_bad_ste']);
    expect(seen(at(wrong, false, { security: 'non-secure' }))).toEqual([0xd000_1000n, 'non-secure']);
  });

  test('a fault says which space the IPA is of', () => {
    const result = createStream(tables(), { ste: words(), security: 'secure' }).translate(0x40_0000n, READ);
    expect(result.ok ? undefined : result.fault).toMatchObject({ stage: 2, ipaSpace: 'secure' });
  });

  test('with stage 1, whose output chooses the IPA space; the CD is at a Secure IPA', () => {
    const found = tables();
    const [w0, w1, , w3] = cd();
    // IPA 0x8_8000 of the Secure space is PA 0x8000_8000; stage-1 tables likewise.
    found.write64(S_S2, 0x8000_07fdn);
    found.write64(CD_AT, w0);
    found.write64(CD_AT + 8n, w1 & 0xfffn);
    found.write64(CD_AT + 24n, w3);
    found.write64(ROOT, 0x1003n);
    found.write64(TABLE, 0x3743n);
    found.write64(TABLE + 8n, 0x4763n);
    const nested = words();
    nested[0] = 0x8000n | (7n << 1n) | 1n;
    const stream = createStream(found, { ste: nested, security: 'secure' });
    expect(seen(stream.translate(0x0n, READ))).toEqual([0x8000_3000n, 'secure']);
    expect(seen(stream.translate(0x1000n, READ))).toEqual([0xd000_4000n, 'secure']);
  });
});

describe('an SMMU', () => {
  const STRTAB = 0x8000_9000n;
  const smmu = (cr0: bigint, more = {}) => {
    const found = memory();
    ste(4n).forEach((word, i) => {
      found.write64(STRTAB + BigInt(i) * 8n, word);
    });
    return createSmmu(found, { strtabBase: STRTAB, strtabBaseCfg: 0n, cr0, security: 'secure', ...more });
  };
  const FETCH: Transaction = { access: 'execute' };

  test('SIF: no instruction fetches from Non-secure memory', () => {
    expect(space(smmu(0x1n).translate(0, 0x1000n, { ...FETCH, ns: true }))).toBe('non-secure');
    expect(space(smmu(0x21n).translate(0, 0x1000n, FETCH))).toBe('secure');
    expect(space(smmu(0x21n).translate(0, 0x1000n, { ...READ, ns: true }))).toBe('non-secure');
    const denied = smmu(0x21n).translate(0, 0x1000n, { ...FETCH, ns: true });
    expect(denied.ok ? undefined : [denied.fault, (denied.event?.[0] ?? 0n) & 0xffn]).toEqual([
      { kind: 'permission', level: 0, stage: 1, class: 'in' },
      0x13n,
    ]);
    // While the SMMU is off nothing is recorded.
    const off = smmu(0x20n).translate(0, 0x1000n, { ...FETCH, ns: true });
    expect(off.ok ? undefined : [off.fault.kind, off.event]).toEqual(['abort', undefined]);
  });

  test('SMMU_S_GBPA.NSCFG while it is off', () => {
    const off = (gbpa: bigint) => space(smmu(0x0n, { gbpa, ...OVERRIDES }).translate(0, 0x1000n, READ));
    expect([off(0n), off(0xc000n), off(0x8000n)]).toEqual(['secure', 'non-secure', 'secure']);
  });

  test('SMMU_S_IDR1.S_SIDSIZE bounds StreamIDs', () => {
    const big = smmu(0x1n, { strtabBaseCfg: 8n, sIdr1: 0xa000_0000n });
    expect(space(big.translate(1, 0x1000n, READ))).toBe('c_bad_streamid');
  });

  test('there is no other state', () => {
    expect(() => smmu(1n, { security: 'realm' })).toThrow("non-secure or secure here, not 'realm'");
  });
});
