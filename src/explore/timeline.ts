/**
 * Operations on a domain one after the other: the words that each wrote, in their order, and the invalidations that are owed behind it.
 * (DDI 0487 D8.17.)
 */
import {
  type NeededInvalidation,
  type Recording,
  recordWrites,
  type StepVerdict,
  TraceError,
  TraceJudge,
  traceContext,
} from '../bbm/index.ts';
import { IommuDomain } from '../iommu/domain.ts';
import type { DomainOptions } from '../iommu/domain-options.ts';
import type { SgSemantics } from '../iommu/sg-semantics.ts';
import { PhysicalMemory } from '../memory/index.ts';
import { type Answer, perform } from '../operations/perform.ts';
import type { Operation } from '../operations/schema.ts';
import type { FormatModule } from '../pagetable/format.ts';
import { type Made, madeOf } from './made.ts';

/** Operations, and the domain that they begin with. */
export interface TimedRequest {
  readonly format: FormatModule;
  readonly options: DomainOptions;
  /** Where the tables lie. */
  readonly ram: { readonly base: bigint; readonly size: bigint };
  readonly ops: readonly Operation[];
  readonly semantics: SgSemantics;
  /** Bytes of a CPU page. */
  readonly cpuPageSize: bigint;
}

/** 64 bits of a table that were written. */
export interface WrittenWord {
  readonly pa: bigint;
  readonly before: bigint;
  readonly after: bigint;
}

/** One operation, carried out. */
export interface TimedOp {
  readonly op: Operation;
  readonly answer: Answer;
  /** In the order of their stores. Two halves of a word that are stored one after the other are one write. */
  readonly words: readonly WrittenWord[];
  /** The same words judged, with the invalidations that were made between them. Empty where nothing judges. */
  readonly verdicts: readonly StepVerdict[];
  /** What TLBs may still hold behind it though the tables no longer say so. */
  readonly owed: readonly NeededInvalidation[];
}

export interface Timeline {
  readonly ops: readonly TimedOp[];
  readonly judge?: TraceJudge;
  /** Why break-before-make is not judged. */
  readonly unjudged?: string;
}

/** Carries out operations on a domain whose memory it watches, and judges what they write. */
export class Recorder {
  readonly judge: TraceJudge | undefined;
  readonly unjudged: string | undefined;
  readonly #domain: IommuDomain;
  readonly #sync: boolean;
  readonly #recording: Recording;
  readonly #words = new Map<bigint, bigint>();
  #seen = 0;

  /** @param sync - invalidate as Linux does: see {@link timelineOf}. */
  constructor(domain: IommuDomain, sync: boolean) {
    this.#domain = domain;
    this.#sync = sync;
    this.#recording = recordWrites(domain.memory);
    try {
      const { initial } = this.#recording;
      // An IOMMU's stage-2 domain has no stage 1 over it.
      this.judge = new TraceJudge({ ...traceContext(domain.registers.hardware), combined: false, initial });
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      this.unjudged = error.message;
    }
  }

  perform(
    op: Operation,
    { semantics, cpuPageSize }: Pick<TimedRequest, 'semantics' | 'cpuPageSize'>,
  ): TimedOp {
    const answer = perform(this.#domain, op, { semantics, cpuPageSize });
    const range = invalidatedBy(op, answer);
    if (this.#sync && range.size > 0n) this.#recording.invalidate(range.from, range.size);
    const steps = this.#recording.steps.slice(this.#seen);
    this.#seen += steps.length;
    const words = steps.flatMap((step) => ('write' in step ? [this.#word(step.write, step.value)] : []));
    const verdicts = this.judge ? steps.flatMap((step) => this.#judged(this.judge!, step)) : [];
    return { op, answer, words, verdicts, owed: this.judge?.owed() ?? [] };
  }

  /** Views of the memory are the memory's own again. */
  stop(): void {
    this.#recording.stop();
  }

  #word(pa: bigint, after: bigint): WrittenWord {
    const before = this.#words.get(pa) ?? this.#recording.initial(pa);
    this.#words.set(pa, after);
    return { pa, before, after };
  }

  /** Linux also invalidates what a table covered when its descriptor is removed, before its frame is reused (io_pgtable_tlb_flush_walk). */
  #judged(judge: TraceJudge, step: Parameters<TraceJudge['judge']>[0]): StepVerdict[] {
    const verdict = judge.judge(step);
    if (!this.#sync || verdict.kind !== 'write' || !verdict.tableLost) return [verdict];
    return [verdict, ...verdict.places.map(({ ia, size }) => judge.judge({ invalidate: ia, size }))];
  }
}

/**
 * Carries out all operations. A refusal is an answer.
 *
 * @param sync - invalidate as Linux does: the range after every unmap, what a table covered when its descriptor is removed, and what was
 * made clean.
 * @throws IommuError where the format refuses the configuration, or memory holds no root.
 */
export function timelineOf(asked: TimedRequest, sync: boolean): Timeline {
  const recorder = new Recorder(domainOf(asked), sync);
  const ops = asked.ops.map((op) => recorder.perform(op, asked));
  const { judge, unjudged } = recorder;
  return { ops, ...(judge && { judge }), ...(unjudged !== undefined && { unjudged }) };
}

/** The tables after the first `count` operations. @throws IommuError, as {@link timelineOf} does. */
export function tablesAfter(asked: TimedRequest, count: number): Made {
  const domain = domainOf(asked);
  for (const op of asked.ops.slice(0, count)) perform(domain, op, asked);
  return madeOf(domain);
}

/** The domain that the operations begin with. @throws IommuError, as {@link timelineOf} does. */
export function domainOf({ ram, format, options }: TimedRequest): IommuDomain {
  return new IommuDomain(new PhysicalMemory(ram), format, options);
}

/** The input addresses that Linux invalidates afterwards: what an unmap removed, and what a refused map had already mapped. */
function invalidatedBy(op: Operation, { ret, error, from }: Answer): { from: bigint; size: bigint } {
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
