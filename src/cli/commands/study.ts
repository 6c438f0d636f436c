/** `lpae study`: all there is to know of a workload, as conclusions, and as a report of one page. */
import type { Command } from 'commander';
import {
  conclusionsOf,
  GRANULES,
  gathered,
  OFFERED,
  partsOf,
  STAGES,
  StudyError,
  type StudyOptions,
  studyWorkloads,
  WORKLOAD_TRACES,
  type Workload,
} from '../../study/index.ts';
import { listOf, namesOf, sizesOf, wholeOf } from '../input/study-options.ts';
import {
  addWorkloadOptions,
  readWorkloads,
  WORKLOAD_HELP,
  type WorkloadOptions,
} from '../input/workload-options.ts';
import { EXIT, usageError } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { checkOutputFile, writeOutputFile } from '../output-file.ts';
import { EXIT_INTERRUPTED, interruptible } from '../run/interruptible.ts';
import { studyJson, studyLines } from '../text/study-text.ts';

interface Options extends WorkloadOptions {
  readonly granule?: string;
  readonly sizes?: string;
  readonly stages?: string;
  readonly entries?: string;
  readonly traces?: string;
  readonly accesses?: string;
  readonly report?: string;
  readonly force?: boolean;
}

const HELP = `${WORKLOAD_HELP}
Every combination of granule, page sizes and stage is carried out and counted, as lpae compare does; then a device uses what is
mapped, through TLBs of several sizes, as in lpae tlb. What comes of it is printed as conclusions. --report writes a page for a
browser, with charts, tables and pictures, that needs no network and no other file.

Ctrl-C stops after the measurement at hand: what was measured is reported, and the exit code is 130. Else it is 0 when some
combination maps every request, and 1 when none does.

Examples:
  $ lpae study --workload gpu --report gpu.html
  $ lpae study fixtures/real/linux61-smmuv3-4k.sg.json --stages s1 --report drivers.html
  $ lpae study --workload fragmented --fragmentation 0.05 --cpu 4K
`;

export function define(command: Command, cli: Cli): void {
  addWorkloadOptions(command)
    .option('--granule <sizes>', 'smallest pages of the IOMMU; default 4K,16K,64K')
    .option('--stages <list>', `of ${STAGES.join(', ')}; default all, of TLBs s1,nested`)
    .option('--sizes <list>', `page sizes to offer, of ${OFFERED.join(', ')}; default all`)
    .option('--entries <list>', 'TLB entries, in sets of 4; default 16,64,256,1024')
    .option('--traces <list>', `what a device does, of ${WORKLOAD_TRACES.join(', ')}; default device,random`)
    .option('--accesses <n>', 'of each trace; default 256K of device, 64K of others')
    .option('--report <file>', 'write a page of HTML; - is stdout, in place of text')
    .option('--force', 'overwrite the file of --report')
    .addHelpText('after', HELP)
    .action(async (file: string | undefined, options: Options) => {
      const out = cli.output(command);
      const { report, force } = options;
      if (report === STDOUT) {
        if (out.json)
          throw usageError('--report - and --json both want stdout', '--report FILE goes with --json');
      } else if (report !== undefined) checkOutputFile(report, force, '--report');
      else if (force) throw usageError('--force overwrites the file of --report, which is not given');
      const asked = optionsOf(options);
      const workloads = await readWorkloads(out, file, options);
      try {
        cli.exitCode = await study(out, workloads, asked, options, file);
      } catch (error) {
        if (error instanceof StudyError) throw usageError(error.message);
        throw error;
      }
    });
}

const STDOUT = '-';
const MAX_ENTRIES = 2 ** 20;
const WAYS = 4;
const WALK_CACHE = 16;

function optionsOf({ granule, sizes, stages, entries, traces, accesses, seed }: Options): StudyOptions {
  return {
    granules: sizesOf('--granule', granule, GRANULES),
    sizes: namesOf('--sizes', sizes, OFFERED),
    ...(stages !== undefined && { stages: namesOf('--stages', stages, STAGES) }),
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
    if (options.report === STDOUT) out.io.stdout.write(page);
    else {
      writeOutputFile(options.report, page, '--report');
      out.note(`wrote ${options.report}`);
    }
  }
  if (interrupted) return EXIT_INTERRUPTED;
  return studies.some(({ results }) => results.some(({ maps }) => maps)) ? EXIT.ok : EXIT.negative;
}

/** What was typed, in one spelling. */
function commandLine(file: string | undefined, { report, force, ...options }: Options): string {
  const given = Object.entries(options).map(([name, text]) => `--${name} ${quoted(text)}`);
  const words = [...(file === undefined ? [] : [quoted(file)]), ...given, `--report ${quoted(report!)}`];
  return `lpae study ${words.join(' ')}${force ? ' --force' : ''}`;
}

const QUOTE = "'";

/** As a shell wants it. */
function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return QUOTE + text.split(QUOTE).join(`${QUOTE}\\${QUOTE}${QUOTE}`) + QUOTE;
}
