/** The error of the image readers: it says which file, where in it, the rule, and what would work. */
import { hex } from '../memory/hex.ts';

/** An image that can't be read. `offset` is in bytes, or undefined if the error is about the whole file. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  /** The file's name. */
  readonly source: string;
  readonly offset: number | undefined;
  readonly hint: string | undefined;

  constructor(source: string, message: string, details: { offset?: number; hint?: string } = {}) {
    const where = details.offset === undefined ? '' : ` at offset ${hex(details.offset)}`;
    super(`${source}${where}: ${message}`);
    this.source = source;
    this.offset = details.offset;
    this.hint = details.hint;
  }
}
