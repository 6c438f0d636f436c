/** Answers the probes of a golden image with the machine that it describes. */
import { cpuOf, createMachine, type Machine, type RegisterValues } from '../machine/machine.ts';
import { MemoryError, PhysicalMemory } from '../memory/index.ts';
import { cpuFeatures } from '../walker/cpu.ts';
import { WalkerError } from '../walker/index.ts';
import type { ImageFile, ImageRow } from './image-file.ts';
import { type Answered, restoring } from './image-updates.ts';
import { GoldenFileError } from './result.ts';

/** Answers a row. The row's registers replace the file's. */
export type Probe = (row: ImageRow) => Answered;

/**
 * The prober of an image. It has its own memory, and every row starts with the file's words, whatever earlier rows updated.
 * @throws GoldenFileError for a regime or CPU that is not known here, or impossible memory.
 */
export function imageProbe(image: ImageFile): Probe {
  const { memory, machineOf } = imageMachine(image);
  const restore = restoring(memory);
  const common = machineOf();
  return (row) => {
    const machine = row.registers ? machineOf(row.registers) : common;
    const stream = {
      ...(row.sid !== undefined && { streamId: Number(row.sid) }),
      ...(row.ssid !== undefined && { substreamId: Number(row.ssid) }),
    };
    return restore(() => refused(() => machine(stream).walk(row.va, row)));
  };
}

/** @throws GoldenFileError for a machine that can't be modelled here, such as one with an STE that asks for permission indirection. */
function refused<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof WalkerError) throw new GoldenFileError(error.message);
    throw error;
  }
}

/** The machine of an image: its memory, and a function that makes the machine with other register values. @throws GoldenFileError as above. */
export function imageMachine(image: ImageFile): {
  readonly memory: PhysicalMemory;
  readonly machineOf: (own?: RegisterValues) => Machine;
} {
  const memory = imageMemory(image);
  const { regime, cpu, security } = image;
  const state = security === undefined ? {} : { security };
  const machineOf = (own?: RegisterValues) => {
    try {
      // An SMMU's machine ignores the model, so a wrong one is refused here.
      cpuFeatures(cpuOf({ cpu }));
      return createMachine({ memory, regime, cpu, ...state, registers: { ...image.registers, ...own } });
    } catch (error) {
      if (error instanceof WalkerError) throw new GoldenFileError(error.message);
      throw error;
    }
  };
  return { memory, machineOf };
}

/** The image's RAM, filled with its words. */
function imageMemory({ ram, words }: ImageFile): PhysicalMemory {
  try {
    const memory = new PhysicalMemory(ram);
    for (const [pa, word] of words) memory.write64(pa, word);
    return memory;
  } catch (error) {
    if (error instanceof MemoryError) throw new GoldenFileError(`memory: ${error.message}`);
    throw error;
  }
}
