/**
 * Machines made of physical memory and register values, and whole tables visited entry by entry. What `lpae/machine` exports.
 *
 * @example
 * import { createMachine } from 'lpae/machine';
 * import { PhysicalMemory } from 'lpae/memory';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 0x1000n });
 * memory.write64(0x8000_0010n, 0xc000_0701n); // level 1, entry 2: a block of 1 GiB
 * const registers = { ttbr0: 0x8000_0000n, tcr: 0x2_8080_3519n, mair: 0xffn };
 * const machine = createMachine({ memory, regime: 'el1&0', registers, cpu: { model: 'cortex-a72' } });
 * const space = machine(); // of an SMMU: machine({ streamId: 1 })
 * const answer = space.walk(0x8123_4567n, { access: 'read' });
 * console.log(answer.ok && answer.pa.toString(16), space.trees().length); // c1234567 1
 */
export { type MachineRegime, machineRegimes } from '../arch/regimes.ts';
export {
  type Answer,
  createMachine,
  type Machine,
  type MachineDescription,
  type RegisterValues,
  type StreamChoice,
  type Translator,
} from './machine.ts';
export {
  type AskedRegime,
  type IgnoredRegister,
  RegisterError,
  type RegisterErrorKind,
  type RegisterRequest,
  type ResolvedRegisters,
  resolveRegisters,
} from './registers/index.ts';
