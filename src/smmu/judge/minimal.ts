/** Which commands of a trace are needed: each is left out in turn. (IHI 0070 4.) */
import { commandText } from '../commands.ts';
import type { SmmuTrace } from '../trace.ts';
import { replay } from './replay.ts';

/** A command, and the transactions that would have more answers without it. */
export interface MinimalCommand {
  /** The step that wrote CMDQ_PROD. */
  readonly step: number;
  readonly text: string;
  /** Steps of accesses that would be open, or open to more. None: no transaction of the trace needs the command. */
  readonly opens: readonly number[];
}

/** Replays the trace once for each command. @throws SmmuTraceError as {@link replay} does. */
export function minimalCommands(trace: SmmuTrace): readonly MinimalCommand[] {
  const commands: { readonly step: number; readonly text: string }[] = [];
  const whole = answerCounts(trace, (step, text) => commands.push({ step, text }));
  return commands.map(({ step, text }, ordinal) => {
    const without = answerCounts(trace, () => {}, ordinal);
    const opens = [...without].flatMap(([at, count]) => (count > whole.get(at)! ? [at] : []));
    return { step, text, opens };
  });
}

/** How many answers each access has, perhaps with one command without effect. */
function answerCounts(
  trace: SmmuTrace,
  seen: (step: number, text: string) => void,
  without?: number,
): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  const ignore = without === undefined ? {} : { ignoreCommand: without };
  for (const { step, answers, notes } of replay(trace, ignore)) {
    for (const note of notes) if (note.kind === 'command') seen(step, commandText(note.command.words));
    if (answers !== undefined) counts.set(step, answers.length);
  }
  return counts;
}
