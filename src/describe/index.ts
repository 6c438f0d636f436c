/**
 * What register values, stream table entries and context descriptors mean, as data. What `lpae/describe` exports.
 *
 * @example
 * import { describeRegime } from 'lpae/describe';
 *
 * const registers = { ttbr0: 0x480f_a000n, tcr: 0x5_8080_3510n, mair: 0xffn };
 * const [stage] = describeRegime('el1&0', registers, 'cortex-a72').stages;
 * const [lower, upper] = stage!.ranges;
 * console.log(lower?.register, lower?.tables?.granuleLog2, lower?.tables?.inputBits); // TTBR0_EL1 12 48
 * console.log(lower?.tables?.startLevel, lower?.tables?.output.bits, lower?.tables?.output.limitedBy); // 0 44 implemented
 * console.log(upper?.off?.field, upper?.off?.value); // TCR_EL1.EPD1 1n
 */

export type { IdleField } from '../smmu/idle-fields.ts';
export type { BypassWindow } from '../walker/params/granule-protection.ts';
export type { GranuleProtectionDescription } from './granule-protection.ts';
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
  CacheDisable,
  ExtendedFeature,
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
