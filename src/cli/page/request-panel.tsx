/** A map request that is asked instead of the playground's question: typed, pasted, or one of a few to begin with. */
import { useState } from 'preact/hooks';
import { REQUESTS } from '../../explore/presets.ts';
import { counted } from '../../text/numbers.ts';
import { CopyButton } from './copy-button.tsx';
import { GoldenButton } from './golden-button.tsx';
import { ask, askRequest, state, timed } from './store.ts';

/** The request that is asked, in the place of the playground's question. */
export function AskedRequest({ text }: { readonly text: string }) {
  const { format, ops } = timed.value;
  return (
    <section class="question" aria-label="Question">
      <p>
        A map request for <strong>{format.name}</strong>, {counted(ops.length, 'operation')}.
      </p>
      <p>
        <button type="button" onClick={() => ask({})}>
          Back to the playground
        </button>{' '}
        <CopyButton text={`lpae map - <<'END'\n${text}\nEND\n`}>Copy as command</CopyButton> <GoldenButton />
      </p>
      <RequestText key={text} text={text} />
    </section>
  );
}

/** Below the playground's question, folded. */
export function OtherRequests() {
  return (
    <details>
      <summary>Or ask a map request of several operations</summary>
      <RequestText text="" />
    </details>
  );
}

function RequestText({ text }: { readonly text: string }) {
  const [typed, setTyped] = useState(text);
  return (
    <>
      <fieldset class="presets">
        <legend>Begin with</legend>
        {REQUESTS.map(({ name, about, request }) => (
          <button
            type="button"
            key={name}
            title={about}
            onClick={() => askRequest(JSON.stringify(request, null, 1))}
          >
            {name}
          </button>
        ))}
      </fieldset>
      <label>
        <span>Map request, as lpae map reads it</span>
        <textarea
          rows={14}
          spellcheck={false}
          value={typed}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      </label>
      <button
        type="button"
        disabled={typed.trim() === '' || typed === state.value.request}
        onClick={() => askRequest(typed)}
      >
        Ask it
      </button>
    </>
  );
}
