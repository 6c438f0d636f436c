/** `lpae lint`: finds what is wrong or suspicious in the tables of an address space, rule by rule. */
import { type Command, Option } from 'commander';
import type { MachineRegime } from '../../arch/regimes.ts';
import {
  type Finding,
  type LintResult,
  lint,
  lintAcross,
  type NamedSpace,
  RULES,
  type RuleName,
  ruleIn,
  ruleNamed,
  type Severity,
} from '../../lint/index.ts';
import { SEVERITIES } from '../../lint/rules.ts';
import { listSpace } from '../../space/space.ts';
import { columns, wrap } from '../../text/columns.ts';
import { count, counted, hex, hexWord } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { EXIT, usageError } from '../io.ts';
import { derivationOf } from '../machine/derivation.ts';
import { addTargetOptions, FILE_ARGUMENT, TARGET_HELP, type TargetOptions } from '../machine/options.ts';
import { readTargets } from '../machine/read.ts';
import { notesOf, type Target } from '../machine/target.ts';
import type { Cli, Output } from '../output.ts';

interface LintOptions extends TargetOptions {
  readonly rule?: readonly string[];
  readonly severity: Severity;
  readonly rules?: boolean;
  readonly full?: boolean;
}

const HELP = `${TARGET_HELP}
Rules have a severity: with an error hardware does not do what was meant, a warning is usually a mistake, info is worth
knowing. Exit code 1 if the chosen rules find an error or a warning. Several JSON documents are several address
spaces: each is checked on its own, then their mappings together.

Examples:
  $ lpae lint fixtures/real/linux61-kvm-nvhe-hyp.json
  $ lpae lint ram.bin@0x4000_0000 --registers regs.json --rule writable-executable,contiguous-run
  $ lpae lint image.json --severity warning
  $ lpae lint guest.json host.json --rule alias-attributes
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
      new Option('--severity <least>', 'only rules of at least this severity')
        .choices(SEVERITIES)
        .default('info' satisfies string),
    )
    .option('--rules', 'only list the rules')
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
  const spaces = (await readTargets(files, out.io, options)).map((target) => lintTarget(target, rules, out));
  const across = spaces.length > 1 ? lintAcross(spaces, rules) : undefined;
  if (out.json) showJson(out, spaces, rules, across);
  else showSpaces(out, spaces, across, options.full === true);
  const findings = [...spaces.flatMap(({ result }) => result.findings), ...(across?.findings ?? [])];
  return findings.some(({ rule }) => ruleNamed(rule).severity !== 'info') ? EXIT.negative : EXIT.ok;
}

interface Space extends NamedSpace {
  readonly regime: MachineRegime;
  readonly result: LintResult;
  readonly notes: readonly string[];
}

function lintTarget(target: Target, rules: readonly RuleName[], out: Output): Space {
  for (const warning of target.warnings) out.note(warning);
  const { walker, regime, name, frames } = target;
  const { ranges, complete } = listSpace(walker);
  if (!complete) out.note('there is too much to list: not all mappings were checked');
  const derivation = derivationOf(target);
  const result = lint({ translator: walker, ranges, rules, derivation, ...(frames && { frames }) });
  if (result.skipped.length > 0) {
    const names = result.skipped.join(', ');
    out.note(`skipped, because memory types are not known without MAIR: ${names}`);
  }
  return { name, regime, ranges, result, notes: notesOf(target) };
}

type Across = ReturnType<typeof lintAcross> | undefined;

function showJson(out: Output, spaces: readonly Space[], rules: readonly RuleName[], across: Across): void {
  const foundJson = ({ findings, dropped }: NonNullable<Across>) => ({
    findings: findings.map(findingJson),
    dropped: Object.fromEntries(dropped),
  });
  const spaceJson = ({ name, regime, result, notes }: Space) => ({
    name,
    regime,
    notes,
    tables: result.tables,
    rules,
    skipped: result.skipped,
    ...foundJson(result),
  });
  if (across === undefined) out.document('lpae.lint/1', spaceJson(spaces[0]!));
  else out.document('lpae.lint-spaces/1', { spaces: spaces.map(spaceJson), across: foundJson(across) });
}

function showSpaces(out: Output, spaces: readonly Space[], across: Across, full: boolean): void {
  for (const { name, regime, result } of spaces) {
    if (across !== undefined) out.line(out.style.title(`${name}:`));
    showFindings(out, result, { full, regime });
    out.line(`${sumOf(result.findings)} in ${counted(result.tables, 'table')}`);
  }
  if (across === undefined) return;
  out.line(out.style.title('together:'));
  const [{ regime }] = spaces as readonly [Space];
  showFindings(out, across, { full, regime });
  out.line(`${sumOf(across.findings)} in ${counted(spaces.length, 'address space')}`);
}

function sumOf(findings: readonly Finding[]): string {
  const of = (severity: Severity) =>
    findings.filter(({ rule }) => ruleNamed(rule).severity === severity).length;
  return `${counted(of('error'), 'error')}, ${counted(of('warning'), 'warning')}, ${count(of('info'))} info`;
}

/** @throws CliError (usage) for an unknown rule. */
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

function showFindings(
  out: Output,
  { findings, dropped }: NonNullable<Across>,
  { full, regime }: { readonly full: boolean; readonly regime: MachineRegime },
): void {
  for (const { name } of RULES) {
    const here = findings.filter((one) => one.rule === name);
    if (here.length === 0) continue;
    const rule = ruleIn(name, regime);
    out.line(`${severityText(rule.severity, out.style)}  ${out.style.title(rule.name)}: ${rule.summary}`);
    const shown = full ? here : here.slice(0, SHORT_LIST);
    out.lines(findingLines(shown));
    const more = here.length - shown.length + (dropped.get(name) ?? 0);
    if (more > 0) out.line(out.style.faint(`  … ${count(more)} more${full ? '' : ' (--full shows them)'}`));
    out.lines(wrap(`${rule.why} (${rule.reference})`, LINE - 2).map((line) => out.style.faint(`  ${line}`)));
  }
}

/** One line per finding, or two if that would be too wide. */
function findingLines(findings: readonly Finding[]): string[] {
  const rows = findings.map(findingRow);
  const lines = columns(rows, { indent: '  ' });
  if (lines.every((line) => line.length <= LINE)) return lines;
  const places = columns(
    rows.map((row) => row.slice(0, -1)),
    { indent: '  ' },
  );
  return rows.flatMap((row, i) => [
    ...(places[i]!.trim() === '' ? [] : [places[i]!.trimEnd()]),
    ...wrap(row.at(-1)!, LINE - 6).map((line) => `      ${line}`),
  ]);
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
