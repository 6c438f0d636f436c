/** What the command line has, as data: commands, their arguments and options. Completions and the manual page are made of it. */
import type { Command, Option } from 'commander';

export interface OptionFacts {
  /** `-o`, where there is one, and `--output`. */
  readonly short?: string;
  readonly long: string;
  readonly description: string;
  /** `<file>`, where it takes a value. */
  readonly value?: string;
  readonly choices: readonly string[];
}

export interface CommandFacts {
  readonly name: string;
  readonly summary: string;
  /** `[options] <file> [address...]` */
  readonly usage: string;
  readonly arguments: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionFacts[];
}

export interface ProgramFacts {
  readonly version: string;
  readonly description: string;
  /** Those that every command has. */
  readonly options: readonly OptionFacts[];
  readonly commands: readonly CommandFacts[];
}

export function programFacts(program: Command): ProgramFacts {
  return {
    version: program.version() ?? '',
    description: program.description(),
    options: program.options.map(optionFacts),
    commands: program.commands.map((command) => ({
      name: command.name(),
      summary: command.summary(),
      usage: command.usage(),
      arguments: command.registeredArguments.map((one) => ({
        name: one.name(),
        description: one.description,
      })),
      options: command.options.filter(({ hidden }) => !hidden).map(optionFacts),
    })),
  };
}

function optionFacts({ short, long, description, flags, argChoices }: Option): OptionFacts {
  const value = /[<[].*$/.exec(flags)?.[0];
  return {
    ...(short !== undefined && { short }),
    long: long ?? short ?? flags,
    description: description ?? '',
    ...(value !== undefined && { value }),
    choices: argChoices ?? [],
  };
}
