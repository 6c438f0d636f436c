/** `lpae smmu`: judges what a driver did with an SMMUv3, step by step. (IHI 0070 3.21, 4.) */
import { type Command, Option } from 'commander';
import { imageMemory } from '../../image/index.ts';
import { EXTERNAL_ABORT } from '../../memory/index.ts';
import {
  type Judgement,
  judgeSmmuTrace,
  type MinimalCommand,
  minimalCommands,
  SMMU_PRESETS,
  type SmmuPresetName,
} from '../../smmu/index.ts';
import { count, counted, hex } from '../../text/numbers.ts';
import {
  type IommuEvent,
  type ReadWord,
  readSmmuTrace,
  reusedWithoutCommand,
  type SmmuTrace,
  SmmuTraceError,
} from '../../trace/index.ts';
import { readUnzipped } from '../input/file-source.ts';
import { nameOf } from '../input/input.ts';
import { openInput } from '../input/open-input.ts';
import { type CliIo, EXIT, inputError } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { accessLines, judgementJson, minimalLines, owedLines } from '../text/smmu-text.ts';

interface SmmuOptions {
  readonly minimal?: boolean;
  readonly all?: boolean;
  readonly smmu?: SmmuPresetName;
  readonly memory?: readonly string[];
}

/** A log with nothing to judge. */
const NO_TRANSACTIONS =
  'this is a log of QEMU, which does not say what memory held, and shows no transaction: nothing can be judged';

const HELP = `
TRACE is a trace (pgtable-trace/1), a log of QEMU (-trace 'smmu*') or events of Linux (rwmmio and iommu, as ftrace prints them). A trace is one JSON document or JSON lines, plain or gzipped: writes to memory and registers, barriers, register reads and transactions
of devices, from reset on (docs/smmu-traces.md). What a log does not say is told with the answer. A log of QEMU is judged by the STEs, CDs and descriptors that it shows,
or by the guest's memory (--memory); words that change count as written as early as the log permits. Linux's events show registers and mappings alone.

For each transaction the architecture permits a set of answers: that of memory as it is, and those of STEs, CDs and TLB entries that may still be
cached. One that has several is open: it is shown with which cache makes each answer possible, the commands that would leave one, and commands that missed.
A command counts as complete when the driver has read SMMU_CMDQ_CONS behind a CMD_SYNC.

Exit code 0 if no transaction is open and nothing else is found, 1 if there is something, 3 for a trace that can't be read or that nothing
could have produced; the number of the step is said.

Examples:
  $ lpae smmu trace.json
  $ lpae smmu trace.json --minimal
  $ lpae smmu trace.json --smmu mmu-600-agilex-5
  $ lpae smmu qemu.log --memory ram.bin@0x40000000
  $ lpae smmu trace.jsonl.gz --json | jq '.accesses[] | select(.needs)'
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<trace>', "pgtable-trace/1, a log of QEMU, or Linux's events; - is stdin")
    .option(
      '--memory <image>',
      "the guest's memory after the run of a log of QEMU: FILE, or raw bytes at FILE@BASE; may be given again",
      (one: string, all: string[] = []) => [...all, one],
    )
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
  { minimal = false, all = false, smmu: other, memory }: SmmuOptions,
): Promise<number> {
  const bytes = await readUnzipped(file, out.io);
  const image = memory && (await guestMemory(memory, out.io));
  const { trace, judgement, commands, notes } = orRefuse(nameOf(file), () => {
    const text = new TextDecoder('utf-8').decode(bytes);
    const source = readSmmuTrace(text, image ? { memory: image } : { seen: true });
    if (image !== undefined && source.source !== 'qemu')
      throw new SmmuTraceError(
        "--memory is for a log of QEMU: a trace holds its own memory, and Linux's events have no transactions",
      );
    const own = source.trace;
    const read = other === undefined ? own : { ...own, machine: { ...own.machine, ...SMMU_PRESETS[other] } };
    const judged = source.events === undefined ? judgeSmmuTrace(read) : judgeEvents(read, source.events);
    if (source.source === 'qemu' && judged.accesses.length === 0) throw new SmmuTraceError(NO_TRANSACTIONS);
    return {
      trace: read,
      judgement: judged,
      commands: minimal ? minimalCommands(read) : undefined,
      notes: source.notes,
    };
  });
  if (out.json) out.document('lpae.smmu/1', judgementJson(trace.name, judgement, commands, notes));
  else {
    print(out, trace, judgement, commands, all);
    for (const note of notes) out.note(note);
  }
  return isClean(judgement) ? EXIT.ok : EXIT.negative;
}

/** Reads words of the guest's memory. */
async function guestMemory(files: readonly string[], io: CliIo): Promise<ReadWord> {
  const inputs = await Promise.all(files.map((file) => openInput(file, io)));
  const images = inputs.map((input) => {
    if ('image' in input) return input.image;
    throw inputError(`${input.name}: a JSON document is no memory image`);
  });
  const ram = imageMemory(images);
  return (pa) => {
    const word = ram.read64(pa);
    return word === EXTERNAL_ABORT ? undefined : word;
  };
}

/** Registers and mappings alone: commands lie in memory, which is not there, so that none is consumed. */
function judgeEvents(trace: SmmuTrace, events: readonly IommuEvent[]): Judgement {
  const steps = trace.steps.map((step) =>
    step.kind === 'mmio' && step.register === 'CMDQ_PROD' ? ({ kind: 'barrier' } as const) : step,
  );
  const judged = judgeSmmuTrace({ ...trace, steps });
  const reused = reusedWithoutCommand(events, trace.steps).map(({ step, iova, unmapped }) => ({
    step,
    kind: 'no-command' as const,
    text: `${hex(iova)} is mapped again after its unmap at step ${unmapped}, and SMMU_CMDQ_PROD was not written in between: no TLBI can have been submitted (IHI 0070 4.4)`,
  }));
  return { ...judged, findings: [...judged.findings, ...reused] };
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
