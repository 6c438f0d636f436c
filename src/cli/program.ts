/** The `lpae` program: its commands, and `run`, which runs one command line and returns the exit code. */
import { createRequire } from 'node:module';
import { type Command, Option } from 'commander';
import { capitalised } from '../text/sentence.ts';
import { COLOR_WHEN } from '../text/style.ts';
import { end } from './at-end.ts';
import { type CliIo, EXIT } from './io.ts';
import { type Cli, type GlobalOptions, Output } from './output.ts';
import { reportError } from './report-error.ts';
import { CommandWithStdin } from './stdin-argument.ts';

interface CommandModule {
  define(command: Command, cli: Cli): void;
}

/** Every command. Only the module of the called one is loaded, since start-up takes most of the time of a short command. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<CommandModule> }>> = {
  map: {
    summary: 'run a map or map_sg request and show the tables it makes',
    load: () => import('./commands/map.ts'),
  },
  walk: {
    summary: 'translate addresses as hardware does, step by step',
    load: () => import('./commands/walk.ts'),
  },
  dump: {
    summary: 'list what an address space maps, range by range',
    load: () => import('./commands/dump.ts'),
  },
  decode: {
    summary: 'explain descriptors, field by field',
    load: () => import('./commands/decode.ts'),
  },
  explain: {
    summary: 'explain a field, register, fault, event or value',
    load: () => import('./commands/explain.ts'),
  },
  fault: {
    summary: 'read faults from a log or from registers: what happened, and why',
    load: () => import('./commands/fault.ts'),
  },
  diff: {
    summary: 'compare two address spaces, by meaning and by bits',
    load: () => import('./commands/diff.ts'),
  },
  capture: {
    summary: 'make the smallest golden image that shows a walk',
    load: () => import('./commands/capture.ts'),
  },
  verify: {
    summary: 'say whether tables map what was meant, and nothing else',
    load: () => import('./commands/verify.ts'),
  },
  lint: {
    summary: 'find what is wrong or suspicious in tables',
    load: () => import('./commands/lint.ts'),
  },
  check: {
    summary: 'run golden files and report differences (TAP)',
    load: () => import('./commands/check.ts'),
  },
  replay: {
    summary: 'map, verify and unmap the scatterlists of real drivers',
    load: () => import('./commands/replay.ts'),
  },
  compare: {
    summary: 'compare what a workload costs under granules, page sizes and stages',
    load: () => import('./commands/compare.ts'),
  },
  explore: {
    summary: 'see a scatterlist become descriptors, in a browser',
    load: () => import('./commands/explore.ts'),
  },
  tlb: {
    summary: 'run an access trace through TLBs of several sizes',
    load: () => import('./commands/tlb.ts'),
  },
  study: {
    summary: 'study a workload as a whole: conclusions, and a report of one page',
    load: () => import('./commands/study.ts'),
  },
  bbm: {
    summary: 'judge a trace of table writes by the break-before-make rules',
    load: () => import('./commands/bbm.ts'),
  },
  smmu: {
    summary: 'judge what a driver did with an SMMUv3: stale answers, missing commands',
    load: () => import('./commands/smmu.ts'),
  },
  formats: {
    summary: 'list the page-table formats',
    load: () => import('./commands/formats.ts'),
  },
  completion: {
    summary: 'print a completion script for bash, zsh or fish',
    load: () => import('./commands/completion.ts'),
  },
  man: {
    summary: 'print the manual page',
    load: () => import('./commands/man.ts'),
  },
};

const AFTER_HELP = `
Addresses are accepted as 0x8000_0000, 2M, 4G, decimal, and sums: 0x4000_0000+0x1234.
Exit codes: 0 yes, 1 a negative answer (a fault, a difference), 2 wrong usage, 3 unreadable or unsupported input.

Examples:
  $ lpae map request.json
  $ lpae walk request.json 0x1000_1234
  $ lpae decode 0x0060000040000f47 --format arm_64_lpae_s1 --level 3
  $ lpae check fixtures/linux/*.json
`;

/**
 * Runs one command line.
 * @param argv - the arguments after the program's name.
 * @returns the exit code. Nothing is thrown: errors are printed on stderr.
 */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const cli: Cli = {
    io,
    exitCode: EXIT.ok,
    output: (command) => new Output(io, command.optsWithGlobals<GlobalOptions>()),
    program: () => makeProgram(Object.keys(COMMANDS), cli),
    afterHelp: AFTER_HELP,
  };
  try {
    const program = await makeProgram(argv, cli);
    await program.parseAsync(argv, { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    return reportError(error, io);
  } finally {
    end(io);
  }
}

async function makeProgram(argv: readonly string[], cli: Cli): Promise<Command> {
  const { io } = cli;
  const program = new CommandWithStdin('lpae')
    .description('Page tables of ARM SMMUs and CPUs: made as Linux makes them, walked as hardware does.')
    .usage('COMMAND [options]')
    .version(ownVersion(), '--version')
    .option('--json', 'one JSON document on stdout instead of text')
    .addOption(
      new Option('--color <when>', 'colours in text').choices(COLOR_WHEN).default('auto' satisfies string),
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error:/, 'lpae:')),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(lpae --help lists the commands, lpae COMMAND --help shows examples)')
    .helpCommand('help [command]', 'show help for a command')
    .addHelpText('after', AFTER_HELP);
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = program
      .command(name)
      .summary(summary)
      .description(`${capitalised(summary)}.`);
    if (argv.includes(name)) (await load()).define(command, cli);
  }
  return program;
}

/** The package's own package.json, found by its name, since sources and built files lie at different depths. */
function ownVersion(): string {
  const { version } = createRequire(import.meta.url)('lpae/package.json') as { version: string };
  return version;
}
