/** Address spaces and tables listed and compared, as `lpae dump` and `lpae diff` do. */
export type { AddressRange } from './address-range.ts';
export { type BitsDiff, diffBits, type EntryDifference, type FieldDifference } from './diff-bits.ts';
export { diffMeaning, type MeaningDifference, type MeaningOptions, type Side } from './diff-meaning.ts';
export type { MappedRange } from './ranges.ts';
export { listSpace, type Space } from './space.ts';
export type { TableEntry, TableNode, TableTree } from './tree.ts';
export { type TargetTables, treeOfTarget } from './tree-read.ts';
