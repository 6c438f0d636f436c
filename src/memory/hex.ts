/** How addresses and words are written everywhere. It stands here because memory is all that both sides of the wall may import. */

/** `0x7`, or with at least so many digits `0x07`. */
export function hex(value: bigint | number, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
