/** The glossary and the reading of faults: names and values explained, log lines and registers as typed faults. */

export type { FieldPlace } from './descriptor-fields.ts';
export type { DecodedFault, DecodedKind, FaultSource, RegisterValue } from './faults/decoded-fault.ts';
export { decodeDfsr, decodeEsr, decodeIfsr, decodePar, type EsrContext } from './faults/from-cpu.ts';
export { type ContextFault, decodeContextFault, decodeEvent } from './faults/from-smmu.ts';
export { parseFaults } from './faults/parse.ts';
export { causesOf, checksOf, faultSentence, nextSteps } from './faults/words.ts';
export type { RegisterLayout } from './register.ts';
export type { Topic, TopicCode, TopicField, TopicGroup } from './topic.ts';
export { allTopics, lookUp } from './topics.ts';
