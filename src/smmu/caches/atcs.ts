/** The translation caches of devices with ATS, page by page. (IHI 0070 3.9.1.) */
import type { StreamTransaction } from './answers.ts';
import { AtcTimeline } from './atc-timeline.ts';
import { AtsSearch } from './ats.ts';
import type { CacheModel } from './cache-model.ts';

/** Bytes of the smallest page. */
const PAGE = 0x1000n;

export class Atcs {
  readonly #model: CacheModel;
  readonly #all = new Map<string, AtcTimeline>();

  constructor(model: CacheModel) {
    this.#model = model;
    model.attach(this);
  }

  /** What the ATC of a stream's device may hold for a transaction's page. */
  of({ streamId, substreamId, ia, privileged = true }: StreamTransaction): AtcTimeline {
    const page = ia - (ia % PAGE);
    const key = [streamId, substreamId, page, privileged].join(' ');
    let atc = this.#all.get(key);
    if (atc === undefined) {
      const place = { streamId, substreamId, page };
      atc = new AtcTimeline(this.#model.changes, place, (moment, access, watch) => {
        const plain = { streamId, ia: page, access, privileged };
        const request = { ...plain, ...(substreamId !== undefined && { substreamId }) };
        return new AtsSearch(this.#model, moment, request).fills(watch);
      });
      this.#all.set(key, atc);
    }
    return atc;
  }

  rewind(moment: number): void {
    for (const atc of this.#all.values()) atc.rewind(moment);
  }

  forget(): void {
    this.#all.clear();
  }
}
