/** All mutants, room by room. */
import type { Mutant } from '../mutant.ts';
import { SMMU } from './smmu.ts';

export const MUTANTS: readonly Mutant[] = [...SMMU];
