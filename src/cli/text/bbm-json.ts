/** Verdicts on a trace for `--json`. */
import type { NeededInvalidation, StepVerdict } from '../../bbm/index.ts';
import { BBM_LEVELS, MACHINES } from '../../bbm/judge.ts';
import { commandText } from '../../smmu/commands.ts';
import { hexWord } from '../../text/numbers.ts';

/** All verdicts, without folding. */
export function verdictJson(verdict: StepVerdict): object {
  const { index } = verdict;
  const missing = verdict.missing.length > 0 ? { missing: verdict.missing } : {};
  if (verdict.kind === 'access') return { index, ...verdict.step, outcomes: verdict.outcomes, ...missing };
  if (verdict.kind === 'register') {
    const { step, before, indexes, cached, rule, section, needsAfter } = verdict;
    const change = {
      ...step,
      before: hexWord(before),
      value: hexWord(step.value),
      indexes,
      cached,
      rule,
      section,
    };
    return { index, ...change, needs_after: needsAfter.map(neededJson) };
  }
  if (verdict.kind !== 'write') {
    const { step, miss, nothing } = verdict;
    const named = 'command' in step ? { command: commandText(step.command) } : step;
    return { index, ...named, ...(miss && { miss }), ...(nothing !== undefined && { nothing }), ...missing };
  }
  const { pa, before, after, places, changes, judgements, breakFirst, needsBefore, needsAfter } = verdict;
  const legal = MACHINES.map((machine) => [
    machine,
    BBM_LEVELS.map((bbml) =>
      judgements.every((one) => one.machine !== machine || one.bbml !== bbml || one.legal),
    ),
  ]);
  return {
    index,
    write: pa,
    before: hexWord(before),
    value: hexWord(after),
    places: places.map(({ level, ia, size, live }) => ({ level, ia, size, live })),
    changes,
    legal: Object.fromEntries(legal),
    judgements: judgements.map(({ machine, bbml, ...rest }) => ({ machine, bbm: bbml, ...rest })),
    break_first: breakFirst,
    needs_before: needsBefore.map(neededJson),
    needs_after: needsAfter.map(neededJson),
    ...missing,
  };
}

export function neededJson({
  from,
  size,
  leaf,
  global,
  tlbi,
  operations,
  commands,
}: NeededInvalidation): object {
  return { from, size, leaf, global, tlbi, operations, commands };
}
