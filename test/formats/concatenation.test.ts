/** Concatenated stage-2 roots, both choices, over all sizes: against the manual's table of start levels, and against every register value there is. */
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1, arm64LpaeS2, armV7s, type FormatRequest } from '../../formats/index.ts';
import { obstaclesOf } from '../../src/describe/obstacles.ts';
import { type Concatenation, FormatError, PhysicalMemory } from '../../src/index.ts';
import { createWalker, type Regime } from '../../src/walker/index.ts';
import { machine, paOf, walkerOf } from '../support/machine.ts';

const GRANULES = [
  ['4K', 12, 0x4020_1000n],
  ['16K', 14, 0x0200_4000n],
  ['64K', 16, 0x2001_0000n],
] as const;
const OUTPUTS = [32, 36, 40, 42, 44, 48, 52] as const;
const rw = { read: true, write: true };

/** A PE of that PA size. FEAT_LPA and FEAT_LPA2 come with 52 bits. */
const cpuOf = (paBits: number) =>
  ({ model: 'max', paBits, lpa: paBits === 52, lpa2: paBits === 52 }) as const;

interface Row {
  readonly log2: number;
  readonly ias: number;
  readonly oas: number;
  readonly request: FormatRequest;
}

/** Every input size that hardware can express (T0SZ is at most 48, 47 with 64K), every output size. */
function rowsOf(log2: number, pgsizeBitmap: bigint, lpa2: boolean): Row[] {
  const most = lpa2 || log2 === 16 ? 52 : 48;
  const least = log2 === 16 ? 17 : 16;
  return OUTPUTS.filter((oas) => oas <= most).flatMap((oas) =>
    Array.from({ length: most - least + 1 }, (_, i) => {
      const ias = least + i;
      const request = { pgsizeBitmap, ias, oas, ...(lpa2 && { features: ['lpa2'] as const }) };
      return { log2, ias, oas, request };
    }),
  );
}

function configured(request: FormatRequest, concatenation: Concatenation) {
  try {
    return arm64LpaeS2.configure({ ...request, concatenation });
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}

const ROOT = 0x4000_0000n;
const ROOT_BYTES = 16n << 16n;
/**
 * Memory whose every word is a table that points to the same memory, and at level 3 a page: any walk that may begin ends well. Bits 9:8 are 0,
 * since with LPA2 they are bits 51:50 of the address.
 */
const recursive = new PhysicalMemory({ base: ROOT, size: ROOT_BYTES });
for (let at = 0n; at < ROOT_BYTES; at += 8n) recursive.write64(ROOT + at, ROOT | 0x4ffn);

const TG0 = { 12: 0n, 14: 2n, 16: 1n } as Record<number, bigint>;
const PS = new Map<number, bigint>(OUTPUTS.map((oas, i) => [oas, BigInt(i)]));

/** The levels at which a walk of these sizes may begin on hardware with `oas` bits of PA: those that some value of SL2:SL0 gives. */
function legalStarts({ log2, ias, oas, request }: Row): number[] {
  const ds = request.features?.includes('lpa2') ? 1n << 32n : 0n;
  const levels = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].flatMap((sl) => {
    const start = ((sl & 3n) << 6n) | ((sl >> 2n) << 33n);
    const vtcr = BigInt(64 - ias) | start | (TG0[log2]! << 14n) | (PS.get(oas)! << 16n) | ds;
    const registers = { vttbr: ROOT, vtcr };
    const walker = createWalker(recursive, { regime: 'el1&0-s2', registers, cpu: cpuOf(oas) });
    const walk = walker.walk(0n, { access: 'read' });
    return walk.ok ? [walk.steps[0]!.level] : [];
  });
  return [...new Set(levels)];
}

describe.each(
  GRANULES.flatMap(([granule, log2, sizes]) =>
    [false, true]
      .filter((lpa2) => !lpa2 || log2 < 16)
      .map((lpa2) => ({ title: `${granule}${lpa2 ? ' with LPA2' : ''}`, rows: rowsOf(log2, sizes, lpa2) })),
  ),
)('mandatory, $title', ({ rows }) => {
  const all = rows.map((row) => ({ row, made: configured(row.request, 'mandatory') }));

  test('what it makes with ias up to oas, hardware with that PA size walks, from the first page to the last', () => {
    const walked = all.filter(({ row, made }) => row.ias <= row.oas && !(made instanceof FormatError));
    expect(walked.length).toBeGreaterThan(80);
    for (const { row } of walked) {
      const m = machine(arm64LpaeS2, { ...row.request, concatenation: 'mandatory' });
      const walker = walkerOf(m.domain, cpuOf(row.oas));
      const page = 1n << BigInt(row.log2);
      const last = (1n << BigInt(row.ias)) - page;
      m.domain.map(0n, 0x1234_0000n, page, rw);
      m.domain.map(last, 0x5678_0000n, page, rw);
      const name = `ias ${row.ias} oas ${row.oas}`;
      expect([name, paOf(walker, 0n), paOf(walker, last)]).toEqual([name, 0x1234_0000n, 0x5678_0000n]);
    }
  });

  test('what it refuses, no register value walks', () => {
    const refused = all.filter(({ made }) => made instanceof FormatError);
    // With 64K pages a walk may begin at any level.
    expect(refused.length > 5).toBe(rows[0]!.log2 < 16);
    for (const { row } of refused)
      expect([row.ias, row.oas, legalStarts(row)]).toEqual([row.ias, row.oas, []]);
  });

  test.each(['mandatory', 'possible'] as const)(
    'with larger inputs, and as 6.12 chooses: %s tables are told to be unwalkable just where they are',
    (concatenation) => {
      const found = { walked: 0, told: 0 };
      for (const row of rows) {
        const made = configured(row.request, concatenation);
        if (made instanceof FormatError) continue;
        const { regime, registers } = made.registers(ROOT).hardware;
        const hardware = { regime: regime as Regime, registers, cpu: cpuOf(row.oas) };
        const { ok } = createWalker(recursive, hardware).walk(0n, { access: 'read' });
        const told = obstaclesOf(hardware);
        expect([row.ias, row.oas, told.length === 0]).toEqual([row.ias, row.oas, ok]);
        found[ok ? 'walked' : 'told']++;
      }
      expect(found.walked).toBeGreaterThan(80);
      expect(found.told).toBeGreaterThan(10);
    },
  );

  test('it concatenates only where hardware can not start a level higher', () => {
    for (const { row, made } of all) {
      if (made instanceof FormatError || row.ias > row.oas) continue;
      const [root] = made.levels;
      if ((root!.tables ?? 1) === 1) continue;
      expect([row.ias, row.oas, legalStarts(row)]).toEqual([row.ias, row.oas, [root!.level]]);
    }
  });
});

