/**
 * SMMUv3: stream table entries and context descriptors, translation, event records. SMMUv2: context banks and their faults.
 *
 * @example
 * import { PhysicalMemory } from 'lpae/memory';
 * import { createSmmu } from 'lpae/smmu';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 0x1000n });
 * memory.write64(0x8000_0040n, 0x9n); // STE of StreamID 1: V = 1, Config = 0b100: bypass
 * const smmu = createSmmu(memory, { strtabBase: 0x8000_0000n, strtabBaseCfg: 2n, cr0: 1n }); // 4 STEs
 * const bypassed = smmu.translate(1, 0x1234n, { access: 'read' });
 * if (bypassed.ok) console.log(bypassed.pa.toString(16)); // 1234
 * const faulted = smmu.translate(2, 0x1234n, { access: 'read' });
 * if (!faulted.ok) console.log(faulted.fault.kind, faulted.event?.[0].toString(16)); // c_bad_ste 200000004
 */

export type { CommandName, EventName, SmmuRegisterName } from '../arch/smmu/index.ts';
export type { StreamTransaction } from './caches/answers.ts';
export {
  type CommandWords,
  commandText,
  decodeCommand,
  encodeCommand,
  parseCommand,
  type SmmuCommand,
} from './commands.ts';
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
export type { CommandError, ConsumedCommand } from './device/command-queue.ts';
export { SmmuDevice } from './device/device.ts';
export type { SeenEvent } from './device/event-queue.ts';
export type { Msi, SmmuInterrupt } from './device/interrupts.ts';
export type { DeviceAnswers, DeviceNote, SmmuDeviceOptions } from './device/options.ts';
export { fixedSmmu, SMMU_POLICIES, type SmmuPolicy } from './device/policy.ts';
export type { PageRequest, PageResponse } from './device/pri-queue.ts';
export type { IgnoredWrite } from './device/register-file.ts';
export type { StallCommand, StalledTransaction } from './device/stalls.ts';
export type { IdentificationRegisters, ProgrammingInterface, SmmuFeatures } from './features.ts';
export {
  type Answer,
  type ChangeReport,
  examineChange,
  type Finding,
  type JudgedAccess,
  type JudgedAnswer,
  type JudgedCommand,
  type Judgement,
  judgeSmmuTrace,
  type MinimalCommand,
  minimalCommands,
  type NearMiss,
  type Needs,
  needsOf,
  type Origin,
  outcomeText,
  type ReplayedStep,
  replay,
  type StructureChange,
  type StructureStep,
  type TornStructure,
} from './judge/index.ts';
export { SMMU_PRESETS, type SmmuPreset, type SmmuPresetName } from './presets.ts';
export type { SmmuRegisters } from './registers.ts';
export { createSmmu, createStream, type Smmu, type StreamDescription } from './smmu.ts';
export type { Stream } from './stream.ts';
export { type StreamIds, validStreamIds } from './stream-ids.ts';
export type { SteWords } from './stream-table-entry.ts';
export type {
  ConfigurationFault,
  ConfigurationFaultKind,
  DeviceResponse,
  EventRecord,
  FaultClass,
  SmmuFault,
  SmmuFaulted,
  SmmuResult,
  Transaction,
  TranslationFault,
} from './types.ts';
