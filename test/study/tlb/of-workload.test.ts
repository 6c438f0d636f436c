/** TLBs over a workload's own tables: counted by hand, space by space, and as the single parts come to. */
import { describe, expect, test } from 'vitest';
import { Scatterlist } from '../../../src/index.ts';
import {
  StudyError,
  type Workload,
  type WorkloadTlbOptions,
  type WorkloadTlbResult,
} from '../../../src/study/index.ts';
import { sizeOfWorkloadTlb, studyWorkloadTlb } from '../../../src/study/tlb/of-workload.ts';

const TLB = { entries: 4, ways: 'full', walkCache: 0 } as const;
const ONE = { granules: [0x1000], sizes: ['pages'], stages: ['s1'] } as const;

function workloadOf(
  ...spaces: readonly (readonly [iova: number, phys: number, length: number])[][]
): Workload {
  return {
    name: 'by hand',
    question: '?',
    cpuPageSize: 0x1000,
    requests: spaces.flatMap((requests, space) =>
      requests.map(([iova, phys, length]) => ({
        iova: BigInt(iova),
        sg: Scatterlist.from([{ phys: BigInt(phys), length }]),
        space,
      })),
    ),
  };
}

async function results(workload: Workload, options: WorkloadTlbOptions): Promise<WorkloadTlbResult[]> {
  const found: WorkloadTlbResult[] = [];
  for await (const one of studyWorkloadTlb(workload, options)) found.push(one);
  expect(found).toHaveLength(sizeOfWorkloadTlb(options));
  return found;
}

test('a device goes over each request once, in bursts of 256 bytes', async () => {
  // Two pages, then one of another request in another table of level 3.
  const workload = workloadOf([
    [0x4000_0000, 0x8000_0000, 0x2000],
    [0x4020_0000, 0x9000_0000, 0x1000],
  ]);
  const [one] = await results(workload, { shapes: [TLB], choice: ONE });
  // 16 bursts a page, of which the first misses; each miss reads levels 0 to 3.
  expect(one).toMatchObject({
    trace: 'device',
    result: { maps: true, accesses: 48, hits: 45, misses: 3, faults: 0, fetches: 12, hitRate: 45 / 48 },
  });
});

test('address spaces share nothing: the same page misses in each', async () => {
  const page = [0x4000_0000, 0x8000_0000, 0x1000] as const;
  const [one] = await results(workloadOf([page], [page], [page]), { shapes: [TLB], choice: ONE });
  expect(one!.result).toMatchObject({
    accesses: 48,
    misses: 3,
    // Held at a time is one.
    bestReach: 0x1000,
    workingSet: { entries: 1, bytes: 0x1000 },
  });
});

test('traces, shapes and combinations in their order, and how many accesses', async () => {
  const workload = workloadOf(
    [[0x4000_0000, 0x8000_0000, 0x10_0000]],
    [[0x4000_0000, 0x8000_0000, 0x30_0000]],
  );
  const options = {
    shapes: [TLB, { ...TLB, entries: 16 }],
    traces: ['random', 'sequential'],
    accesses: 1000,
    choice: { granules: [0x1000, 0x4000], sizes: ['pages'], stages: ['s1'] },
  } as const;
  const found = await results(workload, options);
  expect(
    found.map(({ trace, result: { combination: of } }) => `${of.tables?.granule} ${trace} ${of.entries}`),
  ).toEqual([
    '4096 random 4',
    '4096 random 16',
    '4096 sequential 4',
    '4096 sequential 16',
    '16384 random 4',
    '16384 random 16',
    '16384 sequential 4',
    '16384 sequential 16',
  ]);
  // By bytes, a quarter and three.
  for (const { result } of found) expect(result).toMatchObject({ accesses: 1000 });
});

describe('what can not be', () => {
  test('combinations that refuse a request, with its words', async () => {
    const workload = workloadOf([[0x4000_0000, 0x8000_0000, 0x1000]]);
    const choice = { ...ONE, granules: [0x1000, 0x1_0000] } as const;
    const [maps, refused] = await results(workload, { shapes: [TLB], choice });
    expect(maps!.result.maps).toBe(true);
    expect(refused!.result).toMatchObject({ maps: false, reason: expect.stringContaining('0x10000') });
  });

  test('memory of a guest is no buffer, unless there is nothing else', async () => {
    const guest = [0x8000_0000, 0x8000_0000, 0x200_0000] as const;
    const [both] = await results(workloadOf([[0x4000_0000, 0x9000_0000, 0x1000], guest]), {
      shapes: [TLB],
      choice: ONE,
    });
    expect(both!.result).toMatchObject({ accesses: 16 });
    const [alone] = await results(workloadOf([guest]), { shapes: [TLB], choice: ONE, accesses: 100 });
    expect(alone!.result).toMatchObject({ accesses: 100 });
  });

  test('shapes, accesses and workloads that do not exist', async () => {
    const workload = workloadOf([[0x4000_0000, 0x8000_0000, 0x1000]]);
    const asked = (options: Partial<WorkloadTlbOptions>) =>
      results(workload, { shapes: [TLB], choice: ONE, ...options });
    await expect(asked({ shapes: [{ ...TLB, entries: 0 }] })).rejects.toThrow(StudyError);
    await expect(asked({ accesses: 0 })).rejects.toThrow(StudyError);
  });

  test('traces that nothing is there for: the others go on', async () => {
    const workload = workloadOf([[0x4000_0000, 0x8000_0000, 0x1000]], [[0x4000_0000, 0x9000_0000, 0x1_0000]]);
    const options = { shapes: [TLB], choice: ONE, traces: ['dma-ring', 'device'], accesses: 600 } as const;
    const [ring, device] = await results(workload, options);
    // The first space has no room for a ring and a buffer: its share is left out.
    expect(ring!.result).toMatchObject({ maps: true, accesses: Math.round((600 * 16) / 17) });
    expect(device!.result).toMatchObject({ maps: true, accesses: 16 + 256 });
    const [small] = await results(workloadOf([[0x4000_0000, 0x8000_0000, 0x1000]]), options);
    expect(small!.result).toMatchObject({ maps: false, reason: expect.stringContaining('6144') });
    const empty = { ...workload, requests: [{ iova: 0n, sg: Scatterlist.from([]) }] };
    const [none] = await results(empty, { shapes: [TLB], choice: ONE });
    expect(none!.result).toMatchObject({ maps: false, reason: expect.stringContaining('no byte') });
  });

  test('fewer accesses than spaces: some have none, and all together as many as were asked for', async () => {
    const page = [0x4000_0000, 0x8000_0000, 0x1000] as const;
    const spaces = Array.from({ length: 7 }, () => [page]);
    for (const accesses of [1, 2, 5, 100]) {
      const options = { shapes: [TLB], choice: ONE, traces: ['random'], accesses } as const;
      const [one] = await results(workloadOf(...spaces), options);
      expect(one!.result).toMatchObject({ accesses });
    }
  });
});
