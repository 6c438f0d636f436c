/** The walker's typed error for a caller's bad argument. Bad tables and registers are never errors. */

/** An argument that no machine could be given: an unknown regime, CPU model or register, an address that is not 64 bits. */
export class WalkerError extends Error {
  override readonly name = 'WalkerError';
}
