/** Names of combinations in sentences, tables and charts. */
import { sizeText } from '../text/numbers.ts';
import type { Combination, StageChoice } from './combinations.ts';

/** `stage 1`, `nested`. */
export function stageText(stage: StageChoice): string {
  return stage === 'nested' ? stage : `stage ${stage.slice(1)}`;
}

/** `4K, blocks, stage 1`: granule, sizes and stage. */
export function combinationText({
  granule,
  sizes,
  stage,
}: Pick<Combination, 'granule' | 'sizes' | 'stage'>): string {
  return `${sizeText(granule)}, ${sizes}, ${stageText(stage)}`;
}
