/** What becomes of faults: CD.A, R and S, STE.S2R and S2S, and transactions that take no CD. (IHI 0070 5.5, 5.2 S1DSS, 3.12.2.) */
import { describe, expect, test } from 'vitest';
import { type CdWords, createSmmu, createStream, type SteWords } from '../../src/smmu/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
/** V, Config 0b101: stage 1. */
const STAGE1 = 0xbn;
/** V, Config 0b110: stage 2. */
const STAGE2_ONLY = 0xdn;
/** S2T0SZ 24, S2SL0 1, 4K, S2PS 44 bits, S2AA64. */
const STAGE2 = 0x0008_0058_0000_0000n;
const [S2R, S2S] = [1n << 58n, 1n << 57n];
/** T0SZ 25, 4K, EPD1, V, IPS 44 bits, AA64. */
const CD0 = 0x0204_c000_0019n;
const [S, R, A] = [1n << 44n, 1n << 45n, 1n << 46n];
/** STALL_MODEL 0: CD.S and STE.S2S decide; TERM_MODEL 0: CD.A does. */
const CONFIGURABLE = { idr0: 0x0844_101bn };
/** F_TRANSLATION of StreamID 8, a privileged read: CLASS IN, RnW, PnU. */
const F_TRANSLATION = [0x8_0000_0010n, 0x20a_0000_0000n] as const;
const STALL = 1n << 31n;

describe('stage 1: CD.A, R and S', () => {
  test.each<[string, bigint, string, bigint | undefined]>([
    ['0b000: silently RAZ/WI', 0n, 'raz/wi', undefined],
    ['R: RAZ/WI, and recorded', R, 'raz/wi', F_TRANSLATION[1]],
    ['A: an abort, silently', A, 'abort', undefined],
    ['A and R: an abort, and recorded', A | R, 'abort', F_TRANSLATION[1]],
    ['S: a stall, recorded whatever R says', S, 'stall', F_TRANSLATION[1] | STALL],
    ['A, R and S', A | R | S, 'stall', F_TRANSLATION[1] | STALL],
  ])('%s', (_, flags, response, word) => {
    const stream = createStream(memoryWith({}), {
      ste: [STAGE1, 0n, 0n, 0n],
      cd: [CD0 | flags, 0x4000_0000n, 0n, 0n],
      streamId: 8,
      identification: CONFIGURABLE,
    });
    const event = word === undefined ? undefined : [F_TRANSLATION[0], word, 0x1234n, 0n];
    expect(stream.translate(0x1234n, read)).toMatchObject({ ok: false, response, event });
  });

  test('other faults abort and are recorded, whatever it says', () => {
    const cd: CdWords = [CD0 | S, 0x9_0000_0000n, 0n, 0n];
    const description = { ste: [STAGE1, 0n, 0n, 0n] as SteWords, cd, identification: CONFIGURABLE };
    // The table is where there is no RAM: F_WALK_EABT. Without V: C_BAD_CD.
    const aborted = createStream(memoryWith({}), description).translate(0n, read);
    expect(aborted).toMatchObject({ fault: { kind: 'external_walk' }, response: 'abort' });
    expect(aborted).toHaveProperty('event.0', 0xbn);
    const invalid = createStream(memoryWith({}), { ...description, cd: [0n, 0n, 0n, 0n] });
    expect(invalid.translate(0n, read)).toMatchObject({ response: 'abort', event: [0xan, 0n, 0n, 0n] });
  });
});

test.each<[string, bigint, string, boolean]>([
  ['neither: an abort, silently', 0n, 'abort', false],
  ['S2R', S2R, 'abort', true],
  ['S2S without S2R: a stall, recorded all the same', S2S, 'stall', true],
])('stage 2: %s', (_, flags, response, recorded) => {
  const stream = createStream(memoryWith({}), {
    ste: [STAGE2_ONLY, 0n, STAGE2 | flags, 0x4010_0000n],
    identification: CONFIGURABLE,
  });
  const result = stream.translate(0x1234n, read);
  expect(result).toMatchObject({ fault: { kind: 'translation', stage: 2 }, response });
  expect('event' in result && result.event !== undefined).toBe(recorded);
});

test('a transaction that bypasses stage 1 (S1DSS = 0b01) has no CD: its fault is recorded, whatever another CD says', () => {
  // CD 1 has A = R = 0.
  const memory = memoryWith({ '0x40200040': CD0, '0x40200048': 0x4000_0000n });
  const stream = createStream(memory, {
    ste: [STAGE1 | 0x4020_0000n | (4n << 59n), 1n, 0n, 0n],
    identification: { ...CONFIGURABLE, idr1: 0x0210n },
  });
  expect(stream.translate(0x1234n, { ...read, substreamId: 1 })).toMatchObject({
    response: 'raz/wi',
    event: undefined,
  });
  // F_ADDR_SIZE: beyond the 44 bits of addresses.
  expect(stream.translate(1n << 44n, read)).toMatchObject({
    fault: { kind: 'address_size', stage: 1 },
    response: 'abort',
    event: [0x11n, 0x20a_0000_0000n, 1n << 44n, 0n],
  });
});

describe('SMMUEN = 0 (6.3.9.6)', () => {
  const smmu = (gbpa: bigint) =>
    createSmmu(memoryWith({}), { strtabBase: 0n, strtabBaseCfg: 0n, cr0: 0n, gbpa });

  test('a transaction with a SubstreamID bypasses too', () => {
    expect(smmu(0n).translate(99, 0x123n, { ...read, substreamId: 5 })).toMatchObject({
      ok: true,
      pa: 0x123n,
    });
  });

  test('GBPA.ABORT', () => {
    expect(smmu(1n << 20n).translate(99, 0x123n, { ...read, substreamId: 5 })).toMatchObject({
      fault: { kind: 'abort' },
      response: 'abort',
      event: undefined,
    });
  });
});

test('F_STREAM_DISABLED has neither SSV nor SubstreamID (7.3.7)', () => {
  const stream = createStream(memoryWith({}), {
    // S1DSS 0b10: CD 0 is for transactions without a SubstreamID.
    ste: [STAGE1 | 0x4020_0000n | (4n << 59n), 2n, 0n, 0n],
    streamId: 8,
    identification: { idr1: 0x0210n },
  });
  expect(stream.translate(0n, { ...read, substreamId: 0 })).toMatchObject({
    fault: { kind: 'f_stream_disabled' },
    event: [0x8_0000_0006n, 0n, 0n, 0n],
  });
});
