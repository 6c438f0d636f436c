/** Operations as steps on a slider: the words that each wrote, in order, what break-before-make says of them, and which invalidations are owed. */
import type { StepVerdict } from '../../bbm/index.ts';
import { MACHINES } from '../../bbm/judge.ts';
import { joinNeeded } from '../../bbm/needed.ts';
import { strips } from '../../explore/strips.ts';
import type { TimedOp } from '../../explore/timeline.ts';
import { counted, hex, hexWord } from '../../text/numbers.ts';
import { makeStyle } from '../../text/style.ts';
import { outcomeOf } from '../run/outcome.ts';
import { commandText, entryText, otherText, tlbiText, verdictText } from '../text/bbm-text.ts';
import { outcomeLines } from '../text/outcome.ts';
import { Drawing } from './drawing.tsx';
import { change, done, goTo, subject, sync, timeline } from './store.ts';

const PLAIN = makeStyle(false);
const CHOSEN = { machines: MACHINES, bbml: 0 } as const;
/** Rows of a list that are shown at once. */
const ROWS = 128;
const MOST_OWED = 8;

export function TimeView() {
  const { ops, unjudged } = timeline.value;
  const now = done.value;
  const last = ops[now - 1];
  return (
    <>
      <fieldset class="time">
        <legend>Moment</legend>
        <button type="button" disabled={now === 0} onClick={() => goTo(now - 1)}>
          ← earlier
        </button>
        <input
          type="range"
          aria-label="Operations carried out"
          aria-valuetext={`${now} of ${ops.length}`}
          min={0}
          max={ops.length}
          value={now}
          onInput={({ currentTarget }) => goTo(Number(currentTarget.value))}
        />
        <button type="button" disabled={now === ops.length} onClick={() => goTo(now + 1)}>
          later →
        </button>
        <label class="check">
          <input
            type="checkbox"
            checked={sync.value}
            onChange={({ currentTarget }) => {
              sync.value = currentTarget.checked;
            }}
          />{' '}
          invalidate as Linux does
        </label>
      </fieldset>
      <p class={last === undefined || last.answer.done ? 'good' : 'problem'} role="status">
        {last === undefined
          ? `Before ${counted(ops.length, 'operation')}: an empty root.`
          : summaryOf(last, now, ops.length)}
      </p>
      <Operations ops={ops} now={now} />
      {last !== undefined && <Written timed={last} />}
      {last !== undefined && unjudged === undefined && <Owed timed={last} />}
      {unjudged !== undefined && <p class="faint">Invalidations are not judged: {unjudged}.</p>}
      <h2>What is mapped then</h2>
      <Drawing svg={strips(subject.value, 'Nothing is mapped.')} label="Input and output addresses" />
    </>
  );
}

function summaryOf({ op, answer, words, owed }: TimedOp, now: number, all: number): string {
  const [line = ''] = outcomeLines(outcomeOf(op, answer), PLAIN);
  const behind = owed.length === 0 ? '' : `, ${counted(owed.length, 'invalidation')} owed`;
  return `${now} of ${all}: ${line}; ${counted(words.length, 'word')} written${behind}`;
}

function Operations({ ops, now }: { readonly ops: readonly TimedOp[]; readonly now: number }) {
  const from = Math.max(0, Math.min(now - ROWS / 2, ops.length - ROWS));
  return (
    <>
      <ol class="list" start={from + 1} aria-label="Operations">
        {ops.slice(from, from + ROWS).map(({ op, answer, words }, i) => {
          const [line = ''] = outcomeLines(outcomeOf(op, answer), PLAIN);
          const place = from + i + 1;
          return (
            <li key={place}>
              <button type="button" class="word" aria-pressed={place === now} onClick={() => goTo(place)}>
                {place}. {line}; {counted(words.length, 'word')}
              </button>
            </li>
          );
        })}
      </ol>
      {ops.length > ROWS && <p class="faint">… of {counted(ops.length, 'operation')}</p>}
    </>
  );
}

