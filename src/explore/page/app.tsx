/** The page: the question on the left, and one of three views of the answer on the right. */
import { stylesheet } from '../../draw/palette.ts';
import { VIEWS, type View } from '../share.ts';
import { Controls } from './controls.tsx';
import { MapView } from './map-view.tsx';
import { change, linkProblem, state } from './store.ts';
import { WalkView } from './walk-view.tsx';
import { WordsView } from './words-view.tsx';

const NAMES: Readonly<Record<View, string>> = {
  map: 'What is mapped',
  words: 'Tables and words',
  walk: 'Walk',
};

export function App() {
  const { view } = state.value;
  return (
    <>
      <style>{stylesheet()}</style>
      <header>
        <h1>lpae explorer</h1>
        <p>A scatterlist becomes descriptors: real tables, written and read back in this page.</p>
      </header>
      {linkProblem.value !== undefined && (
        <p class="problem" role="alert">
          This link can’t be read: {linkProblem.value}
        </p>
      )}
      <main>
        <Controls />
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
        </section>
      </main>
    </>
  );
}
