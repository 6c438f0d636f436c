/** Machines made of physical memory and register values, and whole tables visited entry by entry. What `lpae/machine` exports. */
export {
  type Answer,
  createMachine,
  type Machine,
  type MachineDescription,
  machineRegimes,
  type RegisterValues,
  type StreamChoice,
  type Translator,
} from './machine.ts';
