/** Carries out a map request on a new domain, and keeps the result of each operation. */
import { FormatError, IommuDomain, IommuError, MemoryError, PhysicalMemory } from '../../index.ts';
import { type Answer, perform as carryOut } from '../../operations/perform.ts';
import type { Operation } from '../../operations/schema.ts';
import type { MapRequest } from '../input/request.ts';
import { inputError } from '../io.ts';
import { type DmaOutcome, performDma } from './dma.ts';
import { checkLeaves } from './leaves-asked.ts';

/** The outcome of one operation. */
export interface Outcome extends Omit<Answer, 'done'> {
  readonly op: Operation;
  /** Whether the result is the one that the file expects; without an expectation, whether it was done in full. */
  readonly ok: boolean;
}

export interface Performed {
  readonly domain: IommuDomain;
  readonly outcomes: readonly Outcome[];
  /** Of the DMA part of a request. */
  readonly dma: readonly DmaOutcome[];
}

/**
 * @param memory - where the tables go. Default: RAM of the request's own.
 * @throws FormatError when the format refuses the configuration; CliError (input) for impossible RAM, or more leaves than memory holds.
 */
export function perform(request: MapRequest, memory = memoryOf(request)): Performed {
  const domain = new IommuDomain(memory, request.format, request.options);
  checkLeaves(domain, request);
  const outcomes = request.ops.map((op) => performOne(domain, op, request));
  return { domain, outcomes, dma: request.dma ? performDma(domain, request.dma, request.cpuPageSize) : [] };
}

/** Whether every operation was done in full, and returned what the request expects. */
export function allDone({ outcomes, dma }: Performed): boolean {
  return outcomes.every(({ ok }) => ok) && dma.every(({ error }) => error === undefined);
}

/** The same for commands that need tables. */
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
export function performOne(domain: IommuDomain, op: Operation, request: MapRequest): Outcome {
  const { done, ...answer } = carryOut(domain, op, request);
  const asWanted = op.ret === undefined ? done : op.ret === answer.ret;
  return { op, ...answer, ok: asWanted && rangesAsWanted(op, answer.ranges) };
}

/** Whether reading dirty state gave the ranges that the file expects, if it expects any. */
function rangesAsWanted(op: Operation, got: Answer['ranges'] = []): boolean {
  if (op.op !== 'dirty' || op.ranges === undefined) return true;
  const { ranges } = op;
  return (
    ranges.length === got.length &&
    ranges.every(({ iova, size }, i) => iova === got[i]?.iova && size === got[i]?.size)
  );
}
