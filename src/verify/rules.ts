/** Rules for a whole address space: what may not be mapped anywhere. */
import type { MachineRegime } from '../arch/regimes.ts';
import type { AddressRange } from '../space/address-range.ts';
import type { MappedRange } from '../space/ranges.ts';
import type { Translation } from '../walker/index.ts';
import { differences, UnknownMemoryError } from './compare.ts';
import { cut } from './cut.ts';
import type { IntentRule, RuleRights } from './intent.ts';

/** The ranges, or parts of them, that break a rule: they are mapped, and everything that the rule names applies. */
export function brokenBy(
  rule: IntentRule,
  ranges: readonly MappedRange[],
  regime: MachineRegime,
  complain: (message: string) => void,
): MappedRange[] {
  const { terms } = rule;
  if (terms?.fields !== undefined) {
    complain('a rule is about what leaves mean; fields of descriptors are asked of ranges');
    return [];
  }
  try {
    return ranges.flatMap((range) => {
      const { result } = range;
      if (!result.ok || (rule.rights !== undefined && !hasRights(result, rule.rights))) return [];
      if (terms !== undefined && differences({ state: 'mapped', ...terms }, range, regime).length > 0)
        return [];
      return touched(range, rule);
    });
  } catch (error) {
    if (!(error instanceof UnknownMemoryError)) throw error;
    complain(error.message);
    return [];
  }
}

/** Leaves that no access reaches, where a rule says that nothing may be: not mapped, and not unmapped either. */
export function unreachableIn(rule: IntentRule, ranges: readonly MappedRange[]): MappedRange[] {
  if (rule.rights !== undefined || rule.terms !== undefined) return [];
  return ranges.flatMap((range) => (range.result.ok ? [] : touched(range, rule)));
}

/** Whether some privilege level has all of these rights. */
function hasRights({ permissions }: Translation, { who, letters }: RuleRights): boolean {
  const levels = who === 'unprivileged' ? [permissions.unprivileged] : Object.values(permissions);
  return levels.some((own) =>
    letters.length === 0 ? own.read || own.write || own.execute : letters.every((right) => own[right]),
  );
}

function touched(range: MappedRange, { input, output }: IntentRule): MappedRange[] {
  const inside = input === undefined ? range : overlap(range, input);
  if (inside === undefined || output === undefined) return inside === undefined ? [] : [inside];
  const { pa } = inside;
  if (pa === undefined) return [];
  const toInput = inside.first - pa;
  const leading = overlap(inside, { first: output.first + toInput, last: output.last + toInput });
  return leading === undefined ? [] : [leading];
}

function overlap(range: MappedRange, { first, last }: AddressRange): MappedRange | undefined {
  const from = range.first > first ? range.first : first;
  const to = range.last < last ? range.last : last;
  return from > to ? undefined : cut(range, { first: from, last: to });
}
