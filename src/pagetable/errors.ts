/** The error for any request of a driver: Linux's error code, the operands, the rule, and what would work. */

// For messages. Formats don't import src/memory, so they get `hex` from here.
export { hex } from '../memory/hex.ts';

/** Linux's names and numbers (include/uapi/asm-generic/errno-base.h). */
export const ERRNO = { ENOMEM: -12, EEXIST: -17, EINVAL: -22, ERANGE: -34 } as const;

/** Linux's names of error codes: `ENOMEM`, `EEXIST`, `EINVAL` or `ERANGE`. `IommuError.errno` is the number. */
export type IommuErrorCode = keyof typeof ERRNO;

/** What a request was about. Addresses and sizes in bytes; `entry` counts scatterlist entries from 0. */
export interface IommuOperands {
  readonly iova?: bigint;
  readonly pa?: bigint;
  readonly size?: bigint;
  readonly pageSize?: bigint;
  readonly level?: number;
  readonly entry?: number;
  /** The required alignment. */
  readonly alignment?: bigint;
  /** Register values of the configuration that the request does not fit, 64 bits each. */
  readonly registers?: Readonly<Record<string, bigint>>;
}

/** A refused request. It left every translation as it was. */
export class IommuError extends Error {
  override readonly name: string = 'IommuError';
  readonly code: IommuErrorCode;
  readonly operands: IommuOperands;

  constructor(code: IommuErrorCode, message: string, operands: IommuOperands = {}) {
    super(`${code}: ${message}`);
    this.code = code;
    this.operands = operands;
  }

  /** The code as Linux returns it: -22 for EINVAL. */
  get errno(): number {
    return ERRNO[this.code];
  }
}

/** A configuration that a format can't serve (always EINVAL). */
export class FormatError extends IommuError {
  override readonly name = 'FormatError';

  constructor(message: string, operands: IommuOperands = {}) {
    super('EINVAL', message, operands);
  }
}
