/**
 * The glossary and the reading of faults: explains names and values, and reads typed faults from log lines and registers.
 *
 * @example
 * import { causesOf, faultSentence, lookUp, parseFaults } from 'lpae/glossary';
 *
 * const [topic] = lookUp(['AttrIndx']).topics;
 * console.log(topic?.group, topic?.places?.[0]?.bits); // descriptor field [4:2]
 * const line = 'arm-smmu 15000000.iommu: Unhandled context fault: fsr=0x402, iova=0xffc00000, fsynr=0x11, cb=2';
 * const [fault] = parseFaults(line);
 * console.log(fault?.kind, fault?.level, fault?.access, fault?.address?.toString(16)); // translation 1 write ffc00000
 * if (fault) console.log(faultSentence(fault).split('. ')[0]); // Translation fault at level 1 (TF)
 * if (fault) console.log(causesOf(fault).length > 0); // true
 */

export type { FieldPlace } from './descriptor-fields.ts';
export type { DecodedFault, DecodedKind, FaultSource, RegisterValue } from './faults/decoded-fault.ts';
export {
  decodeDfsr,
  decodeEsr,
  decodeIfsr,
  decodePar,
  type EsrContext,
  type FsrContext,
} from './faults/from-cpu.ts';
export { type ContextFault, decodeContextFault, decodeEvent } from './faults/from-smmu.ts';
export { parseFaults } from './faults/parse.ts';
export type { Granule, PrintedEntry, PrintedWalk } from './faults/printed-walk.ts';
export { causesOf, checksOf, faultSentence, nextSteps } from './faults/words.ts';
export type { RegisterLayout } from './register.ts';
export type { Topic, TopicCode, TopicField, TopicGroup } from './topic.ts';
export { allTopics, lookUp } from './topics.ts';
