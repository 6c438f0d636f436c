/** What is mapped: the two strips, the refusal, the cost, advice, the nine combinations, and the tables as an icicle. */
import { icicle } from '../../draw/icicle.ts';
import { iciclePanels } from '../../draw/icicle-tree.ts';
import type { Cell } from '../../explore/matrix.ts';
import { huesOf, strips } from '../../explore/strips.ts';
import { treeOfTarget } from '../../space/tree-read.ts';
import { GRANULES } from '../../study/combinations.ts';
import { counted, shortSize, sizeText } from '../../text/numbers.ts';
import { Drawing } from './drawing.tsx';
import { advice, ask, done, matrix, played, playground, state, subject, timed } from './store.ts';

export function MapView() {
  const { counts, leaves, walker, warnings } = subject.value;
  const isQuestion = state.value.request === undefined;
  return (
    <>
      {isQuestion ? <Answer /> : <RequestAnswer />}
      {warnings.map((warning) => (
        <p class="problem" key={warning}>
          {warning}
        </p>
      ))}
      <Drawing svg={strips(subject.value, 'Nothing is mapped.')} label="Input and output addresses" />
      <dl class="facts">
        <Fact name="tables">{counted(counts.tables, 'table')}</Fact>
        <Fact name="their size">{sizeText(counts.tableBytes)}</Fact>
        <Fact name="descriptors">{counts.leaves}</Fact>
        {leaves.map(({ size, count, reads }) => (
          <Fact key={String(size)} name={`leaves of ${sizeText(size)}`}>
            {count}, a miss reads {counted(reads, 'descriptor')}
          </Fact>
        ))}
      </dl>
      {isQuestion && (
        <>
          <Advised />
          <h2>The same list, other page sizes</h2>
          <Matrix />
        </>
      )}
      <h2>The tables</h2>
      {counts.leaves > 0 && (
        <Drawing
          svg={icicle(iciclePanels(treeOfTarget(walker).tree(), walker))}
          label="Tables as an icicle"
        />
      )}
    </>
  );
}

function Answer() {
  const { error, plan, counts } = played.value;
  const over = error === undefined ? (plan?.overMapped ?? 0n) : 0n;
  return (
    <p class={error ? 'problem' : 'good'} role="status">
      {error
        ? `Refused: ${error.message}`
        : `Mapped: ${shortSize(plan?.mappedBytes ?? 0n, 12)} in ${counted(counts.leaves, 'descriptor')}`}
      {over > 0n && <strong class="over"> {shortSize(over, 12)} more than anybody asked for</strong>}
    </p>
  );
}

function RequestAnswer() {
  const { counts, space } = subject.value;
  const mapped = space.ranges.reduce(
    (sum, { first, last, result }) => (result.ok ? sum + last - first + 1n : sum),
    0n,
  );
  return (
    <p class="good" role="status">
      After {counted(done.value, 'operation')} of {timed.value.ops.length}: {shortSize(mapped, 12)} mapped in{' '}
      {counted(counts.leaves, 'descriptor')}
    </p>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Advised() {
  if (advice.value.length === 0) return null;
  return (
    <section aria-labelledby="advice">
      <h2 id="advice">What would help</h2>
      <ul class="advice">
        {advice.value.map(({ advice: { kind, text, gain }, playground: next }) => (
          <li key={kind}>
            <span>
              {text}
              {gain.leaves > 0 && `: ${counted(gain.leaves, 'leaf', 'leaves')} fewer`}
            </span>
            <button type="button" onClick={() => ask(next)}>
              Do it
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Matrix() {
  const { cpuPage, granule } = playground.value;
  const hues = huesOf({ leaves: allSizes(matrix.value.flat()) });
  return (
    <div class="scroll">
      <table class="matrix">
        <thead>
          <tr>
            <th scope="col">CPU page</th>
            {GRANULES.map((one) => (
              <th scope="col" key={one}>
                granule {sizeText(one)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {matrix.value.map((row, i) => (
            <tr key={GRANULES[i]}>
              <th scope="row">{sizeText(GRANULES[i]!)}</th>
              {row.map((cell) => {
                const { playground: there } = cell;
                const here = there.cpuPage === cpuPage && there.granule === granule;
                return (
                  <td key={there.granule}>
                    <button
                      type="button"
                      class="cell"
                      aria-pressed={here}
                      title={cell.why ?? ''}
                      onClick={() => ask({ cpuPage: there.cpuPage, granule: there.granule })}
                    >
                      <Shares cell={cell} hues={hues} />
                      <span>{textOf(cell)}</span>
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function allSizes(cells: readonly Cell[]) {
  const sizes = new Set(cells.flatMap(({ shares }) => shares.map(({ size }) => size)));
  return [...sizes].map((size) => ({ size, count: 0, reads: 0 }));
}

function textOf({ ok, descriptors, tables, overMapped }: Cell): string {
  if (!ok) return 'refused';
  const over = overMapped > 0n ? `, ${shortSize(overMapped)} too much` : '';
  return `${counted(descriptors, 'descriptor')}, ${counted(tables, 'table')}${over}`;
}

function Shares({ cell, hues }: { readonly cell: Cell; readonly hues: ReturnType<typeof huesOf> }) {
  let x = 0;
  return (
    <svg class="lpae-draw" viewBox="0 0 100 12" width="100" height="12" aria-hidden="true">
      {cell.ok ? (
        cell.shares.map(({ size, share }) => {
          const from = x;
          x += share * 100;
          return (
            <rect
              key={String(size)}
              class={`lpae-f-${hues.get(size) ?? 'grey'}`}
              x={from}
              y={0}
              width={share * 100}
              height={12}
            />
          );
        })
      ) : (
        <path class="lpae-s-red" d="M1 6H99" stroke-dasharray="4 4" />
      )}
      {cell.overMapped > 0n && <rect class="lpae-i-red" x={92} y={0} width={8} height={12} />}
    </svg>
  );
}
