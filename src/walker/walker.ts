/** The walker: what a PE's MMU answers to an access, given memory and register values and nothing else. (DDI 0487 D8, G5.) */
import type { PhysicalMemory } from '../memory/index.ts';
import { type CpuFeatures, type CpuOptions, cpuFeatures } from './cpu.ts';
import { type Regime, regimeStages, type WalkerRegisters } from './regimes.ts';
import { TableMemory } from './table-memory.ts';
import { checkAccess, type Stages, translate } from './translate.ts';
import type { Access, WalkResult } from './types.ts';

/** What a walker is made of. */
export interface WalkerOptions {
  readonly regime: Regime;
  readonly registers: WalkerRegisters;
  /** The PE's model and features. Default `max`: everything, with 52 PA bits. */
  readonly cpu?: CpuOptions;
}

/**
 * A translation regime ready to walk. Register values were decoded when it was made; memory is read anew in every walk
 * (there is no TLB), and written where TCR.HA or HD let hardware update a descriptor.
 */
export class Walker {
  readonly regime: Regime;
  readonly cpu: CpuFeatures;
  readonly #stages: Stages;

  /** @internal Use {@link createWalker}. */
  constructor(regime: Regime, cpu: CpuFeatures, stages: Stages) {
    this.regime = regime;
    this.cpu = cpu;
    this.#stages = stages;
  }

  /**
   * Translates one access.
   *
   * @param ia - the input address, 0 to 2^64 - 1: a VA, or an IPA in the `-s2` regimes.
   * @returns a translation or a fault. Whatever tables and registers hold, this is an answer and never an exception.
   * @throws WalkerError for an address that is not 64 bits or an unknown kind of access.
   *
   * @example
   * const result = walker.walk(0x4000_1234n, { access: 'write', privileged: false });
   * if (result.ok) console.log(result.pa, result.permissions.unprivileged.write);
   * else console.log(result.fault.kind, result.fault.level);
   */
  walk(ia: bigint, access: Access): WalkResult {
    checkAccess(ia, access);
    const privileged = !this.#stages.unprivileged || access.privileged !== false;
    const request = {
      access: access.access,
      privileged,
      pan: access.pan === true && privileged && this.cpu.pan,
      update: access.update !== false,
    };
    return translate(this.#stages, ia, request, access.trace === false ? undefined : []);
  }
}

/**
 * Makes a walker over `memory`, the physical memory that holds the tables.
 *
 * @throws WalkerError for an unknown regime or CPU model, or a register value that is not 64 bits. Register *contents* that
 * the architecture does not allow are no errors: they give the faults that hardware gives.
 *
 * @example
 * const walker = createWalker(memory, { regime: 'el1&0', registers: { ttbr0, tcr, mair }, cpu: 'cortex-a57' });
 */
export function createWalker(memory: PhysicalMemory, { regime, registers, cpu }: WalkerOptions): Walker {
  const features = cpuFeatures(cpu);
  return new Walker(regime, features, regimeStages(new TableMemory(memory), regime, registers, features));
}

/** A walker of the EL1&0 regime with stage 1 alone: `createWalker` with regime `el1&0`. */
export function stage1(memory: PhysicalMemory, registers: WalkerRegisters, cpu?: CpuOptions): Walker {
  return createWalker(memory, { regime: 'el1&0', registers, ...(cpu !== undefined && { cpu }) });
}

/** A walker of stage 2 alone, from IPA to PA: `createWalker` with regime `el1&0-s2`. */
export function stage2(memory: PhysicalMemory, registers: WalkerRegisters, cpu?: CpuOptions): Walker {
  return createWalker(memory, { regime: 'el1&0-s2', registers, ...(cpu !== undefined && { cpu }) });
}
