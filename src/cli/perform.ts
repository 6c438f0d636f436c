/** Carries out a map request on a domain of its own, and keeps what each operation answered. */
import { FormatError, IommuDomain, IommuError, MemoryError, PhysicalMemory, Scatterlist } from '../index.ts';
import { inputError } from './io.ts';
import type { MapRequest, RequestOp } from './request.ts';

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
}

export interface Performed {
  readonly domain: IommuDomain;
  readonly outcomes: readonly Outcome[];
}

/** @throws FormatError when the format refuses the configuration; CliError (input) for RAM that can't be. */
export function perform(request: MapRequest): Performed {
  const domain = new IommuDomain(memoryOf(request), request.format, request.config);
  return { domain, outcomes: request.ops.map((op) => performOne(domain, op, request.cpuPageSize)) };
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

function performOne(domain: IommuDomain, op: RequestOp, cpuPageSize: bigint): Outcome {
  let answer: Answer;
  try {
    answer = carryOut(domain, op, cpuPageSize);
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    answer = { ret: BigInt(error.errno), error, done: false };
  }
  const { ret, error, done, sg } = answer;
  const ok = op.want === undefined ? done : op.want === ret;
  return { op, ret, ok, ...(error && { error }), ...(sg && { sg }) };
}

interface Answer {
  readonly ret: bigint;
  readonly done: boolean;
  readonly error?: IommuError;
  readonly sg?: Scatterlist;
}

function carryOut(domain: IommuDomain, op: RequestOp, cpuPageSize: bigint): Answer {
  switch (op.op) {
    case 'map':
      domain.map(op.iova, op.paddr, op.size, op.prot);
      return { ret: 0n, done: true };
    case 'map_sg': {
      const sg = Scatterlist.from(op.sg, { cpuPageSize: Number(cpuPageSize) });
      return { ret: domain.mapSg(op.iova, sg, op.prot), done: true, sg };
    }
    case 'unmap': {
      const ret = domain.unmap(op.iova, op.size);
      return { ret, done: ret >= op.size };
    }
    case 'iova_to_phys': {
      const pa = domain.iovaToPhys(op.iova);
      return { ret: pa ?? 0n, done: pa !== null };
    }
  }
}
