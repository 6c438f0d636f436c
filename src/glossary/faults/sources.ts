/** All sources of faults that are recognised by their log lines, each a table of forms. Their order does not matter. */

import { adrenoHeadOf, adrenoMoreOf } from './adreno.ts';
import type { DecodedFault } from './decoded-fault.ts';
import { type Form, headIn, type More, moreIn } from './forms.ts';
import { maliHeadOf, maliMoreOf } from './mali.ts';
import { IOMMU_FORMS, IOMMU_MORE } from './soc-lines.ts';
import { GPU_FORMS, GPU_MORE } from './sources/gpu-mmus.ts';
import { HYPERVISOR_FORMS } from './sources/hypervisors.ts';
import { SOC_FORMS, SOC_MORE } from './sources/memory-controllers.ts';
import { SMMU_FORMS, SMMU_MORE } from './sources/smmu-lines.ts';
import { WORD_FORMS } from './sources/words.ts';

const FORMS: readonly Form[] = [
  ...HYPERVISOR_FORMS,
  ...SMMU_FORMS,
  ...IOMMU_FORMS,
  ...SOC_FORMS,
  ...GPU_FORMS,
  ...WORD_FORMS,
];
const MORE: readonly More[] = [...SMMU_MORE, ...IOMMU_MORE, ...SOC_MORE, ...GPU_MORE];

/** Every form contains one of these words. Most lines of a log contain none. */
const WORDS = /fault|abort|error|mc-err|tlb hits|trap|unhandled|esr:|failed|errs:|@/i;

/** The fault that begins in the first `own` characters of a text. */
export function headOf(text: string, own = text.length): DecodedFault | undefined {
  if (!WORDS.test(text)) return undefined;
  return maliHeadOf(text, own) ?? adrenoHeadOf(text, own) ?? headIn(FORMS, text, own)?.fault;
}

/** The fault with the facts that a later line adds, or undefined if it adds nothing. */
export function moreOf(last: DecodedFault, line: string): DecodedFault | undefined {
  return maliMoreOf(last, line) ?? adrenoMoreOf(last, line) ?? moreIn(MORE, last, line);
}
