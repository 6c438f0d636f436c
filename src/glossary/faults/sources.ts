/** All sources of faults that are recognised by their log lines, each a table of forms. Their order does not matter. */

import { adrenoHeadOf, adrenoMoreOf } from './adreno.ts';
import type { DecodedFault } from './decoded-fault.ts';
import { type Form, headIn, type More, moreIn } from './forms.ts';
import { maliHeadOf, maliMoreOf } from './mali.ts';
import { IOMMU_FORMS, IOMMU_MORE } from './soc-lines.ts';
import { BSD_FORMS } from './sources/bsd.ts';
import { GPU_FORMS, GPU_MORE } from './sources/gpu-mmus.ts';
import { HYPERVISOR_FORMS } from './sources/hypervisors.ts';
import { SOC_FORMS, SOC_MORE } from './sources/memory-controllers.ts';
import { OTHER_IOMMU_FORMS, OTHER_IOMMU_MORE } from './sources/other-iommus.ts';
import { SMMU_FORMS, SMMU_MORE } from './sources/smmu-lines.ts';
import { PART_FORMS } from './sources/syndrome-parts.ts';
import { WORD_FORMS } from './sources/words.ts';

const FORMS: readonly Form[] = [
  ...HYPERVISOR_FORMS,
  ...SMMU_FORMS,
  ...IOMMU_FORMS,
  ...SOC_FORMS,
  ...GPU_FORMS,
  ...OTHER_IOMMU_FORMS,
  ...PART_FORMS,
  ...BSD_FORMS,
  ...WORD_FORMS,
];
const MORE: readonly More[] = [...SMMU_MORE, ...IOMMU_MORE, ...SOC_MORE, ...GPU_MORE, ...OTHER_IOMMU_MORE];

/** Every form contains one of these words. Most lines of a log contain none. */
const WORDS =
  /fault|abort|error|mc-err|tlb hits|trap|unhandled|esr:|failed|errs:|invalid|mapped!|\biss\b|user address|@/i;

/** The fault that begins in the first `own` characters of a text. */
export function headOf(text: string, own = text.length): DecodedFault | undefined {
  if (!WORDS.test(text)) return undefined;
  return maliHeadOf(text, own) ?? adrenoHeadOf(text, own) ?? headIn(FORMS, text, own)?.fault;
}

/** The fault with the facts that a later line adds, or undefined if it adds nothing. */
export function moreOf(last: DecodedFault, line: string): DecodedFault | undefined {
  return maliMoreOf(last, line) ?? adrenoMoreOf(last, line) ?? moreIn(MORE, last, line);
}
