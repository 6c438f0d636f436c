/**
 * Transactions of a device with ATS: it asks for a translation, or uses one that its ATC may hold, and sends the transaction as Translated, which
 * the SMMU checks as SMMU_CR0.ATSCHK says. (IHI 0070 3.9.1, 5.2 EATS, 13.6.)
 */
import { readIn } from '../../arch/read.ts';
import { EATS, STE, STE_CONFIG } from '../../arch/smmu/index.ts';
import { WalkerError } from '../../walker/errors.ts';
import { atsEventRecord } from '../events.ts';
import type { Outcome } from '../trace.ts';
import { type Answer, cachesOf, keyOf, Search, type StreamTransaction } from './answers.ts';
import type { AtcTimeline } from './atc-timeline.ts';
import type { CacheModel } from './cache-model.ts';
import { FROM, type Possible, STILL, type Watch, weightOf } from './timeline.ts';

const PAGE_BYTES = 0x1000n;
const TRANSLATION_FAULTS = ['F_TRANSLATION', 'F_ADDR_SIZE', 'F_ACCESS', 'F_PERMISSION'];

/** What an STE says of ATS. `silent`: Config = 0, where nothing is recorded. */
type Access = 'open' | 'closed' | 'silent';

export class AtsSearch {
  readonly #model: CacheModel;
  readonly #moment: number;
  readonly #transaction: StreamTransaction;

  constructor(model: CacheModel, moment: number, transaction: StreamTransaction) {
    this.#model = model;
    this.#moment = moment;
    this.#transaction = transaction;
  }

