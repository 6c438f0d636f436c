/** Tables that were made, as the page's views look at them: what a driver wrote, what the walker reads, and counts of both. */
import { obstaclesOf } from '../describe/obstacles.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import { countTree, type TreeCounts, type TreeTable } from '../pagetable/tree.ts';
import { listSpace, type Space } from '../space/space.ts';
import { unwalkableText } from '../text/unwalkable.ts';
import { createWalker, type Walker } from '../walker/index.ts';

export interface Made {
  readonly domain: IommuDomain;
  readonly walker: Walker;
  /** Why hardware of the size that was asked for can't walk the tables: then the walker's is larger. */
  readonly warnings: readonly string[];
  readonly space: Space;
  readonly tables: readonly TreeTable[];
  readonly counts: TreeCounts;
  /** Leaves of a kind: how many, and what a TLB miss that ends at one reads. */
  readonly leaves: readonly LeafKind[];
  /** Input addresses that are mapped though no entry asked for them. */
  readonly overMapped: readonly Span[];
}

/** Addresses, `last` inside. */
export interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

export interface LeafKind {
  readonly size: bigint;
  readonly count: number;
  /** Descriptors that a walk reads. */
  readonly reads: number;
}

/** Reads the tables of a domain back. */
export function madeOf(domain: IommuDomain): Made {
  const { regime, registers, cpu } = domain.registers.hardware;
  const obstacles = obstaclesOf({ regime, registers, cpu });
  const walker = createWalker(domain.memory, {
    regime,
    registers,
    ...(obstacles.length === 0 && { cpu }),
  });
  const space = listSpace(walker);
  const tables = domain.tables();
  return {
    domain,
    walker,
    warnings: obstacles.map((problem) => unwalkableText(cpu.paBits, problem)),
    space,
    tables,
    counts: countTree(tables),
    leaves: leafKinds(space, walker),
    overMapped: [],
  };
}

function leafKinds({ ranges }: Space, walker: Walker): LeafKind[] {
  const kinds = new Map<bigint, LeafKind>();
  for (const { first, leafSize: size, leaves, result } of ranges) {
    if (!result.ok) continue;
    const known = kinds.get(size);
    const reads = known?.reads ?? walker.walk(first, { access: 'read' }).steps.length;
    kinds.set(size, { size, reads, count: (known?.count ?? 0) + leaves });
  }
  return [...kinds.values()].sort((a, b) => (a.size > b.size ? -1 : 1));
}
