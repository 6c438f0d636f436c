/** The words of memory that a walk reads, which a capture must contain to give the same answer. */
import type { PhysicalMemory } from '../memory/index.ts';

/** Runs `act`, and returns the PAs (multiples of 8) of all words that it read. */
export function touchedWords(memory: PhysicalMemory, act: () => void): bigint[] {
  const touched = new Set<number>();
  const restore = memory.regions.map((region) => {
    const peek = region.peek;
    return region.watch((pa) => {
      touched.add(pa - (pa % 8));
      return peek.call(region, pa);
    });
  });
  try {
    act();
  } finally {
    for (const undo of restore) undo();
  }
  return [...touched].sort((a, b) => a - b).map(BigInt);
}
