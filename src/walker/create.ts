/** Makes walkers: from a regime's name and register values to a walker over memory. (DDI 0487 D8.1.2.) */
import type { Regime } from '../arch/regimes.ts';
import type { SecurityState } from '../arch/security.ts';
import type { PhysicalMemory } from '../memory/index.ts';
import { type CpuOptions, cpuFeatures } from './cpu.ts';
import { WalkerError } from './errors.ts';
import { regimeStages } from './regimes.ts';
import type { WalkerRegisters } from './register-values.ts';
import { walkerSecurity } from './security.ts';
import { TableMemory } from './table-memory.ts';
import { Walker } from './walker.ts';

/** Options of a walker. */
export interface WalkerOptions {
  readonly regime: Regime;
  readonly registers: WalkerRegisters;
  /** The PE's model and features. Default `max`: everything, with 52 PA bits. */
  readonly cpu?: CpuOptions;
  /**
   * The Security state of the accesses. NS and NSTable decide the PA's address space in Secure state, NS at EL2 in Realm state, and in Root state
   * (EL3 with FEAT_RME) NSE and NS. Default: what `scr` says, or else Secure for EL3 and Non-secure for everything else.
   */
  readonly security?: SecurityState;
  /** SCR_EL3, 64 bits. NSE and NS give the Security state. With SIF, Secure state executes nothing from Non-secure memory. */
  readonly scr?: bigint;
  /** True: the same as `security: 'secure'`. */
  readonly secure?: boolean;
}

/**
 * Makes a walker over `memory`, the physical memory that holds the tables.
 *
 * @throws WalkerError for an unknown regime, CPU model or register name, or a register value that is not 64 bits. Register *contents* that
 * the architecture does not allow are no errors: they give the faults that hardware gives.
 *
 * @example
 * const walker = createWalker(memory, { regime: 'el1&0', registers: { ttbr0, tcr, mair }, cpu: 'cortex-a57' });
 */
export function createWalker(memory: PhysicalMemory, options: WalkerOptions): Walker {
  checkOptions(memory, options);
  const { regime, registers, cpu } = options;
  const features = cpuFeatures(cpu);
  const security = walkerSecurity({ ...options, cpu: features });
  const port = new TableMemory(memory);
  const stages = regimeStages(port, regime, registers, features, security);
  if (stages.gpc === undefined) return new Walker(regime, features, stages, memory);
  const unchecked = regimeStages(port, regime, { ...registers, gpccr: 0n }, features, security);
  return new Walker(regime, features, stages, memory, unchecked);
}

/** Checks for members that JavaScript callers may leave out. @throws WalkerError that says what belongs there. */
function checkOptions(memory: unknown, options: Partial<WalkerOptions> | undefined): void {
  const example = "createWalker(memory, { regime: 'el1&0', registers: { ttbr0, tcr, mair } })";
  if (typeof memory !== 'object' || memory === null || !('read64' in memory)) {
    throw new WalkerError(`the memory must be a PhysicalMemory, not ${String(memory)}: ${example}`);
  }
  if (typeof options !== 'object' || options === null) {
    throw new WalkerError(`a walker needs a regime and register values: ${example}`);
  }
  if (typeof options.registers !== 'object' || options.registers === null) {
    throw new WalkerError(`registers must be an object of values by their names: ${example}`);
  }
}

/** A walker of the EL1&0 regime with only stage 1: `createWalker` with regime `el1&0`. */
export function stage1(memory: PhysicalMemory, registers: WalkerRegisters, cpu?: CpuOptions): Walker {
  return createWalker(memory, { regime: 'el1&0', registers, ...(cpu !== undefined && { cpu }) });
}

/** A walker of only stage 2, from IPA to PA: `createWalker` with regime `el1&0-s2`. */
export function stage2(memory: PhysicalMemory, registers: WalkerRegisters, cpu?: CpuOptions): Walker {
  return createWalker(memory, { regime: 'el1&0-s2', registers, ...(cpu !== undefined && { cpu }) });
}
