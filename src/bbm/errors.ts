/** What the judge of a trace can't judge: a typed error that carries the value and says what would work. */

/** A context, step or table tree that is no trace of VMSAv8-64 tables. `pa` and `value` as they were given. */
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