function Written({ timed: { words, verdicts } }: { readonly timed: TimedOp }) {
  const { judge } = timeline.value;
  const rows: readonly StepVerdict[] = verdicts.slice(0, ROWS);
  return (
    <>
      <h2>What it wrote, in order</h2>
      {words.length === 0 && <p>Nothing.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section class="scroll" tabIndex={0} aria-label="Words in the order in which they were written">
        <table class="written">
          <thead>
            <tr>
              <th scope="col">#</th>
              <th scope="col">PA</th>
              <th scope="col">level, input address</th>
              <th scope="col">break-before-make</th>
              <th scope="col">before</th>
              <th scope="col">after</th>
            </tr>
          </thead>
          <tbody>
            {judge === undefined &&
              words.slice(0, ROWS).map(({ pa, before, after }, i) => (
                <tr key={i}>
                  <td>{i + 1}</td>
                  <td>
                    <Place pa={pa} />
                  </td>
                  <td>not judged</td>
                  <td />
                  <td>
                    <code>{hexWord(before)}</code>
                  </td>
                  <td>
                    <code>{hexWord(after)}</code>
                  </td>
                </tr>
              ))}
            {rows.map((verdict, i) => (
              <tr key={i}>
                <td>{i + 1}</td>
                {verdict.kind === 'write' ? (
                  <>
                    <td>
                      <Place pa={verdict.pa} />
                    </td>
                    <td>{placeOf(verdict)}</td>
                    <td>{verdictText(verdict, CHOSEN, PLAIN)}</td>
                    <td title={meaning(verdict, verdict.before)}>
                      <code>{hexWord(verdict.before)}</code>
                    </td>
                    <td title={meaning(verdict, verdict.after)}>
                      <code>{hexWord(verdict.after)}</code>
                    </td>
                  </>
                ) : (
                  <td colSpan={5}>
                    {otherText((verdict as { step: Parameters<typeof otherText>[0] }).step)}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {Math.max(words.length, verdicts.length) > ROWS && (
        <p class="faint">… and {Math.max(words.length, verdicts.length) - ROWS} more</p>
      )}
    </>
  );
}

type Write = Extract<StepVerdict, { kind: 'write' }>;

function placeOf({ places: [place] }: Write): string {
  return place === undefined ? 'no walk gets here' : `L${place.level} ${hex(place.ia)}`;
}

function meaning({ places: [place] }: Write, word: bigint): string {
  const { judge } = timeline.value;
  return place === undefined || judge === undefined ? '' : entryText(word, place.level, judge.space);
}

/** A word's address, which leads to its fields if it still is in a table. */
function Place({ pa }: { readonly pa: bigint }) {
  const there = subject.value.tables.some(({ pa: base, bytes }) => pa >= base && pa < base + BigInt(bytes));
  if (!there) return <code>{hex(pa)}</code>;
  return (
    <button
      type="button"
      class="word"
      title="look at its fields"
      onClick={() => change({ at: pa, view: 'words' })}
    >
      {hex(pa)}
    </button>
  );
}

function Owed({ timed: { owed } }: { readonly timed: TimedOp }) {
  const { judge } = timeline.value;
  const ranges = judge === undefined ? [] : joinNeeded(owed, judge.space);
  return (
    <>
      <h2>Invalidations owed then</h2>
      {ranges.length === 0 && <p>None: TLBs can hold nothing that the tables don’t say.</p>}
      <ul aria-label="Invalidations owed">
        {ranges.slice(0, MOST_OWED).map((one) => (
          <li key={String(one.from)}>
            <code>{tlbiText(one)}</code>, or of an SMMU <code>{commandText(one)}</code>
          </li>
        ))}
        {ranges.length > MOST_OWED && <li>… and {ranges.length - MOST_OWED} more</li>}
      </ul>
    </>
  );
}
