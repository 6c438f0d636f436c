/**
 * Whether tables map what was meant, and nothing else. What `lpae/verify` exports, and `lpae verify` runs on.
 *
 * @example
 * import { IommuDomain, PhysicalMemory } from 'lpae';
 * import { arm64LpaeS1 } from 'lpae/formats';
 * import { verifySpace } from 'lpae/verify';
 * import { createWalker } from 'lpae/walker';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n });
 * const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
 * domain.map(0x1000n, 0x9000_0000n, 0x3000n, { read: true, cache: true });
 * const walker = createWalker(memory, domain.registers.hardware);
 * console.log(verifySpace(walker, '0x1000+12K -> 0x9000_0000 WB').ok); // true
 * const { unnamed } = verifySpace(walker, '0x1000+8K -> 0x9000_0000\nnever wx');
 * console.log(unnamed[0]?.first, unnamed[0]?.last); // 12288n 16383n
 */
export type { Aspect, AspectDifference } from './compare.ts';
export {
  type Intent,
  IntentError,
  type IntentLine,
  type IntentProblem,
  type IntentRule,
  type RuleRights,
  type Want,
  type WantedField,
  type WantedMemory,
  type WantedRights,
  type WantedTerms,
} from './intent.ts';
export { parseIntent } from './parse.ts';
export type { DecidingField, LastDescriptor, Reasons } from './reasons.ts';
export {
  type LineResult,
  type RuleResult,
  type Verification,
  verifySpace,
  type WantedDifference,
} from './verify.ts';
