/** `lpae smmu`: judges what a driver did with an SMMUv3, step by step. (IHI 0070 3.21, 4.) */
import { type Command, Option } from 'commander';
import {
  type Judgement,
  judgeSmmuTrace,
  type MinimalCommand,
  minimalCommands,
  SMMU_PRESETS,
  type SmmuPresetName,
} from '../../smmu/index.ts';
import { count, counted } from '../../text/numbers.ts';
import { readSmmuTrace, type SmmuTrace, SmmuTraceError } from '../../trace/index.ts';
import { readUnzipped } from '../input/file-source.ts';
import { nameOf } from '../input/input.ts';
import { EXIT, inputError } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { accessLines, judgementJson, minimalLines, owedLines } from '../text/smmu-text.ts';

interface SmmuOptions {
  readonly minimal?: boolean;
  readonly all?: boolean;
  readonly smmu?: SmmuPresetName;
}

/** Logs that hold no memory: judging them would invent what STEs, CDs and tables held. */
const LOGS = {
  qemu: `this is a log of QEMU, which does not say what memory held, so its transactions can't be judged; with the guest's memory, readSmmuTrace of lpae/trace makes a trace of it`,
  linux: `these are trace events of Linux, which do not say what memory held, so nothing can be judged; readSmmuTrace of lpae/trace lists their registers and mappings`,
} as const;

const HELP = `
TRACE is pgtable-trace/1, one JSON document or JSON lines, plain or gzipped: writes to memory and registers, barriers, register reads and transactions
of devices, from reset on (docs/smmu-traces.md).

For each transaction the architecture permits a set of answers: that of memory as it is, and those of STEs, CDs and TLB entries that may still be
cached. One that has several is open: it is shown with which cache makes each answer possible, the commands that would leave one, and commands that missed.
A command counts as complete when the driver has read SMMU_CMDQ_CONS behind a CMD_SYNC.

Exit code 0 if no transaction is open and nothing else is found, 1 if there is something, 3 for a trace that can't be read or that nothing
could have produced; the number of the step is said.

Examples:
  $ lpae smmu trace.json
  $ lpae smmu trace.json --minimal
  $ lpae smmu trace.json --smmu mmu-600-agilex-5
  $ lpae smmu trace.jsonl.gz --json | jq '.accesses[] | select(.needs)'
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<trace>', 'pgtable-trace/1; - is stdin')
    .option('--minimal', 'leave out each command in turn: which are needed, and for which transaction')
    .addOption(
      new Option(
        '--smmu <name>',
        "judge for another SMMU than the trace's own: its ID registers and GBPA at reset",
      ).choices(Object.keys(SMMU_PRESETS)),
    )
    .option('--all', 'show transactions with one answer too')
    .addHelpText('after', HELP)
    .action(async (file: string, options: SmmuOptions) => {
      cli.exitCode = await smmu(cli.output(command), file, options);
    });
}

async function smmu(
  out: Output,
  file: string,
  { minimal = false, all = false, smmu: other }: SmmuOptions,
): Promise<number> {
  const bytes = await readUnzipped(file, out.io);
  const { trace, judgement, commands } = orRefuse(nameOf(file), () => {
    const text = new TextDecoder('utf-8').decode(bytes);
    const { trace: own, source } = readSmmuTrace(text);
    if (source !== 'trace') throw new SmmuTraceError(LOGS[source]);
    const read = other === undefined ? own : { ...own, machine: { ...own.machine, ...SMMU_PRESETS[other] } };
    const judged = judgeSmmuTrace(read);
    return { trace: read, judgement: judged, commands: minimal ? minimalCommands(read) : undefined };
  });
  if (out.json) out.document('lpae.smmu/1', judgementJson(trace.name, judgement, commands));
  else print(out, trace, judgement, commands, all);
  return isClean(judgement) ? EXIT.ok : EXIT.negative;
}

function isClean({ accesses, findings }: Judgement): boolean {
  return findings.length === 0 && accesses.every(({ answers, outside }) => answers.length === 1 && !outside);
}

function print(
  out: Output,
  { name, steps }: SmmuTrace,
  { accesses, findings, owed, commands }: Judgement,
  minimal: readonly MinimalCommand[] | undefined,
  all: boolean,
): void {
  out.heading(
    `${name}: ${counted(steps.length, 'step')}, ${counted(accesses.length, 'transaction')}, ${counted(commands.length, 'command')}`,
  );
  const lines = [
    ...findings.map(({ step, text }) => ({ step, lines: [`step ${step}: ${text}`] })),
    ...accesses
      .filter(({ answers, outside }) => all || answers.length > 1 || outside)
      .map((access) => ({ step: access.step, lines: accessLines(access) })),
  ].sort((a, b) => a.step - b.step);
  for (const one of lines) out.lines(one.lines);
  out.lines(owedLines(owed));
  if (minimal !== undefined) out.lines(minimalLines(minimal));
  const open = accesses.filter(({ answers }) => answers.length > 1).length;
  out.note(
    open === 0 && findings.length === 0
      ? 'every transaction has one answer'
      : `${count(open)} of ${counted(accesses.length, 'transaction')} open, ${counted(findings.length, 'finding')} beside`,
  );
}

function orRefuse<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SmmuTraceError) throw inputError(`${name}: ${error.message}`);
    throw error;
  }
}
