/** Carries out a map request on a domain of its own, and keeps what each operation answered. */
import {
  FormatError,
  IommuDomain,
  IommuError,
  MemoryError,
  mapSgAs,
  PhysicalMemory,
  Scatterlist,
  type SgPlan,
} from '../../index.ts';
import { planSgFor } from '../../iommu/sg-semantics.ts';
import type { MapRequest, RequestOp } from '../input/request.ts';
import { inputError } from '../io.ts';

/** What one operation came to. */
export interface Outcome {
  readonly op: RequestOp;
  /** As Linux returns it: 0, bytes, an address, or a negative errno. */
  readonly ret: bigint;
  readonly error?: IommuError;
  /** As the file wants it; without a wish, whether it was done in full. */
  readonly ok: boolean;
  /** map_sg: entries, the runs they make, and their bytes. */
  readonly sg?: Scatterlist;
  /** map_sg: what it comes to under the request's semantics. */
  readonly plan?: SgPlan;
  /** unmap: the first IOVA that went, where that lies before what was asked. */
  readonly from?: bigint;
}

export interface Performed {
  readonly domain: IommuDomain;
  readonly outcomes: readonly Outcome[];
}

/** @throws FormatError when the format refuses the configuration; CliError (input) for RAM that can't be. */
export function perform(request: MapRequest): Performed {
  const { config, partialUnmap } = request;
  const domain = new IommuDomain(memoryOf(request), request.format, { ...config, partialUnmap });
  return { domain, outcomes: request.ops.map((op) => performOne(domain, op, request)) };
}

/** The same for commands that can't do without tables. */
export function performOrRefuse(request: MapRequest, source: string): Performed {
  try {
    return perform(request);
  } catch (error) {
    if (error instanceof FormatError) throw inputError(`${source}: config: ${error.message}`);
    if (error instanceof IommuError) throw inputError(`${source}: ${error.message}`);
    throw error;
  }
}

function memoryOf({ ram }: MapRequest): PhysicalMemory {
  try {
    return new PhysicalMemory(ram);
  } catch (error) {
    if (error instanceof MemoryError) throw inputError(`ram: ${error.message}`);
    throw error;
  }
}

/** One operation. A refusal is an outcome. */
export function performOne(domain: IommuDomain, op: RequestOp, request: MapRequest): Outcome {
  let answer: Answer;
  try {
    answer = carryOut(domain, op, request);
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    answer = { ret: BigInt(error.errno), error, done: false, ...planOf(domain, op, request) };
  }
  const { ret, error, done, sg, plan, from } = answer;
  const ok = op.want === undefined ? done : op.want === ret;
  return {
    op,
    ret,
    ok,
    ...(error && { error }),
    ...(sg && { sg }),
    ...(plan && { plan }),
    ...(from !== undefined && { from }),
  };
}

interface Answer {
  readonly ret: bigint;
  readonly done: boolean;
  readonly error?: IommuError;
  readonly sg?: Scatterlist;
  readonly plan?: SgPlan;
  readonly from?: bigint;
}

/** What a map_sg comes to, where its list can be one. */
function planOf(domain: IommuDomain, op: RequestOp, request: MapRequest): Pick<Answer, 'plan'> {
  if (op.op !== 'map_sg') return {};
  try {
    return { plan: planSgFor(domain, op.iova, listOf(op, request), request.semantics) };
  } catch (error) {
    // The list itself was refused: that is the outcome's error already.
    if (error instanceof IommuError) return {};
    throw error;
  }
}

function listOf(op: Extract<RequestOp, { op: 'map_sg' }>, { cpuPageSize }: MapRequest): Scatterlist {
  return Scatterlist.from(op.sg, { cpuPageSize: Number(cpuPageSize) });
}

function carryOut(domain: IommuDomain, op: RequestOp, request: MapRequest): Answer {
  switch (op.op) {
    case 'map':
      domain.map(op.iova, op.paddr, op.size, op.prot);
      return { ret: 0n, done: true };
    case 'map_sg': {
      const sg = listOf(op, request);
      const plan = mapSgAs(domain, op.iova, sg, op.prot, request.semantics);
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
