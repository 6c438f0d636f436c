/** Commands to which `-@BASE`, standard input at an address, is an argument: to an option parser it looks like an option. */
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
    // What stands behind the first unknown option was left unsorted.
    const behind = this.parseOptions(rest);
    return { operands: [...operands, first, ...behind.operands], unknown: behind.unknown };
  }
}
