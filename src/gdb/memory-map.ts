/** Where QEMU has RAM and ROM, from `info mtree -f` of its monitor. This is needed because through the stub a hole reads as zeros. */

/** A stretch of memory, from its first byte to the first byte after it. */
export interface MappedMemory {
  readonly start: bigint;
  readonly end: bigint;
}

/** `0000000040000000-000000005fffffff (prio 0, ram): mach-virt.ram` */
const RANGE = /^\s*([0-9a-f]{8,16})-([0-9a-f]{8,16}) \(prio -?\d+, (?:nv-)?(ram|rom|ramd|romd|i\/o)\)/;

/**
 * RAM and ROM of the system's address space, ascending; neighbours are joined. Undefined: the text does not say. Devices are left out, because
 * reading their registers may have side effects.
 */
export function memoryOfMtree(text: string): MappedMemory[] | undefined {
  const views = text.split(/^FlatView #\d+/m);
  const view = views.find((one) => /^\s*AS "memory"/m.test(one));
  if (view === undefined) return undefined;
  const found: MappedMemory[] = [];
  for (const line of view.split('\n')) {
    const [, first, last, kind] = RANGE.exec(line) ?? [];
    if (first === undefined || last === undefined || kind === 'i/o') continue;
    const [start, end] = [BigInt(`0x${first}`), BigInt(`0x${last}`) + 1n];
    const before = found.at(-1);
    if (before?.end === start) found[found.length - 1] = { start: before.start, end };
    else found.push({ start, end });
  }
  return found.length > 0 ? found : undefined;
}
