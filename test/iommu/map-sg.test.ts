/** The direct mapSg against the plain loop over map: the same answer, the same bits in memory, the same allocator, whatever the list. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { arm64LpaeS1, armMaliLpae, type FormatModule } from '../../formats/index.ts';
import { IommuError, Scatterlist } from '../../src/index.ts';
import type { EntryCodec } from '../../src/pagetable/format.ts';
import { PageTable } from '../../src/pagetable/page-table.ts';
import { type Config, configs, SIZES_4K } from '../support/configs.ts';
import { firstDifference, type Machine, machine, paOf, reachableFrames } from '../support/machine.ts';
import { rounds } from '../support/rounds.ts';
import { anyProt, scatterlistOf, sgPlan, start, startOf } from '../support/scatterlists.ts';

/** What a call answers, in a form to compare: bytes, or the whole error. */
function outcome(act: () => bigint): unknown {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    return { code: error.code, message: error.message, operands: error.operands };
  }
}

const request = fc.record({
  start,
  plan: sgPlan,
  prot: anyProt,
  failAt: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) },
  ),
  /** Unmap it again, a part of it, or nothing: what stays is in the way of the next. */
  thenUnmap: fc.constantFrom('all', 'first page', 'nothing'),
});

/** Every byte at either end of every run. */
function expectMapped(m: Machine, iova: bigint, sg: Scatterlist): void {
  let at = iova;
  for (const { phys, length } of sg.runs()) {
    expect(paOf(m.walker, at)).toBe(phys);
    expect(paOf(m.walker, at + length - 1n)).toBe(phys + length - 1n);
    at += length;
  }
}

function compare(
  { format, options }: Config,
  requests: readonly (typeof request extends fc.Arbitrary<infer T> ? T : never)[],
) {
  const direct = machine(format, options);
  const plain = machine(format, options);
  const made = direct.domain.format;
  const page = 1n << BigInt(made.granuleLog2);
  for (const { start: place, plan, prot, failAt, thenUnmap } of requests) {
    const ia = startOf(made, place);
    const iova = made.firstIova + ia;
    const sg = scatterlistOf(plan, made, ia);
    for (const { allocator } of [direct, plain]) allocator.failAt(failAt);
    const got = outcome(() => direct.domain.mapSg(iova, sg, prot));
    expect(got).toEqual(outcome(() => plain.domain.mapSgByMap(iova, sg, prot)));
    for (const { allocator } of [direct, plain]) allocator.failAt(0);
    expect(firstDifference(direct, plain)).toBeUndefined();
    if (got === sg.byteLength && prot.read) expectMapped(direct, iova, sg);
    if (thenUnmap === 'nothing') continue;
    const size = thenUnmap === 'all' ? sg.byteLength : page;
    expect(direct.domain.unmap(iova, size)).toBe(plain.domain.unmap(iova, size));
  }
  expect(firstDifference(direct, plain)).toBeUndefined();
  expect(direct.allocator.allocated()).toEqual(reachableFrames(direct.domain));
  // The allocators are in the same state when they go on alike.
  for (const bytes of [64, 4096, 0x1_0000, 4096]) {
    expect(direct.allocator.allocate(bytes)).toBe(plain.allocator.allocate(bytes));
  }
}

describe.each(configs)('$name', (config) => {
  test('mapSg equals the loop over map in every bit', () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 4 }), (requests) => compare(config, requests)),
      { numRuns: rounds(25, 100) },
    );
  });
});

/** The same format with some of its codec's members replaced. */
function withCodec(
  format: FormatModule,
  change: (entries: EntryCodec) => Record<string, unknown>,
): FormatModule {
  return {
    ...format,
    configure(options) {
      const made = format.configure(options);
      const members = change(made.entries);
      const entries = new Proxy(made.entries, {
        get(target, key) {
          if (typeof key === 'string' && key in members) return members[key];
          const value = Reflect.get(target, key);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      return { ...made, entries };
    },
  };
}

const scattered = Scatterlist.from(
  Array.from({ length: 1000 }, (_, i) => ({ phys: BigInt((i * 7) % 1000) * 0x3000n, length: 0x1000 })),
);
const options = { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48 };
const rw = { read: true, write: true };

describe('the direct path', () => {
  test('is there in every format that this project ships', () => {
    for (const { format, options: each } of configs)
      expect(format.configure(each).entries.direct).toBeDefined();
  });

  test.each(['mapSg', 'mapSgByMap'] as const)('%s ends where addresses do, in a root that goes on', (how) => {
    const { domain } = machine(armMaliLpae, { pgsizeBitmap: SIZES_4K, ias: 36, oas: 36 });
    const list = Scatterlist.from([0x0n, 0x8000_0000n].map((phys) => ({ phys, length: 0x4000_0000n })));
    expect(outcome(() => domain[how](0xf_c000_0000n, list, rw))).toMatchObject({ code: 'ERANGE' });
    expect(domain.iovaToPhys(0xf_c000_0000n)).toBeNull();
    expect(outcome(() => domain[how](0xf_8000_0000n, list, rw))).toBe(0x8000_0000n);
    // The root resolves 39 bits: an address beyond is another one's alias only above those.
    expect(domain.iovaToPhys(0x10_0000_0000n)).toBeNull();
    expect(domain.iovaToPhys(0x8f_8000_0123n)).toBe(0x123n);
  });

  test('takes the general path once a table, where the plain loop does so once a page', () => {
    const general = vi.spyOn(PageTable.prototype, 'mapPages');
    for (const how of ['mapSg', 'mapSgByMap'] as const) {
      general.mockClear();
      expect(machine(arm64LpaeS1, options).domain[how](0n, scattered, rw)).toBe(1000n * 0x1000n);
      // 1,000 pages are two tables.
      expect(general).toHaveBeenCalledTimes(how === 'mapSg' ? 2 : 1000);
    }
    general.mockRestore();
  });

  test('may be missing: a format without it gets the plain loop', () => {
    const [without, plain] = [
      machine(
        withCodec(arm64LpaeS1, () => ({ direct: undefined })),
        options,
      ),
      machine(arm64LpaeS1, options),
    ];
    expect(without.domain.mapSg(0x1f_0000n, scattered, rw)).toBe(
      plain.domain.mapSgByMap(0x1f_0000n, scattered, rw),
    );
    expect(firstDifference(without, plain)).toBeUndefined();
  });
});
