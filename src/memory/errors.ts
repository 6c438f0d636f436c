/** The error of simulated memory: it carries the address and says what would work. */

/** A request that simulated memory can't carry out. `pa` and `size` are bytes. */
export class MemoryError extends Error {
  override readonly name = 'MemoryError';
  readonly pa: bigint | undefined;
  readonly size: bigint | undefined;

  constructor(message: string, operands: { pa?: bigint; size?: bigint } = {}) {
    super(message);
    this.pa = operands.pa;
    this.size = operands.size;
  }
}
