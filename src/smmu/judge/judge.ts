/**
 * Judges what a driver did with an SMMUv3: transactions with more than one permitted answer, commands that were missed, updates that
 * hardware may see half done, what is owed at the end. (IHI 0070 3.21, 4, 7.1.)
 */
import { hex } from '../../memory/hex.ts';
import type { Answer } from '../caches/answers.ts';
import { invalidationOf } from '../caches/scopes.ts';
import { commandText } from '../commands.ts';
import type { SmmuDevice } from '../device/device.ts';
import type { DeviceNote } from '../device/options.ts';
import {
  type AccessStep,
  type ResumedStep,
  type SmmuTrace,
  SmmuTraceError,
  type TraceAccess,
} from '../trace.ts';
import { BEYOND_RAM, dependsOnBeyondRam } from './beyond-ram.ts';
import { type JudgedCommand, type NearMiss, nearMisses } from './near-misses.ts';
import { type Needs, needsOf } from './needs.ts';
import { type Origin, originOf } from './origin.ts';
import { replay, transactionOf } from './replay.ts';

/** Bytes of the smallest page. */
const PAGE = 0x1000n;

/** An answer, and for one that takes a cache or an older value the steps that it comes of. */
export interface JudgedAnswer extends Answer {
  readonly origin?: Origin;
}

/** A transaction, and every answer that it may get. */
export interface JudgedAccess {
  readonly step: number;
  readonly access: TraceAccess;
  readonly answers: readonly JudgedAnswer[];
  /** Where there are several: commands that leave one. Null: none of the list does. */
  readonly needs?: Needs;
  /** The last write before it to a word that its answers depend on, as a step. */
  readonly since?: number;
  readonly misses: readonly NearMiss[];
  /** The step of the access, or of the retry, that had stalled: the answers are what may have become of it. */
  readonly resumes?: number;
  /** What the producer saw is none of the answers. */
  readonly outside?: true;
}

/** Something else that a driver should know of. */
export interface Finding {
  readonly step: number;
  readonly kind:
    | 'ignored-write'
    | 'not-observable'
    | 'command-error'
    | 'torn'
    | 'no-effect'
    | 'no-command'
    | 'beyond-ram'
    | 'no-interrupt'
    | 'stall-command'
    | 'stalled';
  /** What, the rule with its section, and what would do. */
  readonly text: string;
}

/** What a trace comes to. */
export interface Judgement {
  readonly accesses: readonly JudgedAccess[];
  readonly commands: readonly JudgedCommand[];
  readonly findings: readonly Finding[];
  /** At the end: transactions, as they were made, that would have several answers. */
  readonly owed: readonly JudgedAccess[];
}

/** Judges a trace. @throws SmmuTraceError for a step that no driver's SMMU can take. */
export function judgeSmmuTrace(trace: SmmuTrace): Judgement {
  const accesses: JudgedAccess[] = [];
  const commands: JudgedCommand[] = [];
  const findings: Finding[] = [];
  const stepOf: number[] = [];
  let last: SmmuDevice | undefined;
  let beyond = false;
  for (const { step, device, answers, notes } of replay(trace)) {
    last = device;
    while (stepOf.length <= device.changes.now) stepOf.push(step);
    for (const note of notes) {
      beyond ||= note.kind === 'beyond-ram';
      if (note.kind === 'command') {
        const { command, words } = note.command;
        commands.push({ step, command, text: commandText(words) });
      }
      findings.push(...findingsOf(note, step, device));
    }
    findings.push(...tornEntries(device, step, trace, findings));
    const at = trace.steps[step]!;
    if (at.kind === 'access' && answers !== undefined) {
      accesses.push(judgeAccess(device, step, at, answers, commands, stepOf));
    }
    if (at.kind === 'resumed' && answers !== undefined) {
      const outside = isOutside(at.got, answers);
      const access = resumedAccess(trace, at);
      accesses.push({ step, access, answers, misses: [], resumes: at.step, ...(outside && { outside }) });
    }
  }
  for (const { transaction, stag, certain } of last?.stalled ?? []) {
    if (!certain) continue;
    const tag = stag === undefined ? '' : ` STAG=${stag}`;
    const text = `a transaction of StreamID ${transaction.streamId} to ${hex(transaction.ia)} is stalled at the end: each needs a CMD_RESUME StreamID=${transaction.streamId}${tag}, or a CMD_STALL_TERM of its stream (3.12.2)`;
    findings.push({ step: trace.steps.length, kind: 'stalled', text });
  }
  if (beyond) {
    for (const step of dependsOnBeyondRam(trace))
      findings.push({ step, kind: 'beyond-ram', text: BEYOND_RAM });
  }
  return {
    accesses,
    commands,
    findings,
    owed: last ? owedAtEnd(last, trace, accesses, commands, stepOf) : [],
  };
}

