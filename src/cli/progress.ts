/** A progress line on a terminal's stderr for work that takes longer than a second. Nothing is shown elsewhere. */

import { count } from '../text/numbers.ts';
import type { TextSink } from './io.ts';

const PATIENCE_MS = 1000;
const REDRAW_MS = 100;

export class Progress {
  readonly #sink: TextSink;
  readonly #what: string;
  readonly #total: number;
  #next = performance.now() + PATIENCE_MS;
  #drawn = false;

  constructor(sink: TextSink, what: string, total: number) {
    this.#sink = sink;
    this.#what = what;
    this.#total = total;
  }

  at(done: number): void {
    if (this.#sink.isTTY !== true || performance.now() < this.#next) return;
    this.#next = performance.now() + REDRAW_MS;
    this.#drawn = true;
    this.#sink.write(`\r\u001b[K${this.#what}: ${count(done)} of ${count(this.#total)}`);
  }

  end(): void {
    if (this.#drawn) this.#sink.write('\r\u001b[K');
  }
}
