/** The page's state, and what the library answers to it. The page's address follows the state, and the state follows the address. */
import { computed, effect, signal } from '@preact/signals';
import { adviceOn, type Taken } from '../../explore/advice.ts';
import type { Made } from '../../explore/made.ts';
import { matrixOf } from '../../explore/matrix.ts';
import { type Playground, play, timedOf } from '../../explore/playground.ts';
import { PRESETS } from '../../explore/presets.ts';
import { LinkError, linkOf, type PageState, stateOf } from '../../explore/share.ts';
import { type TimedRequest, tablesAfter, timelineOf } from '../../explore/timeline.ts';
import { flippedIn } from '../../explore/words.ts';
import { IommuError } from '../../pagetable/errors.ts';
import { parseRequest } from '../input/request.ts';
import { CliError } from '../io.ts';

export const state = signal<PageState>({ playground: PRESETS[0]!.playground, view: 'map', flips: [] });

/** What is wrong with the link that the page was opened with, or with what was opened in it. */
export const problem = signal<string | undefined>(undefined);

export const playground = computed(() => state.value.playground);
const requestText = computed(() => state.value.request);
const step = computed(() => state.value.step);

/** The request that is asked instead of the playground's question. */
const request = computed(() => {
  const text = requestText.value;
  return text === undefined ? undefined : readRequest(text);
});
/** The operations that the page looks at. */
export const timed = computed((): TimedRequest => request.value ?? timedOf(playground.value));
/** How many of them are carried out. */
export const done = computed(() => Math.min(step.value ?? Infinity, timed.value.ops.length));

/** The answer to the playground's question. */
export const played = computed(() => play(playground.value));
const isPlayed = computed(() => request.value === undefined && done.value === 1);
/** The tables that the page looks at, as they are without flips. */
export const subject = computed(
  (): Made => (isPlayed.value ? played.value : tablesAfter(timed.value, done.value)),
);
/** Worked out only where a view asks: it walks and lints the tables twice. */
export const flipped = computed(() =>
  flippedIn(
    () => (isPlayed.value ? play(playground.value) : tablesAfter(timed.value, done.value)),
    state.value.flips,
    subject.value,
  ),
);
/** Whether the invalidations that Linux makes are made. */
export const sync = signal(false);
export const timeline = computed(() => timelineOf(timed.value, sync.value));
export const matrix = computed(() => matrixOf(playground.value));

/** Advice arrives a little later. */
export const advice = signal<readonly Taken[]>([]);

/** Changes a part of the state. */
export function change(part: Partial<PageState>): void {
  state.value = { ...state.value, ...part };
}

/** Looks at another moment: flips belong to the tables of the old one. */
export function goTo(count: number): void {
  const { at: _, ...rest } = state.value;
  state.value = { ...rest, step: count, flips: [] };
}

/** Asks another question. Flips belong to the tables of the old one. */
export function ask(part: Partial<Playground>): void {
  const { at: _, walk: __, step: ___, request: ____, ...rest } = state.value;
  state.value = { ...rest, playground: { ...rest.playground, ...part }, flips: [] };
}

/** Changes the entries. The change gets those of this moment, which the page may not have drawn yet. */
export function edit(entries: (sg: Playground['sg']) => Playground['sg']): void {
  ask({ sg: entries(state.peek().playground.sg) });
}

/** Asks a map request, of which the tables can be made. */
export function askRequest(text: string): void {
  try {
    const { ops } = readRequest(text);
    state.value = {
      playground: playground.peek(),
      request: text,
      view: ops.length > 1 ? 'time' : 'map',
      flips: [],
    };
    problem.value = undefined;
  } catch (error) {
    problem.value = messageOf(error);
  }
}

/** @throws CliError for what is no request, IommuError for one that no tables can be made for. */
function readRequest(text: string): TimedRequest {
  const request = parseRequest(jsonOf(text), 'the request');
  if (request.dma !== undefined)
    throw new CliError(3, 'a request with dma has no operations to step through; lpae map runs it');
  // Refused configurations are refused here, and not where a view is drawn.
  tablesAfter(request, 0);
  return request;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CliError(3, `the request is not JSON: ${(error as Error).message}`);
  }
}

/** @throws what is no refusal. */
function messageOf(error: unknown): string {
  if (error instanceof LinkError || error instanceof CliError || error instanceof IommuError)
    return error.message;
  throw error;
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
    const asked = stateOf(link);
    if (asked.request !== undefined) readRequest(asked.request);
    state.value = asked;
    problem.value = undefined;
  } catch (error) {
    problem.value = messageOf(error);
  }
}

async function advise(asked: Playground): Promise<void> {
  advice.value = [];
  const found = await adviceOn(asked).catch(() => []);
  if (playground.peek() === asked) advice.value = found;
}
