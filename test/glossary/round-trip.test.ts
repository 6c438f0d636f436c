/** Faults that the hardware side encodes are read back here: two sides that share the declared fields and nothing else. And the same for what QEMU recorded. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeDfsr, decodeEsr, decodeIfsr, decodePar } from '../../src/glossary/faults/from-cpu.ts';
import { decodeContextFault, decodeEvent } from '../../src/glossary/faults/from-smmu.ts';
import { contextFaultRecord } from '../../src/smmu/context-fault.ts';
import { eventRecord } from '../../src/smmu/events.ts';
import type { ConfigurationFaultKind, TranslationFault } from '../../src/smmu/types.ts';
import { dfsr, esr, hpfarEl2, ifsr, parEl1, parShort } from '../../src/walker/fault-codes.ts';
import type { Fault, FaultKind } from '../../src/walker/types.ts';

const KINDS: readonly FaultKind[] = [
  'translation',
  'access_flag',
  'permission',
  'address_size',
  'external_walk',
];
const LEVELS = [0, 1, 2, 3];
const ACCESSES = ['read', 'write', 'execute'] as const;
const failed = (fault: Fault) => ({ ok: false, ia: 0n, fault, security: 'non-secure', steps: [] }) as const;

/** Every kind at every level and stage, with and without a walk of stage 1; level -1 where it has codes. */
const faults: Fault[] = KINDS.flatMap((kind) =>
  [...LEVELS, ...(kind === 'access_flag' || kind === 'permission' ? [] : [-1])].flatMap((level) => [
    { kind, level, stage: 1 } as const,
    { kind, level, stage: 2, ipa: 0x8_0000_1000n } as const,
    { kind, level, stage: 2, ptw: true, ipa: 0x8_0000_2000n } as const,
  ]),
);

test('there are faults to read', () => {
  expect(faults.length).toBe(69);
});

test('PAR_EL1', () => {
  for (const fault of faults) {
    const { kind, level, stage, ptw } = fault;
    expect(decodePar(parEl1(failed(fault)))).toMatchObject({ kind, level, stage });
    expect(decodePar(parEl1(failed(fault))).ptw).toBe(ptw);
  }
});

test.each(ACCESSES)('ESR with HPFAR, of a %s', (access) => {
  for (const fault of faults) {
    const { kind, level, stage, ptw, ipa } = fault;
    const value = BigInt(esr(fault, { access, fromLower: stage === 2 }));
    const decoded = decodeEsr(value, { far: 0x1234n, hpfar: hpfarEl2(fault) });
    expect(decoded).toMatchObject({ source: 'esr', kind, level, stage, access, address: 0x1234n });
    expect(decoded.ptw).toBe(ptw);
    // HPFAR_EL2 is UNKNOWN for all other faults. (DDI 0487 D24.2.76.)
    const written = kind !== 'external_walk' && (kind !== 'permission' || ptw === true);
    expect(decoded.ipa).toBe(ipa === undefined || !written ? undefined : ptw ? ipa : ipa + 0x234n);
    expect(decoded.privileged).toBe(stage === 2 ? undefined : true);
  }
});

describe('AArch32', () => {
  const short = (['translation', 'access_flag', 'permission', 'external_walk', 'domain'] as const).flatMap(
    (kind) => [1, 2].map((level): Fault => ({ kind, level, stage: 1, domain: 9 })),
  );
  const long = KINDS.flatMap((kind) => [1, 2, 3].map((level): Fault => ({ kind, level, stage: 1 })));

  test('DFSR and IFSR of short descriptors', () => {
    for (const fault of short) {
      const { kind, level } = fault;
      for (const write of [false, true]) {
        const decoded = decodeDfsr(BigInt(dfsr(fault, { long: false, write })));
        expect(decoded).toMatchObject({
          kind,
          level,
          stage: 1,
          short: true,
          access: write ? 'write' : 'read',
        });
      }
      expect(decodeIfsr(BigInt(ifsr(fault, { long: false })))).toMatchObject({
        kind,
        level,
        access: 'execute',
      });
    }
    expect(decodeDfsr(BigInt(dfsr(short[9]!, { long: false, write: false }))).domain).toBe(9);
  });

  test('PAR of short descriptors', () => {
    for (const fault of short) {
      const { kind, level } = fault;
      expect(decodePar(BigInt(parShort(failed(fault))))).toMatchObject({
        kind,
        level,
        stage: 1,
        short: true,
      });
    }
  });

  test('DFSR and IFSR of long descriptors', () => {
    for (const fault of long) {
      const { kind, level } = fault;
      expect(decodeDfsr(BigInt(dfsr(fault, { long: true, write: true })))).toMatchObject({
        kind,
        level,
        access: 'write',
      });
      expect(decodeIfsr(BigInt(ifsr(fault, { long: true })))).toMatchObject({
        kind,
        level,
        access: 'execute',
      });
    }
  });
});

