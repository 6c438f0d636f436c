/** IOVAs that Linux unmapped and mapped again, by its events alone: whether the driver can have invalidated anything in between. (IHI 0070 G.b, 4.4, 3.5.) */
import type { SmmuTraceStep } from '../smmu/trace.ts';
import type { IommuEvent } from './linux-events.ts';

/** An IOVA in use again. */
export interface ReusedIova {
  /** Number of the step that follows the second mapping. */
  readonly step: number;
  readonly iova: bigint;
  /** Number of the step that follows the unmap. */
  readonly unmapped: number;
}

/** Mappings over what was unmapped before, with no write of CMDQ_PROD in between: no command can have been submitted. */
export function reusedWithoutCommand(
  events: readonly IommuEvent[],
  steps: readonly SmmuTraceStep[],
): readonly ReusedIova[] {
  const found: ReusedIova[] = [];
  const gone: { iova: bigint; end: bigint; step: number }[] = [];
  for (const { kind, iova, size = 0n, step } of events) {
    if (kind === 'fault') continue;
    const end = iova + size;
    if (kind === 'unmap') {
      gone.push({ iova, end, step });
      continue;
    }
    const old = gone.find((one) => one.iova < end && iova < one.end && !submits(steps, one.step, step));
    if (old !== undefined) found.push({ step, iova, unmapped: old.step });
  }
  return found;
}

function submits(steps: readonly SmmuTraceStep[], from: number, to: number): boolean {
  return steps.slice(from, to).some((step) => step.kind === 'mmio' && step.register === 'CMDQ_PROD');
}
