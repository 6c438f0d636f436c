/** Runs a computation once for every combination of the choices that it makes: how a set of permitted outcomes is found. */

/** Answers each choice of a run, and goes through all combinations, one a run. */
export class Choices {
  /** The answers of this run and, for each, how many options there were. */
  readonly #answers: number[] = [];
  readonly #sizes: number[] = [];
  #at = 0;

  /** Chooses one of `options` things, by index. A run must ask its questions in an order that depends only on the answers so far. */
  pick(options: number): number {
    if (options === 1) return 0;
    const at = this.#at++;
    if (at === this.#answers.length) {
      this.#answers.push(0);
      this.#sizes.push(options);
    }
    return this.#answers[at]!;
  }

  /** Begins another run. False: every combination has had one. */
  next(): boolean {
    this.#at = 0;
    for (;;) {
      const last = this.#answers.length - 1;
      if (last < 0) return false;
      if (this.#answers[last]! + 1 < this.#sizes[last]!) {
        this.#answers[last]!++;
        return true;
      }
      this.#answers.pop();
      this.#sizes.pop();
    }
  }
}

/** The most runs of one computation. With more, the set would be incomplete, so an error says so. */
const MOST_RUNS = 200_000;

/** Too many combinations of old and new words to go through. */
export class TooManyOutcomes extends Error {
  override readonly name = 'TooManyOutcomes';
}

/** Runs `run` for every combination of choices. @throws TooManyOutcomes for more than 200,000 runs. */
export function forEveryChoice(run: (choices: Choices) => void): void {
  const choices = new Choices();
  let runs = 0;
  do {
    if (++runs > MOST_RUNS) {
      throw new TooManyOutcomes(
        `more than ${MOST_RUNS} combinations of old and new words are permitted here; invalidate and CMD_SYNC in between`,
      );
    }
    run(choices);
  } while (choices.next());
}
