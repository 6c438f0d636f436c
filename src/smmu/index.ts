/** SMMUv3: stream table entries and context descriptors, translation, event records. SMMUv2: context banks and their faults. */

export {
  type BankRegisters,
  type ContextBank,
  type ContextBankDescription,
  type ContextBankFaulted,
  type ContextBankResult,
  createContextBank,
} from './context-bank.ts';
export type { CdWords } from './context-descriptor.ts';
export type { ContextFaultRecord } from './context-fault.ts';
export type { IdentificationRegisters, SmmuFeatures } from './features.ts';
export { createSmmu, createStream, type Smmu, type SmmuRegisters, type StreamDescription } from './smmu.ts';
export type { Stream } from './stream.ts';
export type { SteWords } from './stream-table-entry.ts';
export type {
  ConfigurationFault,
  ConfigurationFaultKind,
  EventRecord,
  FaultClass,
  SmmuFault,
  SmmuFaulted,
  SmmuResult,
  Transaction,
  TranslationFault,
} from './types.ts';
