/** The ImageError that a call ends with. */
import { expect } from 'vitest';
import { ImageError } from '../../src/image/index.ts';

export function imageError(work: () => unknown): ImageError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(ImageError);
    return error as ImageError;
  }
  throw new Error('nothing was thrown');
}
