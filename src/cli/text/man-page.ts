/** The manual page, in the man macros of roff. */
import { capitalised } from '../../text/sentence.ts';
import type { CommandFacts, OptionFacts, ProgramFacts } from './command-facts.ts';

/** @param after - what `lpae --help` says below its lists. */
export function manPage({ version, description, options, commands }: ProgramFacts, after: string): string {
  return `${[
    `.TH LPAE 1 "" "lpae ${version}" "User Commands"`,
    '.SH NAME',
    'lpae \\- page tables of ARM SMMUs and CPUs',
    '.SH SYNOPSIS',
    '.B lpae',
    '.I COMMAND',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    plain(description),
    '.PP',
    'What each command takes and answers, with examples:',
    '.B lpae COMMAND \\-\\-help',
    '.SH OPTIONS',
    ...options.flatMap(optionLines),
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH NOTES',
    '.nf',
    ...after.trim().split('\n').map(plain),
    '.fi',
  ].join('\n')}\n`;
}

function commandLines({ name, summary, usage, arguments: list, options }: CommandFacts): string[] {
  return [
    `.SS "lpae ${plain(name)} ${plain(usage)}"`,
    `${plain(capitalised(summary))}.`,
    ...list.flatMap(({ name: argument, description }) => [
      '.TP',
      `.I ${plain(argument)}`,
      plain(description),
    ]),
    ...options.flatMap(optionLines),
  ];
}

function optionLines({ short, long, value = '', description, choices }: OptionFacts): string[] {
  const flags = [...(short === undefined ? [] : [short]), long].join(', ');
  const list = choices.length > 0 ? ` (${choices.join(', ')})` : '';
  return ['.TP', `.B ${plain(`${flags} ${value}`.trim())}`, plain(description + list)];
}

/** Text that roff leaves as it is. */
function plain(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll(
      /[^ -~]/gu,
      (one) => `\\[u${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
    );
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
