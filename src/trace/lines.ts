/** SMMUv3 traces as JSON lines: the head of a `pgtable-trace/1` document in the first line, a step in each one that follows. */
import { isObject } from '../json/schemas.ts';
import { type SmmuTrace, SmmuTraceError } from '../smmu/trace.ts';
import { parseSmmuTrace } from './parse.ts';
import { TRACE_SCHEMA } from './schema.ts';

/**
 * Reads a trace from text: one JSON document, or JSON lines. The last line may be `{"end": <number of steps>}`, by which
 * a file that was cut off is told from a whole one.
 * @throws SmmuTraceError that names the wrong part, and the line.
 */
export function parseSmmuTraceText(text: string): SmmuTrace {
  if (!isTraceLines(text)) return parseSmmuTrace(jsonOf(text));
  const lines = text.split('\n').map((line, i) => ({ line: line.trim(), number: i + 1 }));
  const [head, ...rest] = lines.filter(({ line }) => line !== '');
  const steps: unknown[] = [];
  const lineOf: number[] = [];
  let end: number | undefined;
  for (const { line, number } of rest) {
    const json = jsonOf(line, number);
    if (end !== undefined) {
      throw new SmmuTraceError(
        `line ${number}: step ${steps.length} comes after the trace's end, line ${end}`,
        steps.length,
      );
    }
    if (isObject(json) && 'end' in json) {
      checkCount(json.end, steps.length, number);
      end = number;
      continue;
    }
    steps.push(json);
    lineOf.push(number);
  }
  try {
    return parseSmmuTrace({ ...(jsonOf(head!.line, head!.number) as object), steps });
  } catch (error) {
    if (!(error instanceof SmmuTraceError) || error.step === undefined) throw error;
    const line = lineOf[error.step];
    throw new SmmuTraceError(`${line === undefined ? '' : `line ${line}: `}${error.message}`, error.step);
  }
}

/** Whether the first line of a text is the head of a trace, a document of its own without steps. */
export function isTraceLines(text: string): boolean {
  const [first = ''] = text.trimStart().split('\n', 1);
  try {
    const json: unknown = JSON.parse(first);
    return isObject(json) && json.schema === TRACE_SCHEMA && !('steps' in json);
  } catch {
    return false;
  }
}

function checkCount(said: unknown, steps: number, line: number): void {
  if (said === steps) return;
  throw new SmmuTraceError(
    `line ${line}: end must be the number of steps, which is ${steps}, but is ${JSON.stringify(said)}: lines are missing or were added`,
  );
}

function jsonOf(text: string, line?: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const where = line === undefined ? '' : `line ${line}: `;
    throw new SmmuTraceError(`${where}not JSON: ${(error as Error).message}`);
  }
}
