/** Completion of the command line: scripts for bash, zsh and fish, each of which needs nothing but itself. */
import type { CommandFacts, OptionFacts, ProgramFacts } from './command-facts.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionOf(shell: Shell, facts: ProgramFacts): string {
  return { bash, zsh, fish }[shell](facts);
}

const flagsOf = ({ short, long }: OptionFacts) => [...(short === undefined ? [] : [short]), long];
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** What stands behind an option that has choices, and the options of a command. Everything else is a file. */
function bash({ options: everywhere, commands }: ProgramFacts): string {
  const names = commands.map(({ name }) => name);
  const choices = (pattern: string, { choices: list, ...option }: OptionFacts) =>
    list.length === 0
      ? []
      : flagsOf({ ...option, choices: list }).map(
          (flag) => `    ${pattern}${flag}") words=${quoted(list.join(' '))} ;;`,
        );
  return `# Completion of lpae for bash: source <(lpae completion bash)
_lpae() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= words= word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
    ${names.join(' | ')}) command=$word; break ;;
    esac
  done
  case "$command $prev" in
${[
  ...everywhere.flatMap((option) => choices('*" ', option)),
  ...commands.flatMap(({ name, options }) => options.flatMap((option) => choices(`"${name} `, option))),
].join('\n')}
  esac
  if [[ -z $words && $cur == -* ]]; then
    words=${quoted([...everywhere.flatMap(flagsOf), '--help'].join(' '))}
    case $command in
${commands.map(({ name, options }) => `    ${name}) words+=${quoted(` ${options.flatMap(flagsOf).join(' ')}`)} ;;`).join('\n')}
    esac
  elif [[ -z $words && -z $command ]]; then
    words=${quoted(names.join(' '))}
  fi
  if [[ -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -o filenames -F _lpae lpae
`;
}

function zsh({ options: everywhere, commands }: ProgramFacts): string {
  const described = (text: string) => text.replaceAll(/[[\]:\\]/g, '\\$&');
  const spec = ({ value, choices, description, ...option }: OptionFacts) => {
    const behind = choices.length > 0 ? `:(${choices.join(' ')})` : ':_files';
    const wants = value === undefined ? '' : `:${described(value.replaceAll(/[<>[\].]/g, ''))}${behind}`;
    return flagsOf({ ...option, description, choices }).map((flag) =>
      quoted(`*${flag}[${described(description)}]${wants}`),
    );
  };
  const lines = (options: readonly OptionFacts[], indent: string) =>
    options
      .flatMap(spec)
      .map((text) => `${indent}${text} \\\n`)
      .join('');
  const ofCommand = ({ name, options }: CommandFacts) => `    ${name})
      _arguments \\
${lines([...everywhere, ...options], '        ')}        '*:file:_files' ;;`;
  return `#compdef lpae
# Completion of lpae for zsh: a file _lpae in a folder of $fpath, or source <(lpae completion zsh)
_lpae() {
  local context state line
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${described(summary)}`)}`).join('\n')}
  )
  _arguments -C \\
${lines(everywhere, '    ')}    '1:command:->command' '*::argument:->argument'
  case $state in
  command) _describe command commands ;;
  argument)
    case $words[1] in
${commands.map(ofCommand).join('\n')}
    esac ;;
  esac
}
compdef _lpae lpae
`;
}

function fish({ options: everywhere, commands }: ProgramFacts): string {
  const line = (condition: string, { short, long, description, value, choices }: OptionFacts) =>
    [
      'complete -c lpae',
      condition,
      ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
      `-l ${long.slice(2)} -d ${quoted(description)}`,
      ...(choices.length > 0 ? [`-x -a ${quoted(choices.join(' '))}`] : value === undefined ? [] : ['-r']),
    ]
      .filter(Boolean)
      .join(' ');
  return `# Completion of lpae for fish: lpae completion fish > ~/.config/fish/completions/lpae.fish
${[
  ...everywhere.map((option) => line('', option)),
  ...commands.map(
    ({ name, summary }) => `complete -c lpae -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
  ),
  ...commands.flatMap(({ name, options }) =>
    options.map((option) => line(`-n '__fish_seen_subcommand_from ${name}'`, option)),
  ),
].join('\n')}
`;
}
