/** SMMUv3: stream table entries and context descriptors, translation, event records. SMMUv2: context banks and their faults. */

export {
  type BankRegisters,
  ContextBank,
  type ContextBankDescription,
  type ContextBankFaulted,
  type ContextBankResult,
  createContextBank,
} from './context-bank.ts';
export type { CdWords } from './context-descriptor.ts';
export { type ContextFaultRecord, contextFaultRecord } from './context-fault.ts';
export { eventNumber, eventRecord } from './events.ts';
export type { IdentificationRegisters, SmmuFeatures } from './features.ts';
export { createSmmu, createStream, Smmu, type SmmuRegisters, type StreamDescription } from './smmu.ts';
export { Stream } from './stream.ts';
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
