/** The worker of the page: runs a command line over the files that were opened. It has a thread of its own, so it may take its time, and can be ended. */
import type { Command as Declared } from 'commander';
import { type CliIo, EXIT } from '../../io.ts';
import { type Cli, type GlobalOptions, Output } from '../../output.ts';
import { reportError } from '../../report-error.ts';
import { Command, CommanderError, Option } from './commander.ts';
import { setFiles } from './files.ts';
import type { Asked, Told } from './messages.ts';

/** The commands that the page has, of those of the program. */
const COMMANDS: Readonly<Record<string, () => Promise<{ define(command: Declared, cli: Cli): void }>>> = {
  walk: () => import('../../commands/walk.ts'),
  dump: () => import('../../commands/dump.ts'),
  lint: () => import('../../commands/lint.ts'),
  fault: () => import('../../commands/fault.ts'),
  decode: () => import('../../commands/decode.ts'),
};

/** Runs one command line, as `run` of the program does. @returns the exit code. */
export async function runInPage([name = '', ...argv]: readonly string[], io: CliIo): Promise<number> {
  const cli: Cli = {
    io,
    exitCode: EXIT.ok,
    output: (command) => new Output(io, command.optsWithGlobals<GlobalOptions>()),
    program: () => Promise.reject(new Error('a page has no whole program')),
    afterHelp: '',
  };
  try {
    const load = COMMANDS[name];
    if (load === undefined) throw new CommanderError(`error: unknown command '${name}'`);
    const command = new Command().option('--json').addOption(new Option('--color <when>').default('never'));
    // It has what command modules use of a command.
    (await load()).define(command as unknown as Declared, cli);
    await command.parseAsync(argv);
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      io.stderr.write(`${error.message.replace(/^error:/, 'lpae:')}\n`);
      return EXIT.usage;
    }
    return reportError(error, io);
  }
}

const tell = (told: Told) => postMessage(told);

export function startWorker(): void {
  addEventListener('message', (event: MessageEvent<Asked>) => {
    void carryOut(event.data);
  });
}

async function carryOut({ id, argv, files }: Asked): Promise<void> {
  setFiles(files);
  const text = { out: '', err: '' };
  const io: CliIo = {
    stdout: {
      write: (chunk) => {
        text.out += chunk;
      },
    },
    stderr: {
      isTTY: true,
      write: (chunk) => {
        // A progress line is written over the one before.
        const progress = chunk.startsWith('\r') ? chunk.slice(chunk.indexOf('K') + 1) : undefined;
        if (progress === undefined) text.err += chunk;
        else tell({ id, progress });
      },
    },
    stdin: nothing(),
    env: { NO_COLOR: '1' },
  };
  const code = await runInPage(argv, io);
  tell({ id, code, ...text });
}

async function* nothing(): AsyncGenerator<string> {}
