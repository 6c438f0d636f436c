/**
 * Matchers for vitest: what tables map, where an address leads, how it faults. Failures read as `lpae verify` and `lpae walk` say them.
 *
 * @example
 * import { PhysicalMemory } from 'lpae/memory';
 * import { matchers } from 'lpae/vitest';
 * import { createWalker } from 'lpae/walker';
 *
 * // In a test: expect.extend(matchers), then expect(walker).toMap('0x8000_0000+1G -> identity WB')
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 0x1000n });
 * memory.write64(0x8000_0010n, 0x8000_0701n); // level 1, entry 2: a block of 1 GiB
 * const registers = { ttbr0: 0x8000_0000n, tcr: 0x2_8080_3519n, mair: 0xffn };
 * const walker = createWalker(memory, { regime: 'el1&0', registers });
 * console.log(matchers.toTranslate(walker, 0x8000_1234n, 0x8000_1234n).pass); // true
 * console.log(matchers.toFault(walker, 0x1000n, 'permission').message()); // 0x1000: wanted a permission fault, found translation fault, stage 1, level 1
 */
/// <reference types="vitest" preserve="true" />
import type { Translator } from '../machine/machine.ts';
import { faultText } from '../text/fault.ts';
import { hex } from '../text/numbers.ts';
import { makeStyle } from '../text/style.ts';
import type { Intent } from '../verify/intent.ts';
import { reportLines } from '../verify/report.ts';
import { verifySpace } from '../verify/verify.ts';
import type { Access, FaultKind } from '../walker/index.ts';

/** What can be looked at: a walker, a stream, or a machine that has one address space (that of `createMachine` of a PE). */
export type Mapped = Translator | (() => Translator);

/** What vitest asks of a matcher: whether it holds, and what to say where it does not (or, behind `.not`, where it does). */
export interface Matched {
  readonly pass: boolean;
  readonly message: () => string;
}

const PLAIN = makeStyle(false);
const READ: Access = { access: 'read' };

function spaceOf(received: unknown): Translator {
  const space: unknown = typeof received === 'function' ? (received as () => unknown)() : received;
  if (typeof space === 'object' && space !== null && 'walk' in space && 'trees' in space) {
    return space as Translator;
  }
  throw new TypeError('expect() was given no machine and no walker');
}

/** Whether tables map what was meant, and nothing else. @throws IntentError for an intention that can't be understood. */
function toMap(received: unknown, intent: Intent | string): Matched {
  const target = spaceOf(received);
  const found = verifySpace(target, intent);
  return {
    pass: found.ok,
    message: () => [...reportLines(found, { target, style: PLAIN, maxOk: 0 }), ...found.notes].join('\n'),
  };
}

/**
 * Whether an address leads to a PA.
 * @param access - default: a privileged read.
 */
function toTranslate(received: unknown, ia: bigint, pa: bigint, access: Access = READ): Matched {
  const target = spaceOf(received);
  const answer = target.walk(ia, { ...access, update: false });
  const found = answer.ok ? hex(answer.pa) : faultText(answer.fault, target.regime);
  return {
    pass: answer.ok && answer.pa === pa,
    message: () => `${hex(ia)}: wanted -> ${hex(pa)}, found ${answer.ok ? '-> ' : ''}${found}`,
  };
}

/**
 * Whether an address faults.
 * @param kind - as the walker names it: `translation`, `permission`, `access_flag` … Default: any.
 * @param access - default: a privileged read.
 */
function toFault(received: unknown, ia: bigint, kind?: FaultKind, access: Access = READ): Matched {
  const target = spaceOf(received);
  const answer = target.walk(ia, { ...access, update: false });
  const wanted = kind === undefined ? 'a fault' : `a ${kind.replace('_', ' ')} fault`;
  const found = answer.ok ? `-> ${hex(answer.pa)}` : faultText(answer.fault, target.regime);
  return {
    pass: !answer.ok && (kind === undefined || answer.fault.kind === kind),
    message: () => `${hex(ia)}: wanted ${wanted}, found ${found}`,
  };
}

/** For `expect.extend(matchers)`. The value that is expected of is a {@link Mapped}. */
export const matchers = { toMap, toTranslate, toFault };

/** What `expect` can say of a machine or walker, once it is extended. */
interface LpaeMatchers<R> {
  /** Its tables map what was meant, and nothing else: an intention as `lpae verify` reads it. */
  toMap(intent: Intent | string): R;
  /** An address leads to a PA, 64 bits each. Default access: a privileged read. */
  toTranslate(ia: bigint, pa: bigint, access?: Access): R;
  /** An access to an address faults: in any way, or in this one. */
  toFault(ia: bigint, kind?: FaultKind, access?: Access): R;
}

declare module 'vitest' {
  interface Matchers<T> extends LpaeMatchers<T extends Promise<unknown> ? Promise<void> : void> {}
}
