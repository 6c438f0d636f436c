/** A value computed from timelines, and computed again when something that it looked at has changed. */
import type { Changes } from './changes.ts';
import { type Versioned, Watch } from './timeline.ts';

interface Computed<T> {
  readonly moment: number;
  readonly value: T;
  readonly version: object;
  readonly watch: Watch;
}

export class Derived<T> implements Versioned {
  readonly #changes: Changes;
  readonly #compute: (moment: number, watch: Watch) => T;
  readonly #computed: Computed<T>[] = [];
  #next = 0;

  constructor(changes: Changes, compute: (moment: number, watch: Watch) => T) {
    this.#changes = changes;
    this.#compute = compute;
  }

  versionAt(moment: number): object {
    return this.#at(moment)?.version ?? this;
  }

  /** The value at a moment, from 0 on. */
  at(moment: number): T {
    return this.#at(moment)!.value;
  }

  /** Forgets what was computed for moments after one. */
  rewind(moment: number): void {
    if (this.#next <= moment + 1) return;
    while (this.#computed.length > 0 && this.#computed.at(-1)!.moment > moment) this.#computed.pop();
    this.#next = moment + 1;
  }

  #at(moment: number): Computed<T> | undefined {
    for (; this.#next <= moment; this.#next++) {
      const old = this.#computed.at(-1);
      const now = this.#next;
      if (old !== undefined && !old.watch.isStale(this.#changes.at(now), now)) continue;
      const watch = new Watch();
      this.#computed.push({ moment: now, value: this.#compute(now, watch), version: {}, watch });
    }
    for (let i = this.#computed.length - 1; i >= 0; i--) {
      const computed = this.#computed[i]!;
      if (computed.moment <= moment) return computed;
    }
    return undefined;
  }
}
