/** Carries out an operation on a domain and records the result. */
import type { IommuDomain } from '../iommu/domain.ts';
import { Scatterlist } from '../iommu/scatterlist.ts';
import { mapSgAs, planSgFor, type SgPlan, type SgSemantics } from '../iommu/sg-semantics.ts';
import type { TrackedRange } from '../iommu/tracking.ts';
import { IommuError } from '../pagetable/errors.ts';
import type { Operation } from './schema.ts';

/** Settings that apply to all operations. */
export interface PerformOptions {
  /** What map_sg means. Default: `exact`. */
  readonly semantics?: SgSemantics;
  /** Bytes of a CPU page, the unit of scatterlist entries. Default: 4096. */
  readonly cpuPageSize?: bigint;
}

export interface Answer {
  /** The return value as in Linux: 0, bytes, an address, or a negative errno. */
  readonly ret: bigint;
  /** True if all of it was done. */
  readonly done: boolean;
  /** Why it was refused, or why an unmap or dirty-state read stopped. */
  readonly error?: IommuError;
  /** For map_sg: the scatterlist. */
  readonly sg?: Scatterlist;
  /** For map_sg: the plan under the chosen semantics. */
  readonly plan?: SgPlan;
  /** For dirty: what was dirty. */
  readonly ranges?: readonly TrackedRange[];
  /** For unmap: the first unmapped IOVA, if it lies before the requested one. */
  readonly from?: bigint;
}

/** Performs one operation. A refusal becomes part of the result; no other error is caught. */
export function perform(domain: IommuDomain, op: Operation, options: PerformOptions = {}): Answer {
  try {
    return carryOut(domain, op, options);
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    return { ret: BigInt(error.errno), error, done: false, ...planOf(domain, op, options) };
  }
}

function carryOut(domain: IommuDomain, op: Operation, options: PerformOptions): Answer {
  switch (op.op) {
    case 'map':
      domain.map(op.iova, op.paddr, op.size, op.prot);
      return { ret: 0n, done: true };
    case 'map_sg': {
      const sg = listOf(op, options);
      const plan = mapSgAs(domain, op.iova, sg, op.prot, options.semantics ?? 'exact');
      return { ret: plan.mappedBytes, done: true, sg, plan };
    }
    case 'unmap': {
      const { bytes, from, stop } = domain.unmapReport(op.iova, op.size);
      return {
        ret: bytes,
        done: bytes >= op.size,
        ...(stop && { error: stop }),
        ...(from < op.iova && { from }),
      };
    }
    case 'iova_to_phys': {
      const pa = domain.iovaToPhys(op.iova);
      return { ret: pa ?? 0n, done: pa !== null };
    }
    case 'dirty': {
      const { ranges, stop } = domain.dirtyReport(op.iova, op.size, { clear: op.clear !== false });
      return {
        ret: BigInt(stop?.errno ?? 0),
        done: stop === undefined,
        ranges,
        ...(stop && { error: stop }),
      };
    }
  }
}

/** The plan of a map_sg, if its list is valid. */
function planOf(domain: IommuDomain, op: Operation, options: PerformOptions): Pick<Answer, 'plan'> {
  if (op.op !== 'map_sg') return {};
  try {
    return { plan: planSgFor(domain, op.iova, listOf(op, options), options.semantics ?? 'exact') };
  } catch (error) {
    // The list itself was refused, which the result's error already says.
    if (error instanceof IommuError) return {};
    throw error;
  }
}

function listOf(
  op: Extract<Operation, { op: 'map_sg' }>,
  { cpuPageSize = 4096n }: PerformOptions,
): Scatterlist {
  return Scatterlist.from(op.sg, { cpuPageSize: Number(cpuPageSize) });
}