  /** Every permitted answer: that of memory as it is first. @param atc - of the transaction's page. */
  answers(atc: AtcTimeline): readonly Answer[] {
    const found = new Map<string, Answer>();
    const add = (answer: Answer) => {
      const key = keyOf(answer.outcome);
      const known = found.get(key);
      if (known === undefined || weightOf(answer.mask) < weightOf(known.mask)) found.set(key, answer);
    };
    const { access, ia } = this.#transaction;
    const wanted = access === 'write' ? 'write' : 'read';
    const offset = ia % PAGE_BYTES;
    const translated = [...this.requests()];
    for (const { item, until } of atc.possibleAt(this.#moment)) {
      if (item.access !== wanted) continue;
      const outcome = { kind: 'pa', pa: item.pa + offset } as const;
      translated.push({ outcome, mask: FROM.atc, last: STILL, until, event: undefined });
    }
    for (const answer of translated) {
      if (answer.outcome.kind !== 'pa') add(answer);
      else for (const checked of this.#checked(answer)) add(checked);
    }
    return [...found.values()]
      .sort((a, b) => weightOf(a.mask) - weightOf(b.mask) || (keyOf(a.outcome) < keyOf(b.outcome) ? -1 : 1))
      .map((answer) => {
        const { by: _, ...outcome } = answer.outcome;
        const by = cachesOf(answer.mask);
        return { ...answer, outcome: (by.length === 0 ? outcome : { ...outcome, by }) as Outcome };
      });
  }

  /** Translations of the transaction's page that a request may get now, for filling an ATC. */
  fills(watch: Watch): readonly Possible<bigint>[] {
    const { streamId, substreamId = 0, ia } = this.#transaction;
    for (const part of this.#model.partsFor(streamId, substreamId, ia)) watch.timeline(part, this.#moment);
    return [...this.requests()].flatMap(({ outcome, mask, last, until }) =>
      outcome.kind === 'pa' ? [{ item: outcome.pa - (outcome.pa % PAGE_BYTES), last, until, mask }] : [],
    );
  }

  /** What a Translation Request may be answered. (3.9.1.2.) */
  *requests(): Iterable<Answer> {
    for (const { access, answer } of this.#configurations()) {
      if (access === 'closed') yield { ...answer, ...this.#recorded('F_BAD_ATS_TREQ') };
      if (access === 'silent') yield answer;
    }
    const { ats: _, ...plain } = this.#transaction;
    const open = (words: readonly bigint[]) => this.#accessOf(words) === 'open';
    for (const answer of new Search(this.#model, this.#moment, plain, open).answers()) {
      yield requested(answer);
    }
  }

  /** A Translated transaction: checked against the STE, if SMMU_CR0.ATSCHK = 1. (3.9.1.3.) */
  *#checked(answer: Answer): Iterable<Answer> {
    if (!this.#model.changes.registersAt(this.#moment).atsCheck) {
      yield answer;
      return;
    }
    for (const { access, answer: check } of this.#configurations()) {
      const mask = answer.mask | check.mask;
      const [last, until] = [Math.min(answer.last, check.last), Math.min(answer.until, check.until)];
      if (access === 'open') yield { ...answer, mask, last, until };
      else if (access === 'closed') yield { mask, last, until, ...this.#recorded('F_TRANSL_FORBIDDEN') };
      else yield { ...check, mask, last, until };
    }
  }

  /** Every STE that may be met, and what it says. An STE that is at fault aborts, and leaves no event. */
  *#configurations(): Iterable<{ readonly access: Access; readonly answer: Answer }> {
    const registers = this.#model.registersAt(this.#moment);
    for (const { ste, last, until, mask } of this.#model
      .steOf(this.#transaction.streamId)
      .optionsAt(this.#moment)) {
      const answer = { outcome: { kind: 'abort' } as const, mask, last, until, event: undefined };
      const illegal = 'kind' in ste || this.#model.decoder.ste(ste, registers).illegal;
      yield { access: illegal ? 'silent' : this.#accessOf(ste), answer };
    }
  }

  /** The effective EATS. (5.2.) @throws WalkerError for what is not modelled. */
  #accessOf(words: readonly bigint[]): Access {
    const { Config, EATS: field } = STE.fields;
    const config = readIn(words, Config);
    if (config === STE_CONFIG.abort) return 'silent';
    const { ats, permissionTables } = this.#model.features;
    const { atsCheck } = this.#model.changes.registersAt(this.#moment);
    const eats = readIn(words, field);
    if (!ats || config === STE_CONFIG.bypass || eats === 0) return 'closed';
    if (eats === EATS.full) return 'open';
    const means = eats === EATS.splitStage ? atsCheck : atsCheck && permissionTables;
    if (!means) return 'closed';
    throw new WalkerError(
      `STE.EATS = ${eats} asks for ${eats === EATS.splitStage ? 'split-stage ATS' : 'checks against device permission tables'}, which is not modelled (IHI 0070 5.2); EATS = 1 is`,
    );
  }

  #recorded(fault: 'F_BAD_ATS_TREQ' | 'F_TRANSL_FORBIDDEN'): Pick<Answer, 'outcome' | 'event'> {
    return { outcome: { kind: 'fault', fault }, event: atsEventRecord(fault, this.#transaction) };
  }
}

/** SMMUEN = 0: requests and Translated transactions are refused. (3.9.1.2, 3.9.1.3, 6.3.9.6.) */
export function refusedAts(transaction: StreamTransaction): readonly Answer[] {
  return (['F_BAD_ATS_TREQ', 'F_TRANSL_FORBIDDEN'] as const).map((fault, i) => ({
    outcome: { kind: 'fault', fault, ...(i === 1 && { by: ['atc'] as const }) },
    mask: i === 0 ? FROM.memory : FROM.atc,
    last: STILL,
    until: STILL,
    event: atsEventRecord(fault, transaction),
  }));
}

/** A Translation Request with the answer that an ordinary transaction would get: no permission, or a Completer Abort. No event. (3.9.1.2.) */
function requested(answer: Answer): Answer {
  const { outcome } = answer;
  if (outcome.kind !== 'fault') return answer;
  const kind = TRANSLATION_FAULTS.includes(outcome.fault) ? 'denied' : 'abort';
  return { ...answer, outcome: { kind }, event: undefined };
}
