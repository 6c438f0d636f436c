/** Combinations carried out apart from the study, and their tables counted by the hardware's reading of them. */

import { IommuDomain, IommuError, PhysicalMemory } from '../../src/index.ts';
import { entryCountOf, visitTree } from '../../src/machine/visit.ts';
import { formatOf, formatRequest } from '../../src/study/combinations.ts';
import type { Combination, Counts, Workload, WorkloadRequest } from '../../src/study/index.ts';
import { nestedMachine, TABLE_RAM } from '../../src/study/memory.ts';
import { createWalker, type TableTree } from '../../src/walker/index.ts';

/** Entries of a contiguous run: DDI 0487 table D8-104. */
const RUNS: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  12: { 1: 16, 2: 16, 3: 16 },
  14: { 2: 32, 3: 128 },
  16: { 2: 32, 3: 32 },
};

/** Leaves as `level*run: entries`, tables as `level: number/bytes`: what `Counts` say too. */
export function seen(trees: readonly TableTree[]): { leaves: string[]; tables: string[] } {
  const leaves = new Map<string, number>();
  const tables = new Map<string, [number, number]>();
  for (const tree of trees) {
    const { reader, root } = tree;
    visitTree(tree, {
      enter(place) {
        const name = `${root.stage}.${place.level}`;
        const [number, bytes] = tables.get(name) ?? [0, 0];
        tables.set(name, [number + 1, bytes + entryCountOf(place) * reader.entryBytes]);
        return true;
      },
      leaf(entry) {
        const run = reader.isContiguous(entry) ? RUNS[reader.granuleLog2]![entry.level]! : 1;
        const name = `${root.stage}.${entry.level}x${run}`;
        leaves.set(name, (leaves.get(name) ?? 0) + 1);
      },
    });
  }
  return {
    leaves: [...leaves].map(([name, n]) => `${name}: ${n}`).sort(),
    tables: [...tables].map(([name, [n, bytes]]) => `${name}: ${n}/${bytes}`).sort(),
  };
}

/** The same of counts, of tables of a stage. */
export function said({ byLeaf, byLevel }: Counts, stage: 1 | 2): { leaves: string[]; tables: string[] } {
  return {
    leaves: byLeaf.map(({ level, run, descriptors }) => `${stage}.${level}x${run}: ${descriptors}`).sort(),
    tables: byLevel.map(({ level, tables, bytes }) => `${stage}.${level}: ${tables}/${bytes}`).sort(),
  };
}

/** The trees that a walk of the requests may come to, all of them in one address space. Requests that are refused leave nothing. */
export function treesOf(workload: Workload, combination: Combination): TableTree[] {
  const memory = new PhysicalMemory(TABLE_RAM);
  const domain = new IommuDomain(memory, formatOf(combination), formatRequest(combination));
  const mapped: WorkloadRequest[] = workload.requests.filter(({ iova, sg }) => {
    try {
      return domain.mapSg(iova, sg, { read: true, write: true }) > 0n;
    } catch (error) {
      if (error instanceof IommuError) return false;
      throw error;
    }
  });
  domain.reclaim();
  if (combination.stage === 'nested' && mapped.length > 0) {
    return nestedMachine(domain, workload.requests, combination).walker.trees();
  }
  return createWalker(memory, domain.registers.hardware).trees();
}
