/** `lpae study`: a full study of a workload, as conclusions, and as a report on one page. */
import type { Command } from 'commander';
import {
  conclusionsOf,
  gathered,
  type StudyOptions,
  studyWorkloads,
  type Workload,
} from '../../study/index.ts';
import { WORKLOAD_TRACES } from '../../study/tlb/of-workload.ts';
import { partsOf } from '../../study/workload-study.ts';
import {
  addChoiceOptions,
  type ChoiceOptions,
  choiceOf,
  listOf,
  namesOf,
  wholeOf,
} from '../input/study-options.ts';
import {
  addWorkloadOptions,
  readWorkloads,
  WORKLOAD_HELP,
  type WorkloadOptions,
} from '../input/workload-options.ts';
import { EXIT, EXIT_INTERRUPTED } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { checkOutput, STDOUT, writeOutput } from '../output-file.ts';
import { interruptible } from '../run/interruptible.ts';
import { studyJson, studyLines } from '../text/study-text.ts';

interface Options extends WorkloadOptions, ChoiceOptions {
  readonly entries?: string;
  readonly traces?: string;
  readonly accesses?: string;
  readonly report?: string;
  readonly force?: boolean;
}

const HELP = `${WORKLOAD_HELP}
Every combination of granule, page sizes and stage is carried out and counted, as in lpae compare; then a device uses what is
mapped, through TLBs of several sizes, as in lpae tlb. The results are printed as conclusions. --report writes a page for a
browser, with charts, tables and pictures, which needs no network and no other file.

Ctrl-C stops after the current measurement: the results so far are reported, and the exit code is 130. Otherwise it is 0 if some
combination maps every request, and 1 if none does.

Examples:
  $ lpae study --workload gpu --report gpu.html
  $ lpae study fixtures/real/linux61-smmuv3-4k.sg.json --stages s1 --report drivers.html
  $ lpae study --workload fragmented --fragmentation 0.05 --cpu 4K
`;

export function define(command: Command, cli: Cli): void {
  addChoiceOptions(addWorkloadOptions(command), 'all, of TLBs s1,nested')
    .option('--entries <list>', 'TLB entries, in sets of 4; default 16,64,256,1024')
    .option('--traces <list>', `traces to run, of ${WORKLOAD_TRACES.join(', ')}; default device,random`)
    .option('--accesses <n>', 'in each trace; default 256K for device, 64K for others')
    .option('--report <file>', 'write an HTML page; - is stdout, instead of text')
    .option('--force', 'overwrite the file of --report')
    .addHelpText('after', HELP)
    .action(async (file: string | undefined, options: Options) => {
      const out = cli.output(command);
      checkOutput('--report', options.report, options.force, out);
      const asked = optionsOf(options);
      const workloads = await readWorkloads(out, file, options);
      cli.exitCode = await study(out, workloads, asked, options, file);
    });
}

const MAX_ENTRIES = 2 ** 20;
const WAYS = 4;
const WALK_CACHE = 16;

function optionsOf(options: Options): StudyOptions {
  const { entries, traces, accesses, seed } = options;
  return {
    ...choiceOf(options),
    ...(traces !== undefined && { traces: namesOf('--traces', traces, WORKLOAD_TRACES) }),
    ...(accesses !== undefined && { accesses: wholeOf('--accesses', accesses, 1, 2 ** 26) }),
    ...(entries !== undefined && {
      shapes: listOf(entries).map((one) => ({
        entries: wholeOf('--entries', one, 1, MAX_ENTRIES),
        ways: WAYS,
        walkCache: WALK_CACHE,
      })),
    }),
    ...(seed !== undefined && { seed: wholeOf('--seed', seed, 0, 2 ** 32) }),
  };
}

async function study(
  out: Output,
  workloads: readonly Workload[],
  asked: StudyOptions,
  options: Options,
  file: string | undefined,
): Promise<number> {
  const total = partsOf(workloads, asked);
  const { results: parts, interrupted } = await interruptible(
    out,
    studyWorkloads(workloads, asked),
    total,
    'measurements',
  );
  const studies = gathered(parts);
  const conclusions = conclusionsOf(studies);
  if (out.json) out.document('lpae.study/1', studyJson(studies, conclusions, interrupted));
  else if (options.report !== STDOUT) out.lines(studyLines(studies, conclusions, out.style));
  if (options.report !== undefined) {
    const { reportPage } = await import('../../report/index.ts');
    const page = reportPage(studies, {
      command: commandLine(file, options),
      ...(interrupted && { interrupted: { done: parts.length, total } }),
    });
    writeOutput('--report', options.report, page, out);
  }
  if (interrupted) return EXIT_INTERRUPTED;
  return studies.some(({ results }) => results.some(({ maps }) => maps)) ? EXIT.ok : EXIT.negative;
}

/** The command line in a normal form. */
function commandLine(file: string | undefined, { report, force, ...options }: Options): string {
  const given = Object.entries(options).map(([name, text]) => `--${name} ${quoted(text)}`);
  const words = [...(file === undefined ? [] : [quoted(file)]), ...given, `--report ${quoted(report!)}`];
  return `lpae study ${words.join(' ')}${force ? ' --force' : ''}`;
}

const QUOTE = "'";

/** Quotes a word for a shell. */
function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return QUOTE + text.split(QUOTE).join(`${QUOTE}\\${QUOTE}${QUOTE}`) + QUOTE;
}
