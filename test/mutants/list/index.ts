/** All mutants, room by room. */
import type { Mutant } from '../mutant.ts';
import { ANSWERS } from './answers.ts';
import { BBM } from './bbm.ts';
import { DRIVER } from './driver.ts';
import { LINT } from './lint.ts';
import { SMMU } from './smmu.ts';
import { TLB } from './tlb.ts';
import { TOOLS } from './tools.ts';
import { WALKER } from './walker.ts';

export const MUTANTS: readonly Mutant[] = [
  ...WALKER,
  ...SMMU,
  ...TLB,
  ...BBM,
  ...DRIVER,
  ...TOOLS,
  ...LINT,
  ...ANSWERS,
];
