/** The error for a trace that can't be judged: it carries the value and says what would work. */

/** A context, step or table tree that does not describe VMSAv8-64 tables. `pa` and `value` are what was given. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly pa: bigint | undefined;
  readonly value: bigint | undefined;

  constructor(message: string, operands: { pa?: bigint; value?: bigint } = {}) {
    super(message);
    this.pa = operands.pa;
    this.value = operands.value;
  }
}
