/** `lpae man`: the manual page, as `man` reads it. */
import type { Command } from 'commander';
import type { Cli } from '../output.ts';
import { programFacts } from '../text/command-facts.ts';
import { manPage } from '../text/man-page.ts';

const HELP = `
The installed package has it already: man lpae.

Example:
  $ lpae man | man -l -
`;

export function define(command: Command, cli: Cli): void {
  command.addHelpText('after', HELP).action(async () => {
    cli.io.stdout.write(manPage(programFacts(await cli.program()), cli.afterHelp));
  });
}
