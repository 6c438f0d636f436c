/** `lpae check`: runs golden files and compares them, with one TAP line per file, and differences field by field. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Command } from 'commander';
import { checkGolden, type Difference, GoldenFileError, type GoldenResult } from '../../golden/index.ts';
import { ImageError } from '../../image/errors.ts';
import { counted } from '../../text/numbers.ts';
import { nameOf, parseJson, readJson } from '../input/input.ts';
import { MOST_LEAVES } from '../input/limits.ts';
import { CliError, EXIT, inputError } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { tapHeader, tapLines, yamlText } from '../tap.ts';

const HELP = `
FILE is a golden file of any kind (pgtable-golden/1, pgtable-dma/1, pgtable-trace/1, pgtable-trace-mutations/1, pgtable-hitless/1), plain or
gzipped, or a directory: all its .json and .json.gz files.
stdout is TAP version 14, stderr has a summary. Exit code 0 if all agree, 1 if one differs, 3 if one can't be read
or contains something unknown or not modelled: nothing in a file is ignored.

Examples:
  $ lpae check fixtures/linux/*.json
  $ lpae check fixtures/linux --json | jq '.files[] | select(.ok | not)'
`;

/** Differences of a file that are shown before the rest is only counted. */
const SHOWN = 10;

/** A file that was run, or could not be. */
type Checked = { readonly file: string } & ({ readonly result: GoldenResult } | { readonly reason: string });

export function define(command: Command, cli: Cli): void {
  command
    .argument('<file...>', 'golden files or directories of them; - is stdin')
    .addHelpText('after', HELP)
    .action(async (files: string[]) => {
      cli.exitCode = await check(cli.output(command), files);
    });
}

async function check(out: Output, paths: readonly string[]): Promise<number> {
  const started = performance.now();
  const files = paths.flatMap((path) => expand(path, out));
  // No files is not a success.
  if (files.length === 0) throw inputError(`no golden files in ${paths.join(', ')}`);
  const all: Checked[] = [];
  if (!out.json) out.lines(tapHeader(files.length));
  for (const file of files) {
    const checked = await checkFile(file, out);
    all.push(checked);
    if (!out.json) out.lines(tapOf(checked, all.length));
  }
  const summary = summarise(all);
  if (out.json) out.document('lpae.check/1', { ...summary, files: all.map(checkedJson) });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const { agree, differ, unsupported, facts } = summary;
  const failed = [
    differ > 0 && `${counted(differ, 'file')} ${differ === 1 ? 'differs' : 'differ'}`,
    unsupported > 0 && `${counted(unsupported, 'file')} can't be checked`,
  ].filter(Boolean);
  out.note(
    [`${counted(agree, 'file')} ${agree === 1 ? 'agrees' : 'agree'}`, ...failed].join(', ') +
      `; ${counted(facts, 'fact')} compared in ${seconds} s`,
  );
  if (unsupported > 0) return EXIT.input;
  return differ > 0 ? EXIT.negative : EXIT.ok;
}

/** The golden files in a directory and below, in order. Skipped files are reported. */
function expand(path: string, out: Output): string[] {
  if (path === '-' || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  const all = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const golden = all.filter((file) => /\.json(\.gz)?$/.test(file));
  const others = all.length - golden.length;
  if (others > 0) out.note(`${path}: ${counted(others, 'file')} without .json or .json.gz left out`);
  return golden;
}

async function checkFile(file: string, { io }: Output): Promise<Checked> {
  try {
    const limits = { mostLeaves: MOST_LEAVES, readBeside: (name: string) => readBeside(file, name) };
    return { file, result: checkGolden(await readJson(file, io), limits) };
  } catch (error) {
    const known =
      error instanceof GoldenFileError || error instanceof CliError || error instanceof ImageError;
    if (known) return { file, reason: error.message };
    if (io.env.LPAE_DEBUG === '1') throw error;
    // An internal error in one file must not keep the others from being checked.
    return { file, reason: `internal error: ${(error as Error).message} (LPAE_DEBUG=1 shows where)` };
  }
}

/** The JSON of a file in the same folder, plain or gzipped. */
function readBeside(file: string, name: string): unknown {
  if (file === '-') throw inputError(`${name}: stdin has no files beside it; give the file by its name`);
  if (basename(name) !== name) throw inputError(`${name}: names a file in another folder`);
  const plain = join(dirname(file), name);
  const [path, packed] = existsSync(plain) ? [plain, false] : [`${plain}.gz`, true];
  if (!existsSync(path)) throw inputError(`${plain}: no such file, plain or as .gz`);
  const bytes = readFileSync(path);
  return parseJson(packed ? gunzipSync(bytes) : bytes, path);
}

function tapOf(checked: Checked, number: number): string[] {
  if ('reason' in checked) {
    return tapLines(
      { ok: false, name: nameOf(checked.file), yaml: [`message: ${yamlText(checked.reason)}`] },
      number,
    );
  }
  const { name, checked: facts, differences, notes = [], warnings = [] } = checked.result;
  const ok = differences.length === 0;
  const comment = `${facts} ${facts === 1 ? 'fact' : 'facts'}`;
  const yaml = [
    ...(ok ? [] : differencesYaml(checked.file, differences)),
    // What the file says that nothing was compared with.
    ...listYaml('not compared', notes),
    ...listYaml('warnings', warnings),
  ];
  return tapLines({ ok, name, comment, yaml }, number);
}

function listYaml(name: string, texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [`${name}:`, ...texts.map((one) => `  - ${yamlText(one)}`)];
}

function differencesYaml(file: string, differences: readonly Difference[]): string[] {
  const lines = [
    `message: ${yamlText(counted(differences.length, 'difference'))}`,
    `file: ${yamlText(file)}`,
    'differences:',
  ];
  for (const { where, want, got, known } of differences.slice(0, SHOWN)) {
    lines.push(`  - where: ${yamlText(where)}`, `    wanted: ${yamlText(want)}`, `    got: ${yamlText(got)}`);
    if (known !== undefined) lines.push(`    known: ${yamlText(known)}`);
  }
  if (differences.length > SHOWN) lines.push(`  # … and ${differences.length - SHOWN} more`);
  return lines;
}

function summarise(all: readonly Checked[]) {
  const results = all.flatMap((checked) => ('result' in checked ? [checked.result] : []));
  const agree = results.filter(({ differences }) => differences.length === 0).length;
  return {
    agree,
    differ: results.length - agree,
    unsupported: all.length - results.length,
    facts: results.reduce((sum, { checked }) => sum + checked, 0),
  };
}

function checkedJson(checked: Checked): object {
  const { file } = checked;
  if ('reason' in checked) return { file, ok: false, reason: checked.reason };
  const { name, checked: facts, claims, differences, notes = [], warnings = [] } = checked.result;
  const ok = differences.length === 0;
  return { file, name, ok, facts, ...(claims !== undefined && { claims }), differences, notes, warnings };
}
