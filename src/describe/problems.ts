/** Applies rules to whole registers: MAIR byte by byte, DACR domain by domain. (DDI 0487 D24.2.127, G8.2.38.) */
import { read } from '../arch/read.ts';
import { DACR_DOMAINS } from '../arch/registers/aarch32-base.ts';
import { MAIR_ATTRIBUTES } from '../arch/registers/base.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import { DOMAIN_RESERVED } from '../walker/rules/aarch32.ts';
import { MAIR_RESERVED } from '../walker/rules/memory-type.ts';
import { problemsOf, type RegisterProblem } from '../walker/rules/rule.ts';

/** Reserved values in the bytes of a MAIR. */
export function mairProblems(
  register: string,
  mair: bigint,
  features: Pick<CpuFeatures, 'mte' | 'xs'>,
  section: string,
): RegisterProblem[] {
  return MAIR_ATTRIBUTES.flatMap((field, index) =>
    problemsOf([MAIR_RESERVED], { index, byte: read(mair, field), features }, { register, section }),
  );
}

/** Domains whose access type is reserved. */
export function dacrProblems(dacr: bigint): RegisterProblem[] {
  return DACR_DOMAINS.flatMap((field, domain) =>
    problemsOf([DOMAIN_RESERVED], { domain, type: read(dacr, field) }, undefined),
  );
}
