/** `lpae completion`: a script with which a shell completes commands, options and their choices. */
import { Argument, type Command } from 'commander';
import type { Cli } from '../output.ts';
import { programFacts } from '../text/command-facts.ts';
import { completionOf, SHELLS, type Shell } from '../text/completion.ts';

const HELP = `
Examples:
  $ source <(lpae completion bash)
  $ lpae completion zsh > ~/.zfunc/_lpae
  $ lpae completion fish > ~/.config/fish/completions/lpae.fish
`;

export function define(command: Command, cli: Cli): void {
  command
    .addArgument(new Argument('<shell>', 'whose script').choices(SHELLS))
    .addHelpText('after', HELP)
    .action(async (shell: Shell) => {
      cli.io.stdout.write(completionOf(shell, programFacts(await cli.program())));
    });
}
