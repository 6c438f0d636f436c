/** Address spaces and tables listed and compared, as `lpae dump` and `lpae diff` do. */
export type { AddressRange } from './address-range.ts';
export { type MappedRange, rangeSize } from './ranges.ts';
export { listSpace, type Space } from './space.ts';
export { type TableEntry, type TableNode, type TableTree, treeOfTables } from './tree.ts';
export { type TargetTables, treeOfTarget } from './tree-read.ts';
