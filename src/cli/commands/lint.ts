/** `lpae lint`: what is wrong or suspicious in the tables of an address space, rule by rule. */
import { type Command, Option } from 'commander';
import {
  type Finding,
  type LintResult,
  lint,
  RULES,
  type RuleName,
  ruleNamed,
  type Severity,
} from '../../lint/index.ts';
import { SEVERITIES } from '../../lint/rules.ts';
import { listSpace } from '../../space/space.ts';
import { columns, wrap } from '../../text/columns.ts';
import { count, counted, hex, hexWord } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { EXIT, usageError } from '../io.ts';
import { addTargetOptions, FILE_ARGUMENT, TARGET_HELP, type TargetOptions } from '../machine/options.ts';
import { readTarget } from '../machine/read.ts';
import type { Cli, Output } from '../output.ts';

interface LintOptions extends TargetOptions {
  readonly rule?: readonly string[];
  readonly severity: Severity;
  readonly rules?: boolean;
  readonly full?: boolean;
}

const HELP = `${TARGET_HELP}
Rules have a severity: an error is what hardware does not do as it was meant, a warning is mostly a mistake, info is worth
knowing. Exit code 1 when there is an error or a warning among what was asked for.

Examples:
  $ lpae lint fixtures/real/linux61-kvm-nvhe-hyp.json
  $ lpae lint ram.bin@0x4000_0000 --registers regs.json --rule writable-executable,contiguous-run
  $ lpae lint image.json --severity warning
  $ lpae lint --rules
`;

/** Findings of one rule that are shown without `--full`. */
const SHORT_LIST = 8;
const LINE = 100;

export function define(command: Command, cli: Cli): void {
  command
    .argument('[file...]', FILE_ARGUMENT)
    .option('--rule <name...>', 'only these rules (repeatable, or a,b)')
    .addOption(
      new Option('--severity <least>', 'only rules at least so bad')
        .choices(SEVERITIES)
        .default('info' satisfies string),
    )
    .option('--rules', 'list the rules, and look at nothing')
    .option('--full', 'every finding');
  addTargetOptions(command)
    .addHelpText('after', HELP)
    .action(async (files: string[], options: LintOptions) => {
      cli.exitCode = await lintFiles(cli.output(command), files, options);
    });
}

async function lintFiles(out: Output, files: readonly string[], options: LintOptions): Promise<number> {
  const rules = rulesOf(options);
  if (options.rules) {
    showRules(out, rules);
    return EXIT.ok;
  }
  if (files.length === 0) throw usageError("missing required argument 'file'");
  const target = await readTarget(files, out.io, options);
  for (const warning of target.warnings) out.note(warning);
  const { walker, regime, name } = target;
  const space = listSpace(walker);
  if (!space.complete)
    out.note('there is more than a list is good for: mappings were not looked at to their end');
  const { ranges } = space;
  const result = lint({ translator: walker, ranges, rules, ...(target.frames && { frames: target.frames }) });
  if (out.json) {
    const findings = result.findings.map(findingJson);
    const dropped = Object.fromEntries(result.dropped);
    out.document('lpae.lint/1', { name, regime, tables: result.tables, rules, findings, dropped });
  } else showFindings(out, result, options.full === true);
  const bad = result.findings.some(({ rule }) => ruleNamed(rule).severity !== 'info');
  return bad ? EXIT.negative : EXIT.ok;
}

/** @throws CliError (usage) for a rule that is not known. */
function rulesOf({ rule, severity }: LintOptions): RuleName[] {
  const wanted = rule?.flatMap((names) => names.split(','));
  const known = RULES.map(({ name }) => name);
  const unknown = wanted?.find((name) => !known.some((one) => one === name));
  if (unknown !== undefined)
    throw usageError(`--rule: no rule is named '${unknown}'`, `rules are ${known.join(', ')}`);
  const least = SEVERITIES.indexOf(severity);
  return RULES.filter(
    (one) => SEVERITIES.indexOf(one.severity) <= least && (wanted?.includes(one.name) ?? true),
  ).map(({ name }) => name);
}

function showRules(out: Output, names: readonly RuleName[]): void {
  const rules = names.map(ruleNamed);
  if (out.json) {
    out.document('lpae.lint-rules/1', { rules });
    return;
  }
  for (const { name, severity, summary, why, reference } of rules) {
    out.line(`${out.style.title(name)}  ${severityText(severity, out.style)}  ${summary}`);
    out.lines(wrap(`${why} (${reference})`, LINE - 4).map((line) => `    ${line}`));
  }
}

function severityText(severity: Severity, style: Style): string {
  if (severity === 'error') return style.bad(severity);
  return severity === 'warning' ? style.title(severity) : style.faint(severity);
}

function showFindings(out: Output, { findings, dropped, tables }: LintResult, full: boolean): void {
  for (const rule of RULES) {
    const here = findings.filter((one) => one.rule === rule.name);
    if (here.length === 0) continue;
    out.line(`${severityText(rule.severity, out.style)}  ${out.style.title(rule.name)}: ${rule.summary}`);
    const shown = full ? here : here.slice(0, SHORT_LIST);
    out.lines(columns(shown.map(findingRow), { indent: '  ' }));
    const more = here.length - shown.length + (dropped.get(rule.name) ?? 0);
    if (more > 0) out.line(out.style.faint(`  … ${count(more)} more${full ? '' : ' (--full shows them)'}`));
    out.lines(wrap(`${rule.why} (${rule.reference})`, LINE - 2).map((line) => out.style.faint(`  ${line}`)));
  }
  const of = (severity: Severity) =>
    findings.filter(({ rule }) => ruleNamed(rule).severity === severity).length;
  const sum = [counted(of('error'), 'error'), counted(of('warning'), 'warning'), `${count(of('info'))} info`];
  out.line(`${sum.join(', ')} in ${counted(tables, 'table')}`);
}

function findingRow({ first, last, message, descriptor, at, level, count: n }: Finding): string[] {
  const where = first === undefined ? '' : last === undefined ? hex(first) : `${hex(first)}-${hex(last)}`;
  const entry =
    descriptor === undefined || at === undefined ? '' : `L${level} @${hex(at)} = ${hexWord(descriptor)}`;
  return [where, entry, `${message}${n > 1 ? ` ×${count(n)}` : ''}`];
}

function findingJson({
  rule,
  message,
  first,
  last,
  descriptor,
  at,
  stage,
  level,
  count: n,
}: Finding): object {
  return {
    rule,
    severity: ruleNamed(rule).severity,
    message,
    first: first ?? null,
    last: last ?? null,
    ...(stage !== undefined && { stage }),
    ...(level !== undefined && { level }),
    ...(at !== undefined && { at }),
    ...(descriptor !== undefined && { descriptor: hexWord(descriptor) }),
    count: n,
  };
}
