/** Checks a reported fault against tables: the result of walking the same access, and whether it agrees with the report. */
import { isStage2Alone, isStream, type MachineRegime } from '../../arch/regimes.ts';
import type { DecodedFault } from '../../glossary/faults/decoded-fault.ts';
import { type Answer, createMachine, type Translator } from '../../machine/machine.ts';
import { wrap } from '../../text/columns.ts';
import { faultText } from '../../text/fault.ts';
import type { Style } from '../../text/style.ts';
import type { Access } from '../../walker/index.ts';
import { walkJson } from '../text/walk-json.ts';
import { walkLines } from '../text/walk-text.ts';
import { checkBaseGiven } from './parts.ts';
import type { Target } from './target.ts';

export interface FaultWalk {
  readonly regime: MachineRegime;
  readonly access: Access;
  readonly result: Answer;
  /** Whether the walk ends as reported, as far as the report says. */
  readonly agrees: boolean;
  /** Whether it does so only if hardware makes the other of two permitted choices. */
  readonly choice?: string;
}

/** Walks the access of a fault. Undefined if the report has no address. Memory is not changed. */
export function walkFault(fault: DecodedFault, target: Target, pan = false): FaultWalk | undefined {
  const { walker, regime } = target;
  const ia = isStage2Alone(regime) ? (fault.ipa ?? fault.address) : fault.address;
  if (ia === undefined) return undefined;
  checkBaseGiven(target, ia);
  const access: Access = {
    access: fault.access ?? 'read',
    privileged: fault.privileged ?? true,
    ...(pan && { pan }),
    update: false,
  };
  const asReported = (found: Answer) => !found.ok && isSame(fault, found.fault);
  const result = walker.walk(ia, access);
  if (asReported(result)) return { regime, access, result, agrees: true };
  const clamped = clampedWalker(target)?.walk(ia, access);
  return clamped !== undefined && asReported(clamped)
    ? { regime, access, result: clamped, agrees: true, choice: CLAMPED }
    : { regime, access, result, agrees: false };
}

const CLAMPED =
  'this is so where hardware clamps a TxSZ that is out of range, as it may without FEAT_LVA (stage 2: FEAT_LPA); a level 0 translation fault is the other choice (DDI 0487 D8.1.9)';

/** The machine that makes the other choice. There is none for an SMMU, where such an STE or CD is ILLEGAL. */
function clampedWalker({ machine, regime, stream }: Target): Translator | undefined {
  if (isStream(regime)) return undefined;
  return createMachine({ ...machine, cpu: { ...machine.cpu, clampsTxsz: true } })(stream);
}

function isSame(reported: DecodedFault, found: Extract<Answer, { ok: false }>['fault']): boolean {
  if (reported.kind === 'unknown') return true;
  if (reported.kind !== found.kind) return false;
  if (!('level' in found)) return true;
  const { stage, level } = reported;
  return (stage === undefined || stage === found.stage) && (level === undefined || level === found.level);
}

const CHOICE_LINE = 94;

export function faultWalkLines(
  { access, result, agrees, choice }: FaultWalk,
  target: Target,
  style: Style,
): string[] {
  const lines = walkLines(result, access, target.walker, style);
  return [
    `in ${target.name}:`,
    ...lines,
    `  ${verdictText(result, agrees, target.regime)}`,
    ...(choice === undefined ? [] : wrap(choice, CHOICE_LINE).map((line) => `  ${line}`)),
  ].map((line) => `  ${line}`);
}

function verdictText(result: Answer, agrees: boolean, regime: MachineRegime): string {
  if (agrees) return 'the tables give the fault that was reported';
  if (result.ok) {
    return 'these tables translate it: they were changed since, another table was in use, or a TLB held an older entry';
  }
  return `these tables give another fault (${faultText(result.fault, regime)}): they were changed since, or another table was in use`;
}

export function faultWalkJson({ access, result, agrees, choice }: FaultWalk, { walker }: Target): object {
  return { agrees, ...(choice !== undefined && { choice }), ...walkJson(result, access, walker) };
}