function judgeAccess(
  device: SmmuDevice,
  step: number,
  { access, got }: Pick<AccessStep, 'access' | 'got'>,
  answers: readonly Answer[],
  commands: readonly JudgedCommand[],
  stepOf: readonly number[],
): JudgedAccess {
  const outside = isOutside(got, answers);
  const transaction = transactionOf(access);
  const told = answers.map((answer) => withOrigin(answer, originOf(device, transaction, answer), stepOf));
  const said = { step, access, answers: told, misses: [], ...(outside && { outside }) };
  if (answers.length === 1) return said;
  const needs = needsOf(device, transaction);
  const [before, last] = device.changesFor(transaction).slice(-2);
  const since = stepOf[last ?? before ?? -1];
  // What is stale was there before the last change, or before the break of a break-before-make.
  const misses = needs === null ? [] : nearMisses(needs, commands, stepOf[before ?? -1] ?? 0);
  return { ...said, needs, misses, ...(since !== undefined && { since }) };
}

/** The access that stalled, perhaps several times. */
function resumedAccess({ steps }: SmmuTrace, { step }: ResumedStep): TraceAccess {
  for (let at = steps[step]; at !== undefined; at = at.kind === 'resumed' ? steps[at.step] : undefined) {
    if (at.kind === 'access') return at.access;
  }
  throw new SmmuTraceError(`no step ${step} has an access`, step);
}

function isOutside(got: AccessStep['got'], answers: readonly Answer[]): boolean {
  return got !== undefined && !answers.some(({ outcome }) => isSame(outcome, got.outcome));
}

/** Moments become steps. */
function withOrigin(answer: Answer, origin: Origin | undefined, stepOf: readonly number[]): JudgedAnswer {
  if (origin === undefined) return answer;
  const { written, replaced } = origin;
  const made = written === undefined ? {} : { written: stepOf[written] ?? -1 };
  return { ...answer, origin: { ...made, replaced: stepOf[replaced] ?? -1 } };
}

function findingsOf(note: DeviceNote, step: number, device: SmmuDevice): Finding[] {
  switch (note.kind) {
    case 'ignored-write':
      return [
        { step, kind: 'ignored-write', text: `the write of ${hex(note.value)} is ignored: ${note.rule}` },
      ];
    case 'command-error': {
      const { error, rule, index, words } = note.error;
      const text = `${error} at entry ${index}, ${commandText(words)}: ${rule}. Nothing behind it is consumed until SMMU_GERRORN agrees with SMMU_GERROR (7.1)`;
      return [{ step, kind: 'command-error', text }];
    }
    case 'command': {
      const { address, words, command } = note.command;
      const scope = invalidationOf(command, device.scopes);
      if (scope?.kind === 'nothing') {
        const text = `${commandText(words)} need not invalidate anything: ${scope.why}`;
        return [{ step, kind: 'no-effect', text }];
      }
      if (note.observable) return [];
      const text = `${commandText(words)} at ${hex(address)} was written without a barrier before CMDQ_PROD: the SMMU may read what was there before (3.21.2); a barrier before the write of CMDQ_PROD would do`;
      return [{ step, kind: 'not-observable', text }];
    }
    case 'no-interrupt': {
      const text = `an interrupt of ${note.source} is taken that the SMMU did not send: since the last one nothing happened for which it sends one while they are enabled (3.18.2)`;
      return [{ step, kind: 'no-interrupt', text }];
    }
    case 'stall-command': {
      const text = `${commandText(note.command.words)}: ${note.rule}`;
      return [{ step, kind: 'stall-command', text }];
    }
    default:
      return [];
  }
}

/** Streams whose STE can be read as something that is neither the old nor the new one. */
function tornEntries(
  device: SmmuDevice,
  step: number,
  trace: SmmuTrace,
  known: readonly Finding[],
): Finding[] {
  if (trace.steps[step]!.kind !== 'write64') return [];
  return device.model.streamIds.flatMap((streamId) => {
    const count = device.readableStes(streamId);
    if (count < 3) return [];
    const text = `the STE of StreamID ${streamId} changes in several words while it may be read: hardware may see ${count} different ones, with words of old and new (3.21.3); make it invalid first, or change one word between two CMD_CFGI_STE with CMD_SYNC`;
    const prefix = `the STE of StreamID ${streamId} `;
    return known.some(({ kind, text: said }) => kind === 'torn' && said.startsWith(prefix))
      ? []
      : [{ step, kind: 'torn' as const, text }];
  });
}

/** The accesses of the trace, each page of a stream once, as if they were made again at the end. */
function owedAtEnd(
  device: SmmuDevice,
  trace: SmmuTrace,
  accesses: readonly JudgedAccess[],
  commands: readonly JudgedCommand[],
  stepOf: readonly number[],
): JudgedAccess[] {
  const seen = new Set<string>();
  return accesses.flatMap(({ access }) => {
    const key = [access.sid, access.ssid, access.iova / PAGE, access.rw].join(' ');
    if (seen.has(key)) return [];
    seen.add(key);
    const answers = device.answersTo(transactionOf(access));
    if (answers.length === 1) return [];
    return [judgeAccess(device, trace.steps.length, { access }, answers, commands, stepOf)];
  });
}

function isSame(one: Answer['outcome'], other: Answer['outcome']): boolean {
  if (one.kind === 'pa' && other.kind === 'pa') return one.pa === other.pa;
  if (one.kind !== 'fault' || other.kind !== 'fault') return one.kind === other.kind;
  return one.fault === other.fault && one.s2 === other.s2 && one.class === other.class;
}
