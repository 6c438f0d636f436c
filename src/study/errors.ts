/** What a study can't be made of: a typed error that carries the value and says what would work. */

/** A workload, a choice of combinations or an option that there is none of. `value` as it was given. */
export class StudyError extends Error {
  override readonly name = 'StudyError';
  readonly value: unknown;

  constructor(message: string, value?: unknown) {
    super(message);
    this.value = value;
  }
}
