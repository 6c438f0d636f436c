/** The rule that walks and mappings of tables must agree on memory attributes. (DDI 0487 D8.2, RXGXKR; B2.16.) */
import type { WalkAttributes } from '../describe/index.ts';
import { hex } from '../text/numbers.ts';
import type { Findings } from './findings.ts';
import type { MetTable } from './met-table.ts';
import { attributesOf, inputOf, memoryText, overlapping, type Placed } from './placed.ts';
import type { Derivation } from './registers.ts';

interface Mismatch {
  readonly table: MetTable;
  readonly one: Placed;
  count: number;
}

/** Tables in memory that the same space maps: one finding for each kind of mapping. */
export function checkWalkAttributes(
  derivation: Derivation,
  tables: readonly MetTable[],
  placed: readonly Placed[],
  findings: Findings,
): void {
  for (const stage of derivation.stages) {
    for (const { walks, tables: range, register } of stage.ranges) {
      if (walks === undefined || range === undefined) continue;
      const own = tables.filter(
        ({ tree: { root } }) => root.stage === stage.stage && root.firstIa === range.firstIa,
      );
      const walked = walksText(walks);
      for (const [mapped, { table, one, count }] of mismatches(own, placed, walked)) {
        const at = BigInt(table.base) > one.first ? BigInt(table.base) : one.first;
        findings.add({
          rule: 'walk-attributes',
          message: `walks of ${register} are ${walked}; ${count === 1 ? 'a table' : `${count} tables`}, the first at ${hex(table.base)}, mapped as ${mapped}`,
          first: inputOf(one, at),
          last: undefined,
          stage: stage.stage,
          at: BigInt(table.base),
          level: table.level,
        });
      }
    }
  }
}

function mismatches(
  tables: readonly MetTable[],
  placed: readonly Placed[],
  walked: string,
): Map<string, Mismatch> {
  const found = new Map<string, Mismatch>();
  for (const table of tables) {
    const kinds = new Map<string, Placed>();
    for (const one of overlapping(placed, BigInt(table.base), BigInt(table.base + table.bytes - 1)))
      kinds.set(attributesOf(one), one);
    for (const [mapped, one] of kinds) {
      if (mapped === walked) continue;
      const known = found.get(mapped);
      if (known) known.count++;
      else found.set(mapped, { table, one, count: 1 });
    }
  }
  return found;
}

/** Non-cacheable memory is outer shareable, whatever SH says. (D8.6.2) */
function walksText({ inner, outer, shareability }: WalkAttributes): string {
  const uncached = inner.policy === 'non-cacheable' && outer.policy === 'non-cacheable';
  return memoryText({ type: 'normal', inner, outer }, uncached ? 'outer' : shareability);
}
