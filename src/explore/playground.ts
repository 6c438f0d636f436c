/** The playground's question: a scatterlist, a CPU page size and a kind of table; and the answer that the library gives. */
import { IommuDomain } from '../iommu/domain.ts';
import type { SgRange } from '../iommu/scatterlist.ts';
import type { SgPlan, SgSemantics } from '../iommu/sg-semantics.ts';
import { present } from '../json/schemas.ts';
import { PhysicalMemory } from '../memory/index.ts';
import { perform } from '../operations/perform.ts';
import type { IommuError } from '../pagetable/errors.ts';
import type { FormatModule, FormatRequest, Prot } from '../pagetable/format.ts';
import { ADDRESS_BITS, formatOf, type Granule, type Offered } from '../study/combinations.ts';
import { type Made, madeOf, type Span } from './made.ts';
import type { TimedRequest } from './timeline.ts';

/** Bytes of a CPU page. */
export type CpuPage = Granule;

/** What is asked. */
export interface Playground {
  readonly cpuPage: CpuPage;
  readonly granule: Granule;
  readonly sizes: Offered;
  readonly stage: 's1' | 's2';
  readonly semantics: SgSemantics;
  readonly iova: bigint;
  /** Entries in bytes, in order. */
  readonly sg: readonly SgRange[];
}

/** What came of it. */
export interface Played extends Made {
  /** Absent if the list itself is refused. */
  readonly plan?: SgPlan;
  /** Why nothing is mapped. */
  readonly error?: IommuError;
}

/** Where tables lie. */
export const RAM = { base: 0x8000_0000n, size: 1n << 30n } as const;
const PROT: Prot = { read: true, write: true };

/** Leaf sizes of each granule: pages, blocks, and contiguous runs of both. (DDI 0487 D8.3.1, D8.7.1.) */
const SIZES: Readonly<Record<Granule, Readonly<Record<Offered, bigint>>>> = {
  4096: { pages: 0x1000n, blocks: 0x4020_1000n, contiguous: 0x4_4221_1000n },
  16384: { pages: 0x4000n, blocks: 0x200_4000n, contiguous: 0x4220_4000n },
  65536: { pages: 0x1_0000n, blocks: 0x2001_0000n, contiguous: 0x4_2021_0000n },
};

/** The format and its configuration. */
export function configurationOf({ stage, granule, sizes }: Playground): {
  readonly format: FormatModule;
  readonly request: FormatRequest;
} {
  return {
    format: formatOf({ stage }),
    request: {
      pgsizeBitmap: SIZES[granule][sizes],
      granule,
      ias: ADDRESS_BITS,
      oas: ADDRESS_BITS,
      ...(sizes === 'contiguous' && { features: ['contiguous'] as const }),
    },
  };
}

/** Maps the list, and reads the tables back. A refusal is an answer. */
export function play(asked: Playground): Played {
  const { iova, sg, semantics, cpuPage } = asked;
  const { format, request } = configurationOf(asked);
  const domain = new IommuDomain(new PhysicalMemory(RAM), format, request);
  const { error, plan } = perform(
    domain,
    { op: 'map_sg', iova, sg, prot: PROT },
    { semantics, cpuPageSize: BigInt(cpuPage) },
  );
  // A refused request leaves empty tables behind, which are not part of the answer.
  if (error !== undefined) domain.reclaim();
  return {
    ...madeOf(domain),
    ...present({ plan, error }),
    overMapped: error === undefined && plan ? overMappedBy(asked, plan) : [],
  };
}

/** The question as operations on a domain: one map_sg. */
export function timedOf(asked: Playground): TimedRequest {
  const { iova, sg, semantics, cpuPage } = asked;
  const { format, request } = configurationOf(asked);
  return {
    format,
    options: request,
    ram: RAM,
    ops: [{ op: 'map_sg', iova, sg, prot: PROT }],
    semantics,
    cpuPageSize: BigInt(cpuPage),
  };
}

/** With `page-align` a piece is one entry and what was added before and behind it. */
function overMappedBy({ iova, sg }: Playground, { pieces }: SgPlan): Span[] {
  return pieces.flatMap(({ entry, offset, phys, length, overMapped }) => {
    if (overMapped === 0n) return [];
    const asked = sg[entry]!;
    const before = BigInt(asked.phys) - phys;
    const start = iova + offset;
    const end = start + before + BigInt(asked.length);
    const spans: Span[] = [];
    if (before > 0n) spans.push({ first: start, last: start + before - 1n });
    if (end < start + length) spans.push({ first: end, last: start + length - 1n });
    return spans;
  });
}