// Literal roots: input and output bits, start level and entries (0: refused), as Linux 6.12 and 7.3 make them.
test.each([
  [0x1000n, 40, 40, [1, 1024], [1, 1024]],
  [0x1000n, 40, 44, [1, 1024], [0, 2]],
  [0x1000n, 42, 42, [1, 4096], [1, 4096]],
  [0x1000n, 43, 40, [1, 8192], [1, 8192]],
  [0x1000n, 44, 42, [0, 32], [0, 0]],
  [0x1000n, 48, 40, [0, 512], [0, 0]],
  [0x1000n, 48, 36, [0, 512], [0, 512]],
  [0x4000n, 37, 40, [1, 2], [2, 4096]],
  [0x4000n, 40, 40, [1, 16], [2, 32768]],
  [0x4000n, 41, 40, [1, 32], [0, 0]],
  [0x4000n, 48, 44, [1, 4096], [1, 4096]],
  [0x1_0000n, 43, 44, [1, 2], [1, 2]],
] as const)(
  'pages of %s, %i bits in and %i out: possible %j, mandatory %j',
  (page, ias, oas, possible, mandatory) => {
    const root = (concatenation: Concatenation) => {
      const made = configured({ pgsizeBitmap: page, ias, oas }, concatenation);
      return made instanceof FormatError ? [0, 0] : [made.levels[0]!.level, made.levels[0]!.entries];
    };
    expect([root('possible'), root('mandatory')]).toEqual([possible, mandatory]);
  },
);

test('a refusal says how many tables would be needed, and which request would work', () => {
  const refused = configured({ pgsizeBitmap: 0x1000n, ias: 48, oas: 40 }, 'mandatory');
  expect((refused as FormatError).message).toMatch(
    /^EINVAL: ias 48 needs 512 tables side by side at level 1, .* ask for an ias of at most 43 \(DDI 0487 D8\.2\.2, R_SRKBC\)$/,
  );
});

test('with LPA2 and 52 bits of output, level -1 is a start level with a bit of its own, VTCR_EL2.SL2', () => {
  const request = { pgsizeBitmap: 0x1000n, ias: 52, oas: 52, features: ['lpa2'] } as const;
  const vtcrOf = (concatenation: Concatenation) =>
    arm64LpaeS2.configure({ ...request, concatenation }).registers(0x4000_0000n).hardware.registers.vtcr!;
  const start = (vtcr: bigint) => [(vtcr >> 33n) & 1n, (vtcr >> 6n) & 3n];
  expect(start(vtcrOf('mandatory'))).toEqual([1n, 0n]);
  expect(start(vtcrOf('possible'))).toEqual([0n, 2n]);
});

test('the choice is that of the named Linux, 6.12 without one; and stage 2 alone has it', () => {
  const request = { pgsizeBitmap: 0x1000n, ias: 40, oas: 44 };
  const level = (more: Partial<FormatRequest>) =>
    arm64LpaeS2.configure({ ...request, ...more }).levels[0]!.level;
  expect([level({}), level({ linux: '6.12' }), level({ linux: '7.3' })]).toEqual([1, 1, 0]);
  expect(level({ linux: '7.3', concatenation: 'possible' })).toBe(1);
  expect(arm64LpaeS2.configure({ ...request, linux: '7.3' }).concatenation).toBe('mandatory');
  for (const format of [arm64LpaeS1, armV7s]) {
    const small = { ...request, ias: 32, oas: 32 };
    expect(format.configure({ ...small, linux: '7.3' }).concatenation).toBeUndefined();
    expect(() => format.configure({ ...small, concatenation: 'mandatory' })).toThrow(
      /takes no concatenation/,
    );
  }
  expect(() => arm64LpaeS2.configure({ ...request, concatenation: 'never' as 'possible' })).toThrow(
    'concatenation must be one of possible, mandatory, not never',
  );
  expect(() => arm64LpaeS2.configure({ ...request, linux: '7.4' as '7.3' })).toThrow(
    'linux must be one of 6.12, 7.3, not 7.4',
  );
});
