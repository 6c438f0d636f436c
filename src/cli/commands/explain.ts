/** `lpae explain`: explains a field, a register, a fault, an event or a value of one of these, offline. */
import type { Command } from 'commander';
import type { Topic } from '../../glossary/topic.ts';
import { TOPIC_GROUPS } from '../../glossary/topic.ts';
import { allTopics, closeNames, lookUp } from '../../glossary/topics.ts';
import { wrap } from '../../text/columns.ts';
import { EXIT } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { topicLines } from '../text/explain-text.ts';

const HELP = `
NAME is a field of a descriptor or register, a register, a fault, an SMMUv3 event by name or number, or a value: DFSC 0x07,
MAIR 0xff440c0400, TCR_EL1 0x…, or just an ESR. Upper and lower case, spaces, underscores and bit ranges make no difference.
Without a name, the topics are listed. Exit code 1 if a name is not known; similar names are shown.

Examples:
  $ lpae explain AF
  $ lpae explain 'AP[2:1]' APTable
  $ lpae explain translation fault
  $ lpae explain C_BAD_STE
  $ lpae explain TCR_EL1.TG1
  $ lpae explain 0x96000047
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('[name...]', 'what to explain')
    .addHelpText('after', HELP)
    .action((names: string[]) => {
      const out = cli.output(command);
      cli.exitCode = names.length === 0 ? listTopics(out) : explain(out, names);
    });
}

function explain(out: Output, names: readonly string[]): number {
  const { topics, unknown } = lookUp(names);
  const close = unknown.map((name) => ({ name, close: closeNames(name) }));
  if (out.json) {
    const missing = close.length === 0 ? {} : { unknown: close };
    out.document('lpae.explain/1', { query: names.join(' '), topics, ...missing });
  } else {
    for (const [i, topic] of topics.entries()) {
      if (i > 0) out.line();
      out.lines(topicLines(topic, out.style));
    }
    for (const { name, close: near } of close) {
      const hint = near.length
        ? `close to it: ${near.join(', ')}`
        : 'lpae explain without a name lists the topics';
      out.note(`nothing here is called '${name}'; ${hint}`);
    }
  }
  return unknown.length ? EXIT.negative : EXIT.ok;
}

function listTopics(out: Output): number {
  const groups = TOPIC_GROUPS.map((group) => ({ group, names: namesOf(allTopics(), group) })).filter(
    ({ names }) => names.length > 0,
  );
  if (out.json) {
    out.document('lpae.explain/1', { groups });
    return EXIT.ok;
  }
  for (const [i, { group, names }] of groups.entries()) {
    if (i > 0) out.line();
    out.heading(`${group}s`);
    // A comma belongs to the name before it, and names of several words stay together.
    const text = names.map((name) => name.replaceAll(' ', '\u00a0')).join(', ');
    out.lines(wrap(text, 96).map((line) => `  ${line.replaceAll('\u00a0', ' ')}`));
  }
  return EXIT.ok;
}

function namesOf(topics: readonly Topic[], group: Topic['group']): string[] {
  return [...new Set(topics.filter((topic) => topic.group === group).map(({ name }) => name))];
}
