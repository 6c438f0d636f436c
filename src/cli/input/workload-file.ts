/** Workloads from files: scatterlists of real drivers, or the mappings of a map request. */
import { IommuError, Scatterlist } from '../../index.ts';
import { isObject } from '../../json/schemas.ts';
import type { Operation } from '../../operations/schema.ts';
import { separated, type Workload, type WorkloadRequest } from '../../study/index.ts';
import { inputError } from '../io.ts';
import { type MapRequest, parseRequest } from './request.ts';
import { parseScatterlists, SCATTERLISTS_SCHEMA } from './scatterlists-file.ts';

/** @throws CliError (input) for any other file, or one that maps nothing. */
export function parseWorkload(json: unknown, source: string): Workload {
  if (isObject(json) && json.schema === SCATTERLISTS_SCHEMA) {
    const { name, cpuPageSize, producer, requests } = parseScatterlists(json, source);
    const question = `What would these drivers' lists cost elsewhere? ${producer}`.trim();
    return { name, question, cpuPageSize: Number(cpuPageSize), requests: separated(requests) };
  }
  const request = parseRequest(json, source);
  if (request.dma !== undefined) {
    throw inputError(`${source}: dma is for lpae map, walk and dump`, 'give the lists as ops, with IOVAs');
  }
  const requests = request.ops.flatMap((op, index) => mapped(op, index, request, source));
  if (requests.length === 0) throw inputError(`${source}: maps nothing: it has no map and no map_sg`);
  return {
    name: request.name ?? source,
    question: 'What would this request cost elsewhere?',
    cpuPageSize: Number(request.cpuPageSize),
    requests: separated(requests),
  };
}

/** The mapping of an operation. A range is a list of one entry. */
function mapped(
  op: Operation,
  index: number,
  { cpuPageSize }: MapRequest,
  source: string,
): Omit<WorkloadRequest, 'space'>[] {
  if (op.op !== 'map' && op.op !== 'map_sg') return [];
  const entries = op.op === 'map' ? [{ phys: op.paddr, length: op.size }] : op.sg;
  try {
    return [{ iova: op.iova, sg: Scatterlist.from(entries, { cpuPageSize: Number(cpuPageSize) }) }];
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    throw inputError(`${source}: operation ${index}: ${error.message}`);
  }
}
