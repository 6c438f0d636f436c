/** Tables, their words, and the fields of a word. Any bit can be flipped: what changes then stands beside it. */
import { descriptor } from '../../draw/descriptor.ts';
import { type Flipped, type Word, wordAt, wordBytes } from '../../explore/words.ts';
import type { Side } from '../../space/diff-meaning.ts';
import { sayOf } from '../../space/ranges.ts';
import { hex, hexWord, shortSize } from '../../text/numbers.ts';
import { Drawing } from './drawing.tsx';
import { change, flipped, state } from './store.ts';

/** Rows of one table that are shown at once. */
const ROWS = 96;
const MOST_DIFFERENCES = 12;

export function WordsView() {
  const now = flipped.value;
  const { before } = now;
  const at = state.value.at ?? firstLeaf(now);
  const word = at === undefined ? undefined : wordAt(before, at);
  if (before.counts.leaves === 0) return <p>Nothing is mapped, so there are no words to look at.</p>;
  return (
    <div class="words">
      <Tables shown={word} />
      {word && <Fields word={word} />}
      <Effects />
    </div>
  );
}

function firstLeaf({ before: { tables, domain } }: Flipped): bigint | undefined {
  const table = tables.at(-1);
  const entry = table?.entries[0];
  return table && entry && table.pa + BigInt(entry.index) * wordBytes(domain);
}

function Tables({ shown }: { readonly shown: Word | undefined }) {
  const { before } = flipped.value;
  const changed = new Map(flipped.value.changed.map(({ word, now }) => [word.pa, now]));
  const table = shown?.table ?? before.tables[0]!;
  const bytes = wordBytes(before.domain);
  return (
    <div class="tables">
      <label>
        <span>Table</span>
        <select
          value={hex(table.pa)}
          onChange={({ currentTarget }) => {
            const next = before.tables.find(({ pa }) => hex(pa) === currentTarget.value)!;
            const index = next.entries[0]?.index ?? 0;
            change({ at: next.pa + BigInt(index) * bytes });
          }}
        >
          {before.tables.map(({ pa, level, entries }) => (
            <option key={String(pa)} value={hex(pa)}>
              level {level} at {hex(pa)}, {entries.length} used
            </option>
          ))}
        </select>
      </label>
      <ul class="list" aria-label="Entries in use">
        {table.entries.slice(0, ROWS).map(({ index, descriptor: value, kind }) => {
          const pa = table.pa + BigInt(index) * bytes;
          return (
            <li key={index}>
              <button
                type="button"
                class="word"
                aria-pressed={pa === shown?.pa}
                onClick={() => change({ at: pa })}
              >
                [{hex(index, 3)}] {hexWord(changed.get(pa) ?? value)} {kind}
                {changed.has(pa) ? ', changed' : ''}
              </button>
            </li>
          );
        })}
      </ul>
      {table.entries.length > ROWS && <p class="faint">… and {table.entries.length - ROWS} more</p>}
    </div>
  );
}

function Fields({ word }: { readonly word: Word }) {
  const { before, changed } = flipped.value;
  const { flips } = state.value;
  const now = changed.find(({ word: { pa } }) => pa === word.pa)?.now ?? word.value;
  const { level } = word.table;
  const bits = Number(wordBytes(before.domain)) * 8;
  const run = (word.entry?.run ?? 1) > 1;
  const layout = before.domain.format.layout(word.entry?.kind ?? 'invalid', level, run);
  const flip = (bit: number) => {
    const known = flips.findIndex((one) => one.pa === word.pa && one.bit === bit);
    change({ at: word.pa, flips: known < 0 ? [...flips, { pa: word.pa, bit }] : flips.toSpliced(known, 1) });
  };
  return (
    <div class="fields">
      <h2>
        Entry {hex(word.index, 3)} of the level {level} table at {hex(word.table.pa)}
      </h2>
      <fieldset class="bits" aria-label={`Bits of the word, ${bits - 1} to 0. A click flips one.`}>
        {Array.from({ length: bits }, (_, i) => bits - 1 - i).map((bit) => {
          const value = (now >> BigInt(bit)) & 1n;
          const isFlipped = value !== ((word.value >> BigInt(bit)) & 1n);
          return (
            <button
              type="button"
              key={bit}
              class={isFlipped ? 'bit flipped' : 'bit'}
              aria-pressed={value === 1n}
              aria-label={`bit ${bit}: ${value}`}
              title={`bit ${bit}`}
              onClick={() => flip(bit)}
            >
              {String(value)}
            </button>
          );
        })}
      </fieldset>
      <Drawing svg={descriptor(layout, now)} label="Fields of the word" />
    </div>
  );
}

function Effects() {
  const { changed, differences, findings, before, after } = flipped.value;
  if (changed.length === 0) return <p class="faint">Flip a bit: what the walker then answers stands here.</p>;
  const [a, b] = [before.walker.regime, after.walker.regime];
  const say = (side: Side | undefined, regime: typeof a) =>
    side === undefined
      ? 'not mapped'
      : `${side.pa === undefined ? '' : `${hex(side.pa)} `}${sayOf(side.range.result, regime)}`;
  return (
    <section aria-labelledby="effects">
      <h2 id="effects">What that changes</h2>
      <button type="button" onClick={() => change({ flips: [] })}>
        Undo all
      </button>
      <ul>
        {changed.map(({ word, now, verdict }) => (
          <li key={String(word.pa)}>
            <code>
              {hexWord(word.value)} → {hexWord(now)}
            </code>
            {verdict &&
              `: ${verdict.legal ? 'may be changed in place' : 'needs break-before-make'}: ${verdict.rule} (${verdict.section})`}
          </li>
        ))}
      </ul>
      {differences.length === 0 && <p>The walker answers as before, for every address.</p>}
      <ul>
        {differences.slice(0, MOST_DIFFERENCES).map(({ first, last, a: was, b: is }) => (
          <li key={String(first)}>
            <code>{hex(first)}</code>, {shortSize(last - first + 1n)}: {say(was, a)} → {say(is, b)}
          </li>
        ))}
        {differences.length > MOST_DIFFERENCES && <li>… and {differences.length - MOST_DIFFERENCES} more</li>}
      </ul>
      {findings.length > 0 && <h3>What lint says</h3>}
      <ul>
        {findings.slice(0, MOST_DIFFERENCES).map(({ rule, message, at, first }) => (
          <li key={`${rule} ${at} ${first}`}>
            <strong>{rule}</strong>: {message}
          </li>
        ))}
      </ul>
    </section>
  );
}
