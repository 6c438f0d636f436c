/** `lpae tlb`: runs an access trace through TLBs of several sizes, over given tables or tables of every kind. */
import { type Command, Option } from 'commander';
import { sizeOfStudy, studyTlb } from '../../study/tlb/study.ts';
import { TRACES } from '../../study/tlb/trace.ts';
import { WORKLOADS } from '../../study/workloads.ts';
import { wrap } from '../../text/columns.ts';
import { counted } from '../../text/numbers.ts';
import { addChartOptions, showCharts, wantsCharts } from '../charts.ts';
import { addChoiceOptions } from '../input/study-options.ts';
import { readStudy, type TlbOptions } from '../input/tlb-study.ts';
import { EXIT, EXIT_INTERRUPTED } from '../io.ts';
import { addTargetOptions, FILE_ARGUMENT, TARGET_HELP } from '../machine/options.ts';
import type { Cli, Output } from '../output.ts';
import { interruptible } from '../run/interruptible.ts';
import { checkSvgOptions } from '../svg-file.ts';
import { resultJson, studyLines } from '../text/tlb-text.ts';

const LINE = 100;

const HELP = `
Without FILE a footprint is mapped under every combination of granule, page sizes and stages; the CPU's page is the granule.
With FILE its tables are walked as they are.${TARGET_HELP}
Traces: sequential and strided go through the footprint over and over, --stride bytes at a time (64, and 4K); random accesses lines
of 64 bytes; dma-ring is a network card: a descriptor, a buffer of 2K in bursts of 256 bytes, the descriptor again. A file is
one address per line, a JSON list of addresses, or scatterlists of real drivers (pgtable-scatterlists/1): a device that goes over
each request in bursts, which is then unmapped, and its entries are invalidated (--lazy: never).

  hits        accesses that an entry answers          walks      accesses that none does; all are privileged reads
  reads       descriptors that walks read from memory (nested: of both stages)
  per walk    reads for each; per 1000 accesses           reach      the most bytes that the entries cover

Replacement is least recently used, in each set. The walk cache holds tables of all levels, fully associative; nested ones with
the stage-2 walks that led there. Entries hold a leaf, or a contiguous run if one stage translates (--no-runs: never).
Ctrl-C stops after the current combination: the results so far are printed, and the exit code is 130. Exit code 1 if nothing
can be mapped, or every access faults.

Examples:
  $ lpae tlb
  $ lpae tlb --granule 4K --entries 16,64,256,1024 --picture
  $ lpae tlb --footprint 1G --granule 4K --stages s1,nested --entries 64,1024 --ways 4,full
  $ lpae tlb --trace fixtures/real/linux61-smmuv3-4k.sg.json --granule 4K --sizes pages --walk-cache 16,off
  $ lpae tlb request.json --trace strided --stride 64K
  $ lpae tlb fixtures/real/linux61-a72-rodata-on.json.gz --trace random --footprint 1G
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('[file...]', FILE_ARGUMENT)
    .option('--trace <name>', `${TRACES.join(', ')}, or a file (./random is one)`, 'random')
    .option('--accesses <n>', 'how many; default 1M, or all of a file')
    .option('--stride <bytes>', 'for sequential and strided')
    .option('--burst <bytes>', 'of the device, for a file of scatterlists; default 256')
    .option('--largest <bytes>', 'for a file of scatterlists: leave out larger requests; default 16M')
    .option('--lazy', 'for a file of scatterlists: nothing is unmapped')
    .option('--seed <n>', 'for random traces and memory; default 1')
    .option('--footprint <bytes>', 'bytes to access; default 64M, or all that FILE maps')
    .option('--range <range>', 'for FILE: only these input addresses, a..b or a+length')
    .option('--entries <list>', 'TLB entries', '32,64,512')
    .option('--ways <list>', 'entries in a set; full is fully associative', '4')
    .option('--walk-cache <list>', 'tables that the walk cache holds, or off', '16')
    .option('--no-runs', 'contiguous runs are held entry by entry')
    .addOption(new Option('--workload <name>', 'the layout of memory').choices(WORKLOADS))
    .option('--fragmentation <share>', 'share of pages that do not follow the one before, 0 to 1; default 0');
  addTargetOptions(addChartOptions(addChoiceOptions(command, 's1,nested')))
    .addHelpText('after', HELP)
    .action(async (files: string[], options: TlbOptions) => {
      cli.exitCode = await tlb(cli.output(command), files, options);
    });
}

async function tlb(out: Output, files: readonly string[], options: TlbOptions): Promise<number> {
  checkSvgOptions(options, out);
  const { study, title } = await readStudy(out, files, options);
  const { results, interrupted } = await interruptible(
    out,
    studyTlb(study),
    sizeOfStudy(study),
    'combinations',
  );
  const accesses = results.find((result) => result.maps)?.accesses;
  const many = accesses === undefined ? '' : `, ${counted(accesses, 'access', 'accesses')}`;
  if (out.json) {
    out.document('lpae.tlb/1', { title, interrupted, combinations: results.map(resultJson) });
  } else if (!wantsCharts(options)) {
    out.lines(wrap(`${title}${many}`, LINE).map(out.style.title));
    out.line();
    out.lines(studyLines(results, out.style));
  }
  if (wantsCharts(options)) {
    const { tlbCharts } = await import('../../report/charts/tlb-charts.ts');
    await showCharts(
      out,
      tlbCharts(results),
      { title: 'TLB hits and walks', subtitle: `${title}${many}` },
      options,
    );
  }
  if (interrupted) return EXIT_INTERRUPTED;
  const some = results.some((result) => result.maps && result.faults < result.accesses);
  return some ? EXIT.ok : EXIT.negative;
}
