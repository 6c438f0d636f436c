/** The command line of `npm run bench`: what it takes, and a sentence for what it does not. */
import { parseArgs } from 'node:util';
import { MODES, type Mode } from './workload.ts';

export const HELP = `npm run bench [-- OPTIONS]

Measures every workload twice, in a process of its own and together with all others in one, by CPU time and by the clock, and
shows it as a ratio to a limit of the machine that the same process measured.

  --only=TEXT     only the workloads with TEXT in their name
  --mode=MODE     only alone (each in a process of its own) or together (all in one)
  --json          the results as JSON
  --compare=FILE  how ratios changed since FILE, which --json wrote
  --figures       also memory and growth, which take a while
  --list          the names of the workloads
  --help          this text`;

/** The options of a run. */
export interface BenchOptions {
  readonly only: string;
  readonly modes: readonly Mode[];
  readonly json: boolean;
  readonly compare: string | undefined;
  readonly figures: boolean;
  readonly list: boolean;
  readonly help: boolean;
  /** Set by the program itself: the process measures these workloads and prints a line of JSON for each. */
  readonly measure: readonly string[] | undefined;
}

/** @throws Error with a sentence that says what is wrong. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      mode: { type: 'string' },
      json: { type: 'boolean', default: false },
      compare: { type: 'string' },
      figures: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      measure: { type: 'string', multiple: true },
    },
  });
  const { mode, only, json, compare, figures, list, help, measure } = values;
  const modes = mode === undefined ? MODES : MODES.filter((one) => one === mode);
  if (modes.length === 0) throw new Error(`--mode is ${MODES.join(' or ')}, not ${mode}`);
  return { only, modes, json, compare, figures, list, help, measure };
}

/** The workloads with `only` in their name. @throws Error when there is none. */
export function withName<T extends { readonly name: string }>(all: readonly T[], only: string): T[] {
  const found = all.filter(({ name }) => name.includes(only));
  if (found.length === 0) throw new Error(`no workload has '${only}' in its name; --list shows all names`);
  return found;
}
