/** Lets commands take `-@BASE` (standard input at an address) as an argument, although it looks like an option to a parser. */
import { Command, type ParseOptionsResult } from 'commander';

export class CommandWithStdin extends Command {
  override createCommand(name?: string): Command {
    return new CommandWithStdin(name);
  }

  override parseOptions(argv: string[]): ParseOptionsResult {
    const { operands, unknown } = super.parseOptions(argv);
    const [first, ...rest] = unknown;
    const isLeaf = this.commands.length === 0;
    if (!isLeaf || !first?.startsWith('-@')) return { operands, unknown };
    // Arguments after the first unknown option were left unsorted.
    const behind = this.parseOptions(rest);
    return { operands: [...operands, first, ...behind.operands], unknown: behind.unknown };
  }
}
