/** Carries out an operation on a domain, and keeps what it answered. */
import type { IommuDomain } from '../iommu/domain.ts';
import { Scatterlist } from '../iommu/scatterlist.ts';
import { mapSgAs, planSgFor, type SgPlan, type SgSemantics } from '../iommu/sg-semantics.ts';
import { IommuError } from '../pagetable/errors.ts';
import type { Operation } from './schema.ts';

/** What operations say nothing of. */
export interface PerformOptions {
  /** What map_sg means. Default: `exact`. */
  readonly semantics?: SgSemantics;
  /** Bytes of a CPU page, which scatterlist entries are made of. Default: 4096. */
  readonly cpuPageSize?: bigint;
}

export interface Answer {
  /** As Linux returns it: 0, bytes, an address, or a negative errno. */
  readonly ret: bigint;
  /** Whether it was done in full. */
  readonly done: boolean;
  /** Why it was refused, or of an unmap why it stopped. */
  readonly error?: IommuError;
  /** map_sg: entries, the runs they make, and their bytes. */
  readonly sg?: Scatterlist;
  /** map_sg: what it comes to under the semantics. */
  readonly plan?: SgPlan;
  /** unmap: the first IOVA that went, where that lies before what was asked. */
  readonly from?: bigint;
}

/** One operation. A refusal is an answer; nothing else is caught. */
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
  }
}

/** What a map_sg comes to, where its list can be one. */
function planOf(domain: IommuDomain, op: Operation, options: PerformOptions): Pick<Answer, 'plan'> {
  if (op.op !== 'map_sg') return {};
  try {
    return { plan: planSgFor(domain, op.iova, listOf(op, options), options.semantics ?? 'exact') };
  } catch (error) {
    // The list itself was refused: that is the answer's error already.
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
