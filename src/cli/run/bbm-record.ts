/** Turns a map request into a trace: operations run on a recorded memory, and their writes are judged operation by operation. */
import { recordWrites, type StepVerdict, TraceError, TraceJudge, traceContext } from '../../bbm/index.ts';
import type { Operation } from '../../operations/schema.ts';
import { hex, sizeText } from '../../text/numbers.ts';
import type { MapRequest } from '../input/request.ts';
import { inputError } from '../io.ts';
import { type Outcome, performOne, performOrRefuse } from './perform.ts';

/** The writes of one operation. */
export interface JudgedOp {
  readonly title: string;
  readonly verdicts: readonly StepVerdict[];
}

export interface RecordedRun {
  readonly judge: TraceJudge;
  readonly ops: readonly JudgedOp[];
}

/**
 * Records and judges a request.
 *
 * @param sync - invalidate as Linux does: the range after every unmap, and what a table covered when its descriptor is
 * removed, before its frame is reused (io_pgtable_tlb_flush_walk).
 * @throws CliError (input) for a format without VMSAv8-64 descriptors.
 */
export function recordRequest(request: MapRequest, source: string, sync: boolean): RecordedRun {
  if (request.dma !== undefined)
    throw inputError(`${source}: dma is for lpae map, walk and dump`, 'give the same as ops');
  const { domain } = performOrRefuse({ ...request, ops: [] }, source);
  const recording = recordWrites(domain.memory);
  const { initial } = recording;
  const judge = judgeOf(domain.registers.hardware, initial, source);
  let judged = 0;
  const ops = request.ops.map((op) => {
    const range = invalidatedBy(performOne(domain, op, request));
    if (sync && range.size > 0n) recording.invalidate(range.from, range.size);
    const steps = recording.steps.slice(judged);
    judged += steps.length;
    return { title: titleOf(op), verdicts: steps.flatMap((step) => judgeStep(judge, step, sync)) };
  });
  return { judge, ops };
}

function judgeOf(
  hardware: ReturnType<typeof performOrRefuse>['domain']['registers']['hardware'],
  initial: (pa: bigint) => bigint,
  source: string,
): TraceJudge {
  try {
    // An IOMMU's stage-2 domain has no stage 1 over it.
    return new TraceJudge({ ...traceContext(hardware), combined: false, initial });
  } catch (error) {
    if (error instanceof TraceError) {
      throw inputError(
        `${source}: ${error.message}`,
        'formats arm_64_lpae_s1 and arm_64_lpae_s2 have such tables',
      );
    }
    throw error;
  }
}

function judgeStep(
  judge: TraceJudge,
  step: Parameters<TraceJudge['judge']>[0],
  sync: boolean,
): StepVerdict[] {
  const verdict = judge.judge(step);
  if (!sync || verdict.kind !== 'write' || !verdict.tableLost) return [verdict];
  const flushes = verdict.places.map(({ ia, size }) => judge.judge({ invalidate: ia, size }));
  return [verdict, ...flushes];
}

/** The input addresses that Linux invalidates afterwards: what an unmap removed, and what a refused map had already mapped. */
function invalidatedBy({ op, ret, error, from }: Outcome): { from: bigint; size: bigint } {
  switch (op.op) {
    case 'unmap':
      return { from: from ?? op.iova, size: ret };
    case 'map':
      return { from: op.iova, size: error ? op.size : 0n };
    case 'map_sg':
      return {
        from: op.iova,
        size: error ? op.sg.reduce((sum, { length }) => sum + BigInt(length), 0n) : 0n,
      };
    // Linux invalidates what it made clean, so that the next write is noticed.
    case 'dirty':
      return { from: op.iova, size: op.clear === false ? 0n : op.size };
    case 'iova_to_phys':
      return { from: op.iova, size: 0n };
  }
}

function titleOf(op: Operation): string {
  const at = `${op.op}  IOVA ${hex(op.iova)}`;
  if (op.op === 'map') return `${at} -> PA ${hex(op.paddr)}, ${sizeText(op.size)}`;
  return 'size' in op ? `${at}, ${sizeText(op.size)}` : at;
}
