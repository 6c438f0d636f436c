/** What register values, stream table entries and context descriptors mean, as data. What `lpae/describe` exports. */
export { describeRegime } from './regime.ts';
export { describeSte, describeStream } from './smmu/stream.ts';
export type {
  CdDescription,
  SteDescription,
  StreamDerivation,
  StreamEnd,
  StreamTableDescription,
  StructurePlace,
} from './smmu/types.ts';
export type {
  LevelDescription,
  MemoryTypeDescription,
  OffReason,
  OutputSize,
  RangeDescription,
  RegimeDescription,
  RegisterProblem,
  ShortControls,
  Stage2Controls,
  StageDescription,
  TablesDescription,
  TlbTag,
  WalkAttributes,
} from './types.ts';
