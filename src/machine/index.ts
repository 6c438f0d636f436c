/** Machines made of physical memory and register values, and whole tables visited entry by entry. What `lpae/machine` exports. */
export { type MachineRegime, machineRegimes, regimeNamed } from '../arch/regimes.ts';
export {
  type Answer,
  createMachine,
  type Machine,
  type MachineDescription,
  type RegisterValues,
  type StreamChoice,
  type Translator,
} from './machine.ts';
