/** Carries out a map request on a new domain, and keeps the result of each operation. */
import { FormatError, IommuDomain, IommuError, MemoryError, PhysicalMemory } from '../../index.ts';
import { perform as carryOut } from '../../operations/perform.ts';
import type { Operation } from '../../operations/schema.ts';
import type { MapRequest } from '../input/request.ts';
import { inputError } from '../io.ts';
import { type DmaOutcome, performDma } from './dma.ts';
import { checkLeaves } from './leaves-asked.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

export type { Outcome } from './outcome.ts';

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
  return outcomeOf(op, carryOut(domain, op, request));
}
