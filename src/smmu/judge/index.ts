/** The judge of SMMUv3 drivers: traces replayed, the answers that the architecture permits, and what would leave one. */

export { type Answer, cachesOf, keyOf } from '../caches/answers.ts';
export { BEYOND_RAM, dependsOnBeyondRam } from './beyond-ram.ts';
export {
  type ChangeReport,
  examineChange,
  type StructureChange,
  type StructureStep,
  type TornStructure,
} from './hitless.ts';
export {
  type Finding,
  type JudgedAccess,
  type JudgedAnswer,
  type Judgement,
  judgeSmmuTrace,
} from './judge.ts';
export { type MinimalCommand, minimalCommands } from './minimal.ts';
export type { JudgedCommand, NearMiss } from './near-misses.ts';
export { answersAfter, type Needs, needsOf } from './needs.ts';
export type { Origin } from './origin.ts';
export { deviceOf, type ReplayedStep, replay, transactionOf } from './replay.ts';
export { byText, outcomeText } from './words.ts';
