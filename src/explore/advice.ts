/** Advice on a question, each with the question as it is when the advice is taken. */
import { Scatterlist } from '../iommu/scatterlist.ts';
import { type Advice, compareWorkload } from '../study/index.ts';
import type { Playground } from './playground.ts';

export interface Taken {
  readonly advice: Advice;
  readonly playground: Playground;
}

/** The study's advice on one request. Only `exact` is studied, and only what still is one request can be taken. */
export async function adviceOn(asked: Playground): Promise<Taken[]> {
  const { cpuPage, granule, sizes, stage, iova, sg } = asked;
  if (asked.semantics !== 'exact') return [];
  const list = Scatterlist.from(sg, { cpuPageSize: cpuPage });
  const workload = { name: 'playground', question: '', cpuPageSize: cpuPage, requests: [{ iova, sg: list }] };
  const choice = { granules: [granule], sizes: [sizes], stages: [stage], semantics: ['exact'] } as const;
  for await (const { combination, advice } of compareWorkload(workload, choice)) {
    return advice.flatMap((one) => {
      const after = one.apply({ workload, combination });
      const [request, ...more] = after.workload.requests;
      if (request === undefined || more.length > 0) return [];
      const { granule: newGranule, sizes: newSizes } = after.combination;
      return [
        {
          advice: one,
          playground: {
            ...asked,
            granule: newGranule,
            sizes: newSizes,
            iova: request.iova,
            sg: [...request.sg].map(({ page, offset, length }) => ({
              phys: page + BigInt(offset),
              length: BigInt(length),
            })),
          },
        },
      ];
    });
  }
  return [];
}
