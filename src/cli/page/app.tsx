/** The page: the question on the left, and one of several views of the answer on the right. */
import { stylesheet } from '../../draw/palette.ts';
import { VIEWS, type View } from '../../explore/share.ts';
import { Controls } from './controls.tsx';
import { MapView } from './map-view.tsx';
import { OpenView } from './open-view.tsx';
import { AskedRequest } from './request-panel.tsx';
import { change, problem, state } from './store.ts';
import { TimeView } from './time-view.tsx';
import { WalkView } from './walk-view.tsx';
import { WordsView } from './words-view.tsx';

const NAMES: Readonly<Record<View, string>> = {
  map: 'What is mapped',
  words: 'Tables and words',
  walk: 'Walk',
  time: 'Time',
  open: 'Open files',
};

export function App() {
  const { view, request } = state.value;
  return (
    <>
      <style>{stylesheet()}</style>
      <header>
        <h1>lpae explorer</h1>
        <p>A scatterlist becomes descriptors: real tables, written and read back in this page.</p>
      </header>
      {problem.value !== undefined && (
        <p class="problem" role="alert">
          This can’t be read: {problem.value}
        </p>
      )}
      <main>
        {request === undefined ? <Controls /> : <AskedRequest text={request} />}
        <section class="answer" aria-label="Answer">
          <nav class="tabs" aria-label="Views">
            {VIEWS.map((one) => (
              <button
                type="button"
                key={one}
                aria-pressed={one === view}
                onClick={() => change({ view: one })}
              >
                {NAMES[one]}
              </button>
            ))}
          </nav>
          {view === 'map' && <MapView />}
          {view === 'words' && <WordsView />}
          {view === 'walk' && <WalkView />}
          {view === 'time' && <TimeView />}
          {view === 'open' && <OpenView />}
        </section>
      </main>
    </>
  );
}
