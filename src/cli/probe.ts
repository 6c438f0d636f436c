/** What is mapped at an address, whoever may use it: the first access that is allowed, or the reason why none is. */
import type { Answer } from '../golden/image-probe.ts';
import type { Access } from '../walker/index.ts';
import type { Translator } from './target.ts';

const ACCESSES: readonly Access[] = [
  { access: 'read' },
  { access: 'write' },
  { access: 'execute' },
  { access: 'read', privileged: false },
  { access: 'write', privileged: false },
  { access: 'execute', privileged: false },
];

/** A translation if any access has one; else the fault of a privileged read. */
export function probe(walker: Translator, ia: bigint, trace: boolean): Answer {
  let first: Answer | undefined;
  for (const access of ACCESSES) {
    const result = walker.walk(ia, trace ? access : { ...access, trace });
    if (result.ok) return result;
    first ??= result;
    // Only a permission fault is about the access; any other one meets every access alike.
    if (result.fault.kind !== 'permission') break;
  }
  return first!;
}
