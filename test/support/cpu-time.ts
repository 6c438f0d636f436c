/** What an act takes of the processor, whatever else the machine does: for limits that only what never ends would miss. */

/** Milliseconds of this process, in user mode and in the system. */
export function cpuMilliseconds(act: () => unknown): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
