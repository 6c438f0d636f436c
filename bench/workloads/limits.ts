/** The limits of the machine: no mapping and no walk can be faster than these. */
import type { LimitName, Workload } from '../workload.ts';
import { shuffled } from './scatterlists.ts';

const WORDS = 262_144;

/** Stores, copies and randomly reads as many 64-bit words as a mapping of 1 GiB has, each as two 32-bit halves. */
export function limits(): Record<LimitName, Workload> {
  const base = { unit: 'word', units: WORDS, limit: 'fill' } as const;
  return {
    fill: {
      ...base,
      name: 'limit: storing words',
      make: () => {
        const memory = words();
        return { run: () => fill(memory) };
      },
    },
    copy: {
      ...base,
      name: 'limit: copying words',
      make: () => {
        const [memory, other] = [words(), words()];
        return { run: () => copy(memory, other) };
      },
    },
    random: {
      ...base,
      name: 'limit: reading words at random',
      make: () => {
        const [memory, order] = [words(), shuffled(WORDS)];
        return {
          run: () => {
            memory[0] = readAll(memory, order);
          },
        };
      },
    },
  };
}

function words(): Uint32Array {
  return new Uint32Array(WORDS * 2).fill(1);
}

function fill(memory: Uint32Array): void {
  for (let i = 0, pa = 0; i < memory.length; i += 2, pa = (pa + 4096) | 0) {
    memory[i] = pa | 0xe43;
    memory[i + 1] = 1;
  }
}

function copy(memory: Uint32Array, other: Uint32Array): void {
  for (let i = 0; i < memory.length; i++) other[i] = memory[i]!;
}

function readAll(memory: Uint32Array, order: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < order.length; i++) {
    const at = order[i]! * 2;
    sum = (sum + memory[at]! + memory[at + 1]!) | 0;
  }
  return sum;
}
