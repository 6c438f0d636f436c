/** The error of a study that can't be run: it carries the value and says what would work. */

/** A workload, a choice of combinations or an option is unknown or out of range. `value` is what was given. */
export class StudyError extends Error {
  override readonly name = 'StudyError';
  readonly value: unknown;

  constructor(message: string, value?: unknown) {
    super(message);
    this.value = value;
  }
}
