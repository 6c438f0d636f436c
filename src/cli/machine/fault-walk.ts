/** A reported fault put to the tables: what a walk of the same access comes to, and whether that is what was reported. */
import { isStage2Alone, type MachineRegime } from '../../arch/regimes.ts';
import type { DecodedFault } from '../../glossary/faults/decoded-fault.ts';
import type { Answer } from '../../machine/machine.ts';
import { faultText } from '../../text/hardware.ts';
import type { Style } from '../../text/style.ts';
import type { Access } from '../../walker/index.ts';
import { walkJson } from '../text/walk-json.ts';
import { walkLines } from '../text/walk-text.ts';
import type { Target } from './target.ts';

export interface FaultWalk {
  readonly regime: MachineRegime;
  readonly access: Access;
  readonly result: Answer;
  /** The walk ends as was reported, as far as the report says. */
  readonly agrees: boolean;
}

/** Walks the access that a fault is about, or undefined where the report has no address. Memory is not changed. */
export function walkFault(fault: DecodedFault, { walker, regime }: Target): FaultWalk | undefined {
  const ia = isStage2Alone(regime) ? (fault.ipa ?? fault.address) : fault.address;
  if (ia === undefined) return undefined;
  const access: Access = {
    access: fault.access ?? 'read',
    privileged: fault.privileged ?? true,
    update: false,
  };
  const result = walker.walk(ia, access);
  return { regime, access, result, agrees: !result.ok && isSame(fault, result.fault) };
}

function isSame(reported: DecodedFault, found: Extract<Answer, { ok: false }>['fault']): boolean {
  if (reported.kind === 'unknown') return true;
  if (reported.kind !== found.kind) return false;
  if (!('level' in found)) return true;
  const { stage, level } = reported;
  return (stage === undefined || stage === found.stage) && (level === undefined || level === found.level);
}

export function faultWalkLines(
  { access, result, agrees }: FaultWalk,
  target: Target,
  style: Style,
): string[] {
  const lines = walkLines(result, access, target.walker, style);
  return [`in ${target.name}:`, ...lines, `  ${verdictText(result, agrees, target.regime)}`].map(
    (line) => `  ${line}`,
  );
}

function verdictText(result: Answer, agrees: boolean, regime: MachineRegime): string {
  if (agrees) return 'the tables give the fault that was reported';
  if (result.ok) {
    return 'these tables translate it: they were changed since, another table was in use, or a TLB held an older entry';
  }
  return `these tables give another fault (${faultText(result.fault, regime)}): they were changed since, or another table was in use`;
}

export function faultWalkJson({ regime, access, result, agrees }: FaultWalk): object {
  return { agrees, ...walkJson(result, access, regime) };
}
