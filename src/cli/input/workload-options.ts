/** Chooses the workload of a study: a file, or a generator with its settings, for each CPU page size. */
import { type Command, Option } from 'commander';
import { GRANULES } from '../../study/combinations.ts';
import { WORKLOADS, type Workload, workloadNamed } from '../../study/index.ts';
import { questionOf } from '../../study/workloads.ts';
import { usageError } from '../io.ts';
import type { Output } from '../output.ts';
import { nameOf, readJson } from './input.ts';
import { shareOf, sizesOf, wholeOf } from './study-options.ts';
import { parseWorkload } from './workload-file.ts';

/** The options as typed. */
export interface WorkloadOptions {
  readonly workload?: string;
  readonly seed?: string;
  readonly size?: string;
  readonly fragmentation?: string;
  readonly cpu?: string;
}

const MAX_BYTES = 2 ** 40;

/** Help on files and generators. */
export const WORKLOAD_HELP = `
FILE holds scatterlists of real drivers (pgtable-scatterlists/1) or is a map request as lpae map reads it: its maps and map_sgs
count, in IOVA spaces apart where they overlap, and its CPU page size is the only one. Or generate lists:

${WORKLOADS.map((name) => `  ${name.padEnd(14)}${questionOf(name)}`).join('\n')}
`;

export function addWorkloadOptions(command: Command): Command {
  return command
    .argument('[file]', 'JSON file of scatterlists or a map request; - is stdin')
    .addOption(new Option('--workload <name>', 'generate lists instead').choices(WORKLOADS))
    .option('--seed <n>', 'for generated lists; default 1')
    .option('--size <bytes>', 'for generated lists; default 64M')
    .option(
      '--fragmentation <share>',
      'for fragmented: share of pages that do not follow the one before, 0 to 1; default 0.3',
    )
    .option('--cpu <sizes>', 'CPU page sizes of generated lists; default 4K,16K,64K');
}

/**
 * One workload for each CPU page size.
 * @throws CliError (usage) for options that do not go together, (input) for a file that is no workload.
 */
export async function readWorkloads(
  out: Output,
  file: string | undefined,
  options: WorkloadOptions,
): Promise<Workload[]> {
  const { workload, seed = '1', size = '64M', fragmentation = '0.3', cpu } = options;
  if ((file === undefined) === (workload === undefined)) {
    throw usageError('give either a file or --workload', `workloads are ${WORKLOADS.join(', ')}`);
  }
  if (workload === undefined) {
    const own = ['seed', 'size', 'fragmentation', 'cpu'].find((name) => Object.hasOwn(options, name));
    if (own) throw usageError(`--${own} is for generated lists, not for those of a file`);
    return [parseWorkload(await readJson(file!, out.io), nameOf(file!))];
  }
  if (options.fragmentation !== undefined && workload !== 'fragmented') {
    throw usageError(`--fragmentation is for fragmented lists, not for ${workload}`);
  }
  const settings = {
    seed: wholeOf('--seed', seed, 0, 2 ** 32),
    bytes: wholeOf('--size', size, 1, MAX_BYTES),
    fragmentation: shareOf('--fragmentation', fragmentation),
  };
  return sizesOf('--cpu', cpu, GRANULES).map((cpuPageSize) =>
    workloadNamed(workload, { ...settings, cpuPageSize }),
  );
}
