/** `lpae compare`: one workload under every combination of CPU page size, granule, page sizes and stages. */
import type { Command } from 'commander';
import type { SgSemantics } from '../../index.ts';
import { SG_SEMANTICS } from '../../iommu/sg-semantics.ts';
import { combinationsOf } from '../../study/combinations.ts';
import {
  type CombinationResult,
  type CompareOptions,
  compareWorkload,
  type Workload,
} from '../../study/index.ts';
import { addChartOptions, showCharts, wantsCharts } from '../charts.ts';
import { addChoiceOptions, type ChoiceOptions, choiceOf, namesOf } from '../input/study-options.ts';
import {
  addWorkloadOptions,
  readWorkloads,
  WORKLOAD_HELP,
  type WorkloadOptions,
} from '../input/workload-options.ts';
import { EXIT, EXIT_INTERRUPTED } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { interruptible } from '../run/interruptible.ts';
import { checkSvgOptions, type SvgOptions } from '../svg-file.ts';
import { adviceLines, comparisonJson, comparisonLines } from '../text/compare-text.ts';

interface Options extends WorkloadOptions, ChoiceOptions, SvgOptions {
  readonly semantics?: string;
}

const HELP = `${WORKLOAD_HELP}
For each combination: whether every request maps; leaves by level (L3x16: runs of 16 entries with the contiguous hint, a
leaf each); tables and their bytes; levels; and how many descriptors a TLB miss reads for each leaf, counted from walks. Tables
have 48 bits of input and output. nested: the lists are a guest's, and stage 2 maps its RAM in the largest leaves offered.
Tables are made as in Linux 6.12 (exact); the other semantics of map_sg are judged by what they refuse and what they over-map.
Advice is exact: each piece says what it would change if followed alone.

Ctrl-C stops after the current combination: the results so far are printed, and the exit code is 130. Otherwise it is 0 if some
combination maps every request, and 1 if none does.

Examples:
  $ lpae compare fixtures/real/linux61-smmuv3-4k.sg.json
  $ lpae compare --workload gpu --stages s1
  $ lpae compare --workload fragmented --svg charts.svg
  $ lpae compare --workload fragmented --fragmentation 0.05 --size 256M --seed 7 --cpu 16K --granule 4K,16K
  $ lpae compare - --sizes blocks --stages nested <<'END'
  { "format": "arm_64_lpae_s1", "config": { "pgsize_bitmap": "0x40201000", "ias": 48, "oas": 48 },
    "iova": "0x10000000", "sg": [["0x900003000", "4M"]] }
  END
`;

export function define(command: Command, cli: Cli): void {
  addChoiceOptions(addWorkloadOptions(command), 'all').option(
    '--semantics <list>',
    `semantics of map_sg, of ${SG_SEMANTICS.join(', ')}; default all`,
  );
  addChartOptions(command)
    .addHelpText('after', HELP)
    .action(async (file: string | undefined, options: Options) => {
      const out = cli.output(command);
      const semantics = namesOf<SgSemantics>('--semantics', options.semantics, SG_SEMANTICS);
      const choice = { ...choiceOf(options), semantics };
      checkSvgOptions(options, out);
      cli.exitCode = await compare(out, await readWorkloads(out, file, options), choice, options);
    });
}

async function compare(
  out: Output,
  workloads: readonly Workload[],
  choice: CompareOptions,
  options: SvgOptions,
): Promise<number> {
  const total = workloads.reduce((sum, one) => sum + combinationsOf(one.cpuPageSize, choice).length, 0);
  const { results, interrupted } = await interruptible(out, all(workloads, choice), total, 'combinations');
  const compared = workloads
    .map((workload) => ({
      workload,
      results: results.filter((one) => one.workload === workload).map(({ result }) => result),
    }))
    .filter((one, i) => i === 0 || one.results.length > 0);
  if (out.json) out.document('lpae.compare/1', { interrupted, ...comparisonJson(compared) });
  else if (!wantsCharts(options)) {
    out.lines(comparisonLines(compared, out.style));
    out.lines(adviceLines(compared, out.style));
  }
  if (wantsCharts(options)) {
    const { comparisonCharts } = await import('../../report/charts/compare-charts.ts');
    const { name, question } = workloads[0]!;
    await showCharts(out, comparisonCharts(compared), { title: name, subtitle: question }, options);
  }
  if (interrupted) return EXIT_INTERRUPTED;
  return compared.some(({ results }) => results.some(({ maps }) => maps)) ? EXIT.ok : EXIT.negative;
}

/** Results of several workloads, one after the other. */
async function* all(
  workloads: readonly Workload[],
  choice: CompareOptions,
): AsyncGenerator<{ readonly workload: Workload; readonly result: CombinationResult }> {
  for (const workload of workloads) {
    for await (const result of compareWorkload(workload, choice)) yield { workload, result };
  }
}
