/** `lpae compare`: one workload under every combination of CPU page size, granule, page sizes and stages. */
import { type Command, Option } from 'commander';
import { SG_SEMANTICS, type SgSemantics } from '../../index.ts';
import {
  type CombinationResult,
  type CompareOptions,
  combinationsOf,
  compareWorkload,
  GRANULES,
  OFFERED,
  questionOf,
  STAGES,
  WORKLOADS,
  type Workload,
  workloadNamed,
} from '../../study/index.ts';
import { sizeText } from '../../text/numbers.ts';
import { readAddress } from '../input/address.ts';
import { nameOf, readJson } from '../input/input.ts';
import { parseWorkload } from '../input/workload-file.ts';
import { EXIT, usageError } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { Progress } from '../progress.ts';
import { adviceLines, comparisonJson, comparisonLines } from '../text/compare-text.ts';

interface Options {
  readonly workload?: string;
  readonly seed?: string;
  readonly size?: string;
  readonly fragmentation?: string;
  readonly cpu?: string;
  readonly granule?: string;
  readonly sizes?: string;
  readonly stages?: string;
  readonly semantics?: string;
}

/** As a shell reports a program that SIGINT ended. */
const EXIT_INTERRUPTED = 130;
const MIB = 2 ** 20;

const HELP = `
FILE holds scatterlists of real drivers (pgtable-scatterlists/1) or is a map request as lpae map reads it: its maps and map_sgs
count, in IOVA spaces apart where they overlap, and its CPU page size is the only one. Or generate lists:

${WORKLOADS.map((name) => `  ${name.padEnd(14)}${questionOf(name)}`).join('\n')}

For each combination: whether every request maps; leaves by level (L3x16: runs of 16 entries with the contiguous hint, a
leaf each); tables and their bytes; levels; and how many descriptors a TLB miss reads at each leaf, counted from walks. Tables
have 48 bits of input and output. nested: the lists are a guest's, and stage 2 maps its RAM in the largest leaves offered.
Tables are made as Linux 6.12 does (exact); the other semantics of map_sg are judged for what they refuse and map too much.
Advice is exact: each piece says what following it alone would change.

Ctrl-C stops after the combination at hand: what was measured is printed, and the exit code is 130. Else it is 0 when some
combination maps every request, and 1 when none does.

Examples:
  $ lpae compare fixtures/real/linux61-smmuv3-4k.sg.json
  $ lpae compare --workload gpu --stages s1
  $ lpae compare --workload fragmented --fragmentation 0.05 --size 256M --seed 7 --cpu 16K --granule 4K,16K
  $ lpae compare - --sizes blocks --stages nested <<'END'
  { "format": "arm_64_lpae_s1", "config": { "pgsize_bitmap": "0x40201000", "ias": 48, "oas": 48 },
    "iova": "0x10000000", "sg": [["0x900003000", "4M"]] }
  END
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('[file]', 'JSON file of scatterlists or a map request; - is stdin')
    .addOption(new Option('--workload <name>', 'generate lists instead').choices(WORKLOADS))
    .option('--seed <n>', 'of generated lists; default 1')
    .option('--size <bytes>', 'of generated lists; default 64M')
    .option(
      '--fragmentation <share>',
      'of fragmented: pages that do not follow the one before, 0 to 1; default 0.3',
    )
    .option('--cpu <sizes>', 'CPU page sizes of generated lists; default 4K,16K,64K')
    .option('--granule <sizes>', 'smallest pages of the IOMMU; default 4K,16K,64K')
    .option('--stages <list>', `of ${STAGES.join(', ')}; default all`)
    .option('--sizes <list>', `page sizes to offer, of ${OFFERED.join(', ')}; default all`)
    .option('--semantics <list>', `of map_sg, of ${SG_SEMANTICS.join(', ')}; default all`)
    .addHelpText('after', HELP)
    .action(async (file: string | undefined, options: Options) => {
      const out = cli.output(command);
      const choice = choiceOf(options);
      cli.exitCode = await compare(out, await workloadsOf(out, file, options), choice);
    });
}

function choiceOf(options: Options): CompareOptions {
  const { granule, sizes, stages, semantics } = options;
  return {
    granules: sizesOf('--granule', granule, GRANULES),
    sizes: namesOf('--sizes', sizes, OFFERED),
    stages: namesOf('--stages', stages, STAGES),
    semantics: namesOf<SgSemantics>('--semantics', semantics, SG_SEMANTICS),
  };
}

/** One workload for each CPU page size. */
async function workloadsOf(out: Output, file: string | undefined, options: Options): Promise<Workload[]> {
  const { workload, cpu } = options;
  if ((file === undefined) === (workload === undefined)) {
    throw usageError(
      'compare takes a file or --workload, one of them',
      `workloads are ${WORKLOADS.join(', ')}`,
    );
  }
  if (workload === undefined) {
    const own = ['seed', 'size', 'fragmentation', 'cpu'].find((name) => Object.hasOwn(options, name));
    if (own) throw usageError(`--${own} is for generated lists; those of a file are as they are`);
    return [parseWorkload(await readJson(file!, out.io), nameOf(file!))];
  }
  if (options.fragmentation !== undefined && workload !== 'fragmented') {
    throw usageError(`--fragmentation is for fragmented lists, not for ${workload}`);
  }
  const settings = {
    seed: numberOf('--seed', options.seed ?? '1', Number.isSafeInteger, 'a whole number'),
    bytes: bytesOf('--size', options.size ?? '64M'),
    fragmentation: numberOf(
      '--fragmentation',
      options.fragmentation ?? '0.3',
      (n) => n >= 0 && n <= 1,
      '0 to 1',
    ),
  };
  return sizesOf('--cpu', cpu, GRANULES).map((cpuPageSize) =>
    workloadNamed(workload, { ...settings, cpuPageSize }),
  );
}

async function compare(out: Output, workloads: readonly Workload[], choice: CompareOptions): Promise<number> {
  const total = workloads.reduce((sum, one) => sum + combinationsOf(one.cpuPageSize, choice).length, 0);
  const progress = new Progress(out.io.stderr, `${workloads[0]!.name}: combinations`, total);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  const compared: { workload: Workload; results: CombinationResult[] }[] = [];
  let done = 0;
  try {
    for (const workload of workloads) {
      if (stop.signal.aborted) break;
      const results: CombinationResult[] = [];
      compared.push({ workload, results });
      for await (const result of compareWorkload(workload, choice)) {
        results.push(result);
        progress.at(++done);
        if (stop.signal.aborted) break;
      }
    }
  } finally {
    process.removeListener('SIGINT', interrupt);
    progress.end();
  }
  const interrupted = done < total;
  if (out.json) out.document('lpae.compare/1', { interrupted, ...comparisonJson(compared) });
  else {
    out.lines(comparisonLines(compared, out.style));
    out.lines(adviceLines(compared, out.style));
  }
  if (interrupted) {
    out.note(`interrupted after ${done} of ${total} combinations`);
    return EXIT_INTERRUPTED;
  }
  return compared.some(({ results }) => results.some(({ maps }) => maps)) ? EXIT.ok : EXIT.negative;
}

function namesOf<T extends string>(option: string, text: string | undefined, known: readonly T[]): T[] {
  const names = text === undefined ? known : text.split(',').map((name) => name.trim());
  return known.filter((name) => includes(names, name, option, known));
}

/** In the order of `known`, however they were given. */
function includes<T extends string>(
  names: readonly string[],
  name: T,
  option: string,
  known: readonly T[],
): boolean {
  const wrong = names.find((one) => !known.some((other) => other === one));
  if (wrong !== undefined) throw usageError(`${option}: '${wrong}' is none of ${known.join(', ')}`);
  return names.includes(name);
}

function sizesOf<T extends number>(option: string, text: string | undefined, known: readonly T[]): T[] {
  const names = known.map((size) => sizeText(BigInt(size)));
  const chosen = text?.split(',').map((one) => {
    const size = readAddress(one);
    return size === undefined ? one : sizeText(size);
  });
  const kept = namesOf(option, chosen?.join(','), names);
  return known.filter((_, i) => kept.includes(names[i]!));
}

const MAX_MIB = 2 ** 20;

function bytesOf(option: string, text: string): number {
  const bytes = Number(readAddress(text) ?? 0n);
  if (bytes >= 1 && bytes <= MAX_MIB * MIB) return bytes;
  throw usageError(`${option}: '${text}' is no size from 1 to 1T`, 'such as 64M or 0x400_0000');
}

function numberOf(option: string, text: string, is: (n: number) => boolean, wanted: string): number {
  const n = text.trim() === '' ? Number.NaN : Number(text);
  if (is(n)) return n;
  throw usageError(`${option}: '${text}' is not ${wanted}`);
}
