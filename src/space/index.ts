/**
 * Address spaces and tables listed and compared, as `lpae dump` and `lpae diff` do.
 *
 * @example
 * import { IommuDomain, PhysicalMemory } from 'lpae';
 * import { arm64LpaeS1 } from 'lpae/formats';
 * import { diffMeaning, listSpace, treeOfTarget } from 'lpae/space';
 * import { createWalker } from 'lpae/walker';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n });
 * const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
 * const walker = createWalker(memory, domain.registers.hardware);
 * domain.map(0x1000n, 0x9000_0000n, 0x3000n, { read: true });
 * const before = listSpace(walker).ranges;
 * domain.unmap(0x2000n, 0x1000n);
 * const [gone] = diffMeaning(before, listSpace(walker).ranges, { regimes: [walker.regime, walker.regime] });
 * console.log(gone?.first, gone?.last, gone?.a?.pa?.toString(16), gone?.b); // 8192n 12287n 90001000 undefined
 * console.log(treeOfTarget(walker).tables().map(({ level }) => level)); // [ 0, 1, 2, 3 ]
 */

export { type GranuleRange, type Granules, listGranules } from '../machine/granules.ts';
export type { AddressRange } from './address-range.ts';
export { type BitsDiff, diffBits, type EntryDifference, type FieldDifference } from './diff-bits.ts';
export { diffGranules, type GranuleDifference, type GranulesDiff } from './diff-granules.ts';
export { diffMeaning, type MeaningDifference, type MeaningOptions, type Side } from './diff-meaning.ts';
export type { MappedRange } from './ranges.ts';
export { listSpace, type Space } from './space.ts';
export type { TableEntry, TableNode, TableTree } from './tree.ts';
export { type TargetTables, treeOfTarget } from './tree-read.ts';
