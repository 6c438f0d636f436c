/** The page's state, and what the library answers to it. The page's address follows the state, and the state follows the address. */
import { computed, effect, signal } from '@preact/signals';
import { adviceOn, type Taken } from '../advice.ts';
import { matrixOf } from '../matrix.ts';
import { type Playground, play } from '../playground.ts';
import { PRESETS } from '../presets.ts';
import { LinkError, linkOf, type PageState, stateOf } from '../share.ts';
import { withFlips } from '../words.ts';

export const state = signal<PageState>({ playground: PRESETS[0]!.playground, view: 'map', flips: [] });

/** What is wrong with the link that the page was opened with. */
export const linkProblem = signal<string | undefined>(undefined);

export const playground = computed(() => state.value.playground);
/** The tables as they are without flips. */
export const played = computed(() => play(playground.value));
/** Worked out only where a view asks: it walks and lints the tables twice. */
export const flipped = computed(() => withFlips(playground.value, state.value.flips, played.value));
export const matrix = computed(() => matrixOf(playground.value));

/** Advice arrives a little later. */
export const advice = signal<readonly Taken[]>([]);

/** Changes a part of the state. */
export function change(part: Partial<PageState>): void {
  state.value = { ...state.value, ...part };
}

/** Asks another question. Flips belong to the tables of the old one. */
export function ask(part: Partial<Playground>): void {
  const { at: _, walk: __, ...rest } = state.value;
  state.value = { ...rest, playground: { ...rest.playground, ...part }, flips: [] };
}

/** Changes the entries. The change gets those of this moment, which the page may not have drawn yet. */
export function edit(entries: (sg: Playground['sg']) => Playground['sg']): void {
  ask({ sg: entries(state.peek().playground.sg) });
}

export function followAddress(): void {
  readAddress();
  window.addEventListener('hashchange', readAddress);
  effect(() => {
    const link = `#${linkOf(state.value)}`;
    if (link !== window.location.hash) window.history.replaceState(null, '', link);
  });
  effect(() => {
    void advise(playground.value);
  });
}

function readAddress(): void {
  const link = window.location.hash;
  if (link.length <= 1 || link === `#${linkOf(state.value)}`) return;
  try {
    state.value = stateOf(link);
    linkProblem.value = undefined;
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    linkProblem.value = error.message;
  }
}

async function advise(asked: Playground): Promise<void> {
  advice.value = [];
  const found = await adviceOn(asked).catch(() => []);
  if (playground.peek() === asked) advice.value = found;
}
