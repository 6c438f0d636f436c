/** Transactions at a moment: with translation on, with it off, and of devices with ATS. (IHI 0070 3.9.1, 3.21, 6.3.9.6, 6.3.14.) */
import { SMMU_GBPA } from '../../arch/smmu/index.ts';
import { type Answer, Search, type StreamTransaction } from '../caches/answers.ts';
import { Atcs } from '../caches/atcs.ts';
import { AtsSearch, refusedAts } from '../caches/ats.ts';
import type { CacheModel } from '../caches/cache-model.ts';
import { FROM, STILL } from '../caches/timeline.ts';
import type { RegisterFile } from './register-file.ts';

export class Answering {
  readonly #model: CacheModel;
  readonly #registers: RegisterFile;
  readonly #atcs: Atcs;

  constructor(model: CacheModel, registers: RegisterFile) {
    this.#model = model;
    this.#registers = registers;
    this.#atcs = new Atcs(model);
  }

  /** The permitted answers to a transaction that comes at a moment. */
  at(transaction: StreamTransaction, moment: number): readonly Answer[] {
    const { streamId, substreamId = 0, ats = false } = transaction;
    if (!this.#model.changes.registersAt(moment).enabled) {
      return ats ? refusedAts(transaction) : [this.#bypassed(transaction)];
    }
    this.#model.addStream(streamId);
    this.#model.addStream(streamId, substreamId);
    return ats
      ? new AtsSearch(this.#model, moment, transaction).answers(this.#atcs.of(transaction))
      : new Search(this.#model, moment, transaction).answers();
  }

  /** SMMUEN = 0: what GBPA says. Nothing is recorded. (6.3.9.6, 6.3.14.) */
  #bypassed({ ia }: StreamTransaction): Answer {
    const aborts = this.#registers.isSet('GBPA', SMMU_GBPA.fields.ABORT);
    const beyond = ia >> BigInt(this.#model.features.oas) !== 0n;
    const outcome = aborts || beyond ? ({ kind: 'abort' } as const) : ({ kind: 'pa', pa: ia } as const);
    return { outcome, mask: FROM.memory, last: STILL, until: STILL, event: undefined };
  }
}
