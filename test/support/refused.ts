/** What a call is refused with. */
import { IommuError } from '../../src/index.ts';

/** The error that `act` throws. Any other error, or none, is a failed test. */
export function refused(act: () => unknown): IommuError {
  try {
    act();
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
  throw new Error('was not refused');
}
