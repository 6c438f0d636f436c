/** What is mapped at an address for any access: the first access that is allowed, or the reason why none is. */
import type { Answer, Translator } from '../machine/machine.ts';
import type { Access } from '../walker/index.ts';

const ACCESSES: readonly Access[] = [
  { access: 'read' },
  { access: 'write' },
  { access: 'execute' },
  { access: 'read', privileged: false },
  { access: 'write', privileged: false },
  { access: 'execute', privileged: false },
];

/** A translation if any access has one; else the fault of a privileged read. Memory is not changed. What
 * is mapped is one thing, and what granule protection makes of it another: it is not asked. */
export function probe(walker: Translator, ia: bigint, trace: boolean): Answer {
  let first: Answer | undefined;
  for (const access of ACCESSES) {
    const result = walker.walk(ia, { ...access, trace, update: false, gpc: 'none' });
    if (result.ok) return result;
    first ??= result;
    // Only a permission fault depends on the access; every other fault is the same for all.
    if (result.fault.kind !== 'permission') break;
  }
  return first!;
}
