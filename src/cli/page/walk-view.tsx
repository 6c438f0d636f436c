/** One walk, step by step: the descriptors that are fetched, and the answer as `lpae walk` prints it. */

import type { Asked } from '../../explore/share.ts';
import { hex, hexWord, sizeText } from '../../text/numbers.ts';
import { makeStyle } from '../../text/style.ts';
import { walkLines } from '../text/walk-text.ts';
import { AddressField } from './address-field.tsx';
import { change, flipped, state, timed } from './store.ts';

const PLAIN = makeStyle(false);

export function WalkView() {
  const { after } = flipped.value;
  const { walker } = after;
  const asked: Asked = state.value.walk ?? {
    va: timed.value.ops[0]?.iova ?? 0n,
    access: 'read',
    privileged: true,
  };
  const put = (part: Partial<Asked>) => change({ walk: { ...asked, ...part } });
  const { va, ...how } = asked;
  const result = walker.walk(va, how);
  return (
    <>
      <div class="choices">
        <AddressField
          label="Address"
          value={va}
          step={1n << BigInt(after.domain.format.granuleLog2)}
          onChange={(next) => put({ va: next })}
        />
        <label>
          <span>Access</span>
          <select
            value={asked.access}
            onChange={({ currentTarget }) => put({ access: currentTarget.value as Asked['access'] })}
          >
            <option>read</option>
            <option>write</option>
            <option>execute</option>
          </select>
        </label>
        <label>
          <span>From</span>
          <select
            value={asked.privileged ? 'el1' : 'el0'}
            onChange={({ currentTarget }) => put({ privileged: currentTarget.value === 'el1' })}
          >
            <option value="el1">EL1, privileged</option>
            <option value="el0">EL0, unprivileged</option>
          </select>
        </label>
      </div>
      <ol class="steps">
        {result.steps.map(({ level, index, address, descriptor, kind, size }) => (
          <li key={String(address)}>
            <button
              type="button"
              class="word"
              onClick={() => change({ at: address, view: 'words' })}
              title="look at its fields"
            >
              <span>
                level {level}, entry {hex(index, 3)}, {sizeText(size)} each
              </span>
              <code>{descriptor === undefined ? 'no answer' : hexWord(descriptor)}</code>
              <span>{kind}</span>
            </button>
          </li>
        ))}
      </ol>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <pre role="status" tabIndex={0}>
        {walkLines(result, how, walker, PLAIN).join('\n')}
      </pre>
    </>
  );
}
