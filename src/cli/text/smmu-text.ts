/** What `lpae smmu` prints: transactions with their answers, needs and near misses. */
import {
  type JudgedAccess,
  type JudgedAnswer,
  type Judgement,
  type MinimalCommand,
  type Needs,
  type Origin,
  outcomeText,
} from '../../smmu/index.ts';
import { hex } from '../../text/numbers.ts';

/** Where an answer comes from, in words. */
const BY = {
  ste: 'an STE',
  cd: 'a CD',
  tlb: 'a TLB entry',
  atc: "a translation in the device's ATC",
} as const;

/** A transaction in several lines. */
export function accessLines(judged: JudgedAccess): string[] {
  const { step, answers, needs, since, misses, outside } = judged;
  return [
    `step ${step}: ${transactionText(judged)}`,
    ...answers.map((answer) => `  ${outcomeText(answer.outcome)}${causeText(answer)}`),
    ...(outside ? ['  what the producer saw is none of these'] : []),
    ...(since === undefined ? [] : [`  last changed by step ${since}`]),
    ...(needs === undefined ? [] : [`  ${needsText(needs)}`]),
    ...misses.map(({ step: at, command, differs }) => `  step ${at}: ${command} ${differs.join('; ')}`),
  ];
}

/** Why an answer is not that of memory as it is. */
function causeText({ outcome: { by }, origin }: JudgedAnswer): string {
  const caches = by?.map((cache) => BY[cache]).join(' and ');
  const steps =
    origin === undefined ? ', of a stream that shares its VMID and ASID' : `, ${originText(origin)}`;
  if (caches !== undefined) return `: ${caches} that may be cached${steps}`;
  return origin === undefined ? '' : `: an older value that may still be read${steps}`;
}

function originText({ written, replaced }: Origin): string {
  const made =
    written === undefined
      ? ''
      : written < 0
        ? 'from before the trace, '
        : `from the write of step ${written}, `;
  return `${made}replaced in step ${replaced}`;
}

function transactionText({ access: { sid, ssid, iova, rw }, resumes }: JudgedAccess): string {
  const stalled = resumes === undefined ? '' : `, which had stalled at step ${resumes}`;
  return `stream ${sid}${ssid === undefined ? '' : `, substream ${ssid}`} ${rw}s ${hex(iova)}${stalled}`;
}

function needsText(needs: Needs): string {
  if (needs === null) return 'no command leaves one: streams with different tables share an ASID and VMID';
  if (needs[0] === 'barrier' && needs.length === 1)
    return 'needs a barrier: a write need not be observable yet';
  return `needs ${needs.join(', ')}`;
}

/** What is owed at the end. */
export function owedLines(owed: readonly JudgedAccess[]): string[] {
  if (owed.length === 0) return [];
  return [
    'at the end:',
    ...owed.map(
      (judged) =>
        `  ${transactionText(judged)}: ${judged.answers.length} answers; ${needsText(judged.needs ?? null)}`,
    ),
  ];
}

/** Which commands are needed. */
export function minimalLines(commands: readonly MinimalCommand[]): string[] {
  return [
    'commands, each left out:',
    ...commands.map(({ step, text, opens }) =>
      opens.length === 0
        ? `  step ${step}: ${text}: no transaction of this trace needs it`
        : `  step ${step}: ${text}: without it ${opens.length === 1 ? 'step' : 'steps'} ${opens.join(', ')} would be open`,
    ),
  ];
}

/** The document of `--json`. */
export function judgementJson(
  name: string,
  { accesses, findings, owed, commands }: Judgement,
  minimal: readonly MinimalCommand[] | undefined,
  notes: readonly string[],
): object {
  const open = accesses.filter(({ answers }) => answers.length > 1).length;
  return {
    name,
    ok: open === 0 && findings.length === 0,
    open,
    accesses: accesses.map(accessJson),
    findings,
    commands: commands.map(({ step, text }) => ({ step, command: text })),
    owed: owed.map(accessJson),
    ...(minimal && { minimal: minimal.map(({ step, text, opens }) => ({ step, command: text, opens })) }),
    ...(notes.length > 0 && { notes }),
  };
}

function accessJson(judged: JudgedAccess): object {
  const { step, access, answers, needs, since, misses, resumes, outside } = judged;
  const { sid, ssid, iova, rw } = access;
  return {
    step,
    sid,
    ...(ssid !== undefined && { ssid }),
    iova,
    rw,
    answers: answers.map(({ outcome, origin }) => ({
      outcome: outcomeText(outcome),
      ...(outcome.by && { by: outcome.by }),
      ...(origin && { ...origin }),
    })),
    ...(needs !== undefined && { needs }),
    ...(since !== undefined && { since }),
    ...(misses.length > 0 && { misses }),
    ...(resumes !== undefined && { resumes }),
    ...(outside && { outside }),
  };
}
