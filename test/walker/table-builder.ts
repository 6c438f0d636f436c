/** Tables by hand: literal words at literal addresses, in RAM that starts at 0x4000_0000. */
import { PhysicalMemory } from '../../src/memory/index.ts';

export const RAM_BASE = 0x4000_0000n;

/** RAM of 1 GiB with `words` in it. */
export function memoryWith(words: Readonly<Record<string, bigint>>): PhysicalMemory {
  const memory = new PhysicalMemory({ base: RAM_BASE, size: 1n << 30n });
  for (const [address, word] of Object.entries(words)) memory.write64(BigInt(address), word);
  return memory;
}
