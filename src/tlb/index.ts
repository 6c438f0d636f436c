/**
 * A TLB in front of the walker and its maintenance: what `lpae/tlb` exports.
 *
 * @example
 * import { IommuDomain, PhysicalMemory } from 'lpae';
 * import { arm64LpaeS1 } from 'lpae/formats';
 * import { Tlb } from 'lpae/tlb';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n });
 * const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
 * domain.map(0x1000n, 0x9000_0000n, 0x1000n, { read: true });
 * const tlb = new Tlb(memory, domain.registers.hardware);
 * console.log(tlb.translate(0x1234n, { access: 'read' }).from); // walk
 * domain.unmap(0x1000n, 0x1000n);
 * console.log(tlb.translate(0x1234n, { access: 'read' }).from, tlb.staleEntries().length); // tlb 1
 * tlb.tlbi('VAE1', 0x1n); // VA[55:12]
 * console.log(tlb.translate(0x1234n, { access: 'read' }).result.ok); // false
 */
export type { ConflictVerdict, EntryDifference, Machine, TlbConflict } from './conflict.ts';
export type { StagesHeld, TlbContext, TlbContextOptions, TranslationRegime } from './context.ts';
export type { LeafDescriptor, TlbEntry } from './entry.ts';
export type { Scope, Tag } from './scope.ts';
export type { StaleEntry, StaleField } from './stale.ts';
export { Tlb, type TlbAnswer, type TlbOptions, type TlbStatistics } from './tlb.ts';
export type { TlbiOperation } from './tlbi.ts';
