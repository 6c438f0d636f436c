/** The rules about register values. Every problem that a derivation marks with `!` is a finding. (DDI 0487 D8.1, D8.2; IHI 0070 5.2, 5.4.) */
import type {
  RangeDescription,
  RegimeDescription,
  RegisterProblem,
  StageDescription,
  StreamDerivation,
} from '../describe/index.ts';
import { faultText } from '../text/fault.ts';
import { hex } from '../text/numbers.ts';
import type { TableTree } from '../walker/index.ts';
import { ENTRY_KINDS } from '../walker/index.ts';
import type { Findings } from './findings.ts';
import type { RuleName } from './rules.ts';

/** The meaning of the registers of a regime or a stream. */
export type Derivation = RegimeDescription | StreamDerivation;

const RULE_OF = {
  fault: 'register-fault',
  unpredictable: 'register-unpredictable',
  ignored: 'register-ignored',
} as const satisfies Readonly<Record<RegisterProblem['effect'], RuleName>>;

/** What registers say about the range of a tree. */
export function rangeOf({ stages }: Derivation, { root }: TableTree): RangeDescription | undefined {
  const ranges = stages.flatMap(({ stage, ranges }) => (stage === root.stage ? ranges : []));
  return ranges.find(
    ({ tables, spaces }) =>
      tables?.firstIa === root.firstIa && (root.ipas === undefined || spaces?.ipas === root.ipas),
  );
}

export function checkRegisters(
  derivation: Derivation,
  trees: readonly TableTree[],
  findings: Findings,
): void {
  if (!('regime' in derivation)) checkStream(derivation, findings);
  for (const stage of derivation.stages) checkStage(stage, trees, findings);
}

function checkStream({ enabled, problems, end }: StreamDerivation, findings: Findings): void {
  report(problems, undefined, findings);
  if (!enabled || end.ok || problems.some(({ effect }) => effect === 'fault')) return;
  const message = `${faultText(end.fault)}: ${end.rule} (${end.section})`;
  findings.add({ rule: 'register-fault', message, first: undefined, last: undefined });
}

function checkStage(stage: StageDescription, trees: readonly TableTree[], findings: Findings): void {
  report(stage.problems, stage, findings);
  if (stage.off) return;
  for (const range of stage.ranges) {
    report(range.problems, stage, findings, range);
    const others = stage.ranges.filter((one) => one !== range && one.tables !== undefined && !one.off);
    // The two IPA spaces of Secure state are both in use.
    if (others.length > 0 && !range.off && range.spaces === undefined)
      checkUse(range, stage, trees, findings);
  }
}

/** Checks a range without usable tables: one of two ranges is often unused, and should be switched off. */
function checkUse(
  { register, value, tables, size }: RangeDescription,
  { stage }: StageDescription,
  trees: readonly TableTree[],
  findings: Findings,
): void {
  const add = (why: string) => {
    const message = `walks of ${register} (${hex(value)}) are enabled, ${why}`;
    const [first, last] = [tables?.firstIa, tables?.lastIa];
    findings.add({ rule: 'unused-range', message, first, last, stage });
  };
  if (tables === undefined) {
    add(`but ${size?.field ?? 'the registers'} fits no table`);
    return;
  }
  const tree = trees.find(({ root }) => root.stage === stage && root.firstIa === tables.firstIa);
  if (tree !== undefined && isOutside(tree)) add('but there is no RAM where its first table should be');
}

function isOutside(tree: TableTree): boolean {
  const { startLevel, base, firstIndex } = tree.root;
  let outside = true;
  tree.scan(startLevel, base, firstIndex, tree.rootEntries, ({ kind }) => {
    if (kind !== ENTRY_KINDS.abort) outside = false;
  });
  return outside;
}

function report(
  problems: readonly RegisterProblem[],
  stage: StageDescription | undefined,
  findings: Findings,
  range?: RangeDescription,
): void {
  for (const { field, value, effect, rule, section } of problems) {
    findings.add({
      rule: RULE_OF[effect],
      message: `${field} = ${hex(value)}: ${rule} (${section})`,
      first: range?.tables?.firstIa,
      last: range?.tables?.lastIa,
      ...(stage && { stage: stage.stage }),
    });
  }
}