describe('SMMUv3 event records', () => {
  const context = { streamId: 0x1234_5678, substreamId: 0x4_5678, ia: 0xffff_8000_1234_5678n } as const;
  const classes = ['in', 'tt', 'cd'] as const;

  test('of every fault of translation, class, access and privilege', () => {
    for (const kind of KINDS) {
      for (const cls of classes) {
        for (const stage of cls === 'in' ? ([1, 2] as const) : ([2] as const)) {
          for (const access of ACCESSES) {
            for (const privileged of [false, true]) {
              const fault: TranslationFault = {
                kind,
                level: 2,
                stage,
                class: cls,
                ...(stage === 2 && { ipa: 0x12_3456_7000n }),
                ...(kind === 'external_walk' && { fetchAddress: 0x9_8765_4320n }),
              };
              const decoded = decodeEvent(eventRecord(fault, { ...context, access, privileged })!);
              expect(decoded).toMatchObject({
                kind,
                stage,
                class: cls,
                access,
                privileged,
                streamId: context.streamId,
                substreamId: context.substreamId,
                address: context.ia,
              });
              const walk = kind === 'external_walk';
              expect(decoded.ipa).toBe(stage === 2 && !walk ? 0x12_3456_7000n : undefined);
              expect(decoded.fetchAddress).toBe(walk ? 0x9_8765_4320n : undefined);
            }
          }
        }
      }
    }
  });

  const configuration: readonly ConfigurationFaultKind[] = [
    'c_bad_streamid',
    'f_ste_fetch',
    'c_bad_ste',
    'c_bad_substreamid',
    'f_stream_disabled',
    'f_cd_fetch',
    'c_bad_cd',
  ];
  test.each(configuration)('of %s', (kind) => {
    const event = { ...context, access: 'read', privileged: true } as const;
    const fetch = kind.endsWith('fetch');
    const fault = { kind, ...(fetch && { fetchAddress: 0x8000_0040n }) };
    expect(decodeEvent(eventRecord(fault, event)!)).toMatchObject({
      kind,
      name: kind.toUpperCase(),
      streamId: context.streamId,
      ...(fetch && { fetchAddress: 0x8000_0040n }),
    });
  });

  test('a transaction without a SubstreamID has none', () => {
    const event = { streamId: 8, substreamId: undefined, ia: 0n, access: 'read', privileged: false } as const;
    expect(decodeEvent(eventRecord({ kind: 'c_bad_ste' }, event)!).substreamId).toBeUndefined();
  });
});

test('SMMUv2 context faults of every kind, level, access and format', () => {
  const regimes = { 'el1&0': false, 'pl1&0': false, 'pl1&0-short': true } as const;
  for (const kind of KINDS) {
    for (const level of [1, 2, 3]) {
      for (const access of ACCESSES) {
        for (const privileged of [false, true]) {
          for (const [regime, short] of Object.entries(regimes)) {
            const record = contextFaultRecord(
              { kind, level, stage: 1 },
              { far: 0x1000n, access, privileged, regime: regime as keyof typeof regimes, index: 3 },
            );
            const decoded = decodeContextFault({
              fsr: BigInt(record.fsr),
              fsynr0: BigInt(record.fsynr0),
              iova: record.far,
              cb: 3n,
            });
            expect(decoded).toMatchObject({
              kind,
              level,
              access,
              privileged,
              address: 0x1000n,
              contextBank: 3,
            });
            expect(decoded.short === true).toBe(short);
          }
        }
      }
    }
  }
});

describe('what QEMU recorded', () => {
  interface Row {
    readonly va: string;
    readonly access: string;
    readonly event?: readonly [string, string, string, string];
    readonly par?: string;
    readonly pa?: string;
    readonly fault?: {
      kind: string;
      level: number | null;
      stage: number;
      class?: string;
      ipa?: string;
      fetch?: string;
    };
  }
  const folder = new URL('../../fixtures/qemu/', import.meta.url);
  const rows = readdirSync(folder)
    .filter((name) => /\.json(\.gz)?$/.test(name))
    .flatMap((name) => {
      const bytes = readFileSync(new URL(name, folder));
      const image = JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')) as {
        translations: Row[];
      };
      return image.translations;
    });

  test('event records', () => {
    const events = rows.filter(({ event }) => event !== undefined);
    expect(events.length).toBeGreaterThan(1500);
    for (const { event, fault, va, access } of events) {
      const [a, b, c, d] = event!.map(BigInt) as [bigint, bigint, bigint, bigint];
      const decoded = decodeEvent([a, b, c, d]);
      expect(decoded.kind).toBe(fault!.kind);
      expect(decoded.streamId).toBe(8);
      if (decoded.class === undefined) continue;
      // Of a fault on a table's fetch QEMU records the fetch, a read, in the place of the device's access.
      if (decoded.class === 'in') expect(decoded.access).toBe(access);
      expect(decoded.address).toBe(BigInt(va));
      if (fault!.class !== undefined)
        expect([decoded.class, decoded.stage]).toEqual([fault!.class, fault!.stage]);
      // A record has no bits of an IPA below 12, and none of meaning with S2 = 0.
      if (fault!.ipa !== undefined && decoded.stage === 2)
        expect(decoded.ipa).toBe((BigInt(fault!.ipa) >> 12n) << 12n);
      if (fault!.fetch !== undefined) expect(decoded.fetchAddress).toBe(BigInt(fault!.fetch));
    }
  });

  test('values of PAR', () => {
    // The code of a fault on a fetch has a name of its own; these are AT instructions, whose outputs no check forbids.
    const codeKind = (kind: string) => (kind === 'granule_protection' ? 'granule_walk' : kind);
    const pars = rows.filter(({ par }) => par !== undefined);
    expect(pars.length).toBeGreaterThan(4000);
    for (const { par, fault, pa } of pars) {
      const decoded = decodePar(BigInt(par!));
      expect(decoded.kind).toBe(fault === undefined ? 'none' : codeKind(fault.kind));
      expect(fault === undefined).toBe(pa !== undefined);
      if (fault === undefined) continue;
      // Of a granule protection fault on a fetch QEMU sets S and PTW, whatever the walk's stage is.
      if (fault.kind !== 'granule_protection') expect(decoded.stage).toBe(fault.stage);
      if (fault.level !== null) expect(decoded.level).toBe(fault.level);
    }
  });
});
