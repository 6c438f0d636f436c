/** How addresses and words are written everywhere. It is here because src/memory is the only folder that both sides of the wall may import. */

/** `0x7`, or padded to at least `digits` digits: `0x07`. */
export function hex(value: bigint | number, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
