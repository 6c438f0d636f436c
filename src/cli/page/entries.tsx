/** The scatterlist as an editable table, and as blocks on a strip of physical memory that can be dragged. */

import { MOST_ENTRIES } from '../../explore/share.ts';
import type { SgRange } from '../../iommu/scatterlist.ts';
import { sizeText } from '../../text/numbers.ts';
import { AddressField } from './address-field.tsx';
import { MemoryStrip } from './memory-strip.tsx';
import { edit, played, playground } from './store.ts';

/** More rows than this are not shown at once. */
const SHOWN = 64;

export function Entries() {
  const { sg, cpuPage } = playground.value;
  const failing = played.value.error?.operands.entry;
  const step = BigInt(cpuPage);
  return (
    <fieldset class="entries">
      <legend>
        Scatterlist, {sg.length} {sg.length === 1 ? 'entry' : 'entries'},{' '}
        {sizeText(sg.reduce((sum, { length }) => sum + BigInt(length), 0n))}
      </legend>
      <MemoryStrip />
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">#</th>
              <th scope="col">PA</th>
              <th scope="col">length</th>
              <th scope="col">change</th>
            </tr>
          </thead>
          <tbody>
            {sg.slice(0, SHOWN).map((entry, i) => (
              // Entries have no name but their place.
              <tr key={i} class={i === failing ? 'failing' : ''}>
                <th scope="row">{i}</th>
                <td>
                  <AddressField
                    bare
                    label={`PA of entry ${i}`}
                    value={BigInt(entry.phys)}
                    step={step}
                    onChange={(phys) => edit((now) => now.with(i, { ...now[i]!, phys }))}
                  />
                </td>
                <td>
                  <AddressField
                    bare
                    label={`length of entry ${i}`}
                    value={BigInt(entry.length)}
                    step={step}
                    onChange={(length) => edit((now) => now.with(i, { ...now[i]!, length }))}
                  />
                </td>
                <td class="buttons">
                  <button
                    type="button"
                    aria-label={`split entry ${i}`}
                    onClick={() => edit((now) => split(now, i, step))}
                  >
                    split
                  </button>
                  <button
                    type="button"
                    aria-label={`join entry ${i} with the next`}
                    disabled={!joins(sg, i)}
                    title={joins(sg, i) ? '' : 'the next entry does not follow it in memory'}
                    onClick={() => edit((now) => joined(now, i))}
                  >
                    join
                  </button>
                  <button
                    type="button"
                    aria-label={`remove entry ${i}`}
                    onClick={() => edit((now) => now.toSpliced(i, 1))}
                  >
                    remove
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {sg.length > SHOWN && <p class="faint">… and {sg.length - SHOWN} more entries</p>}
      <button
        type="button"
        disabled={sg.length >= MOST_ENTRIES}
        onClick={() => edit((now) => [...now, following(now, step)])}
      >
        Add an entry
      </button>
    </fieldset>
  );
}

/** In the middle, at a CPU page if it has several. */
function split(sg: readonly SgRange[], i: number, page: bigint): readonly SgRange[] {
  const [phys, length] = [BigInt(sg[i]!.phys), BigInt(sg[i]!.length)];
  const half = length >= 2n * page ? (length / 2n / page) * page : length / 2n;
  if (half === 0n) return sg;
  return sg.toSpliced(i, 1, { phys, length: half }, { phys: phys + half, length: length - half });
}

function joins(sg: readonly SgRange[], i: number): boolean {
  const [entry, next] = [sg[i]!, sg[i + 1]];
  return next !== undefined && BigInt(entry.phys) + BigInt(entry.length) === BigInt(next.phys);
}

function joined(sg: readonly SgRange[], i: number): readonly SgRange[] {
  const [entry, next] = [sg[i]!, sg[i + 1]!];
  return sg.toSpliced(i, 2, { phys: entry.phys, length: BigInt(entry.length) + BigInt(next.length) });
}

/** A page behind the last entry, with a hole between them. */
function following(sg: readonly SgRange[], page: bigint): SgRange {
  const last = sg.at(-1);
  if (last === undefined) return { phys: 0x9_0000_0000n, length: page };
  return { phys: ((BigInt(last.phys) + BigInt(last.length)) / page) * page + page, length: page };
}
