/** What may have become of a stalled transaction: every ending that its commands, and retries of the SMMU's own, permit. (IHI 0070 3.12.2, 4.7.1.) */
import { type Answer, keyOf } from '../caches/answers.ts';
import type { Changes } from '../caches/changes.ts';
import { ended, isStall } from './stall-control.ts';
import type { StalledTransaction } from './stalls.ts';

/** The answers to a transaction at a moment. */
export type AnswersAt = (moment: number) => readonly Answer[];

/**
 * An early retry counts where the transaction gets through, or where the configuration ends it, which leaves no event (3.12.2.2). After
 * CMD_RESUME with Ac = 1 it is as though the transaction had just come, at any time from then on. Without a command it may still wait.
 */
export function endingsOf(
  { since, command }: StalledTransaction,
  changes: Changes,
  answersAt: AnswersAt,
): readonly Answer[] {
  const { now } = changes;
  const found = new Map<string, Answer>();
  const add = (answer: Answer) => {
    const key = keyOf(answer.outcome);
    if (!found.has(key)) found.set(key, answer);
  };
  const retry = command?.kind === 'retry' ? command.moment : undefined;
  if (retry !== undefined) for (const moment of moments(changes, now, retry)) answersAt(moment).forEach(add);
  if (command?.kind === 'end') add(ended(command.response));
  for (const moment of moments(changes, retry ?? now, since)) {
    for (const answer of answersAt(moment)) {
      if (!isStall(answer)) add(withoutEvent(answer));
      else if (command === undefined) add(answer);
    }
  }
  return [...found.values()];
}

/** Moments from the last to the first at which something may be read otherwise than a moment before. */
function* moments(changes: Changes, last: number, first: number): Iterable<number> {
  yield last;
  for (let moment = last - 1; moment >= first; moment--) {
    if (moment === first || changes.at(moment).kind !== 'command') yield moment;
  }
}

function withoutEvent(answer: Answer): Answer {
  const { outcome } = answer;
  if (outcome.kind !== 'fault') return answer;
  return { ...answer, outcome: { ...outcome, recorded: false }, event: undefined };
}
