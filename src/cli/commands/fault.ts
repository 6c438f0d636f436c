/** `lpae fault`: reads faults from a log or register values: what faulted, where, and what usually causes it. */
import type { Command } from 'commander';
import { type CountedFault, countFaults, type Post, parsePost } from '../../glossary/faults/parse.ts';
import { hex } from '../../text/numbers.ts';
import { parseAddress } from '../input/address.ts';
import { readAll } from '../input/stdin.ts';
import { EXIT, inputError, usageError } from '../io.ts';
import { type FaultWalk, faultWalkJson, faultWalkLines, walkFault } from '../machine/fault-walk.ts';
import { addTargetOptions, PAN_HELP, TARGET_HELP, type TargetOptions } from '../machine/options.ts';
import { readTarget } from '../machine/read.ts';
import { notesOf, type Target } from '../machine/target.ts';
import type { Cli, Output } from '../output.ts';
import { faultJson, faultLines, printedJson, walkOnlyLines } from '../text/fault-text.ts';

/** Register values by their options. */
const REGISTERS = ['esr', 'far', 'hpfar', 'fsr', 'fsynr', 'iova', 'par', 'dfsr', 'ifsr'] as const;
/** Names that are unambiguous in a log, for options whose own name is not. */
const LOG_NAMES: Readonly<Record<string, string>> = { fsr: 'smmu_cb_fsr' };
type FaultOptions = TargetOptions & { readonly [name in (typeof REGISTERS)[number]]?: string } & {
  readonly event?: string[];
  readonly tables?: string[];
  readonly pan?: boolean;
};

const HELP = `
TEXT is text from a log, in one argument or several; without it, or with -, standard input is read. It understands faults of
Linux's arm-smmu and arm-smmu-v3 drivers, event records (four 64-bit words or eight 32-bit ones), aborts of Linux, KVM, Xen,
Jailhouse, Hafnium, seL4, OP-TEE, TF-A, U-Boot, EDK2, Zephyr, NuttX, XNU, FreeBSD and QEMU (ESR, FAR, HPFAR, HSR, DFSR, IFSR),
PAR_EL1 values, and a single ESR; faults of GPUs (Mali: panfrost, panthor, kbase; Adreno: msm, KGSL), of the IOMMUs of MediaTek,
Renesas, Apple, Samsung, Rockchip and Allwinner, and of Tegra's memory controller. Quote marks, quoted-printable, time stamps and
wrapped lines are repaired first. Walks that the log prints are read too; for a text with a walk but no fault, that is reported.
All faults are shown; repeated reports are shown once. Exit code 3 if there is no fault in the text.

With --tables, the access of each fault is walked through them, down to the descriptor; exit code 1 if they don't give the
fault that was reported. ${TARGET_HELP.trim()}

Examples:
  $ lpae fault 'Unhandled context fault: fsr=0x402, iova=0xffc00000, fsynr=0x11, cbfrsynra=0x800, cb=2'
  $ dmesg | lpae fault
  $ lpae fault --esr 0x96000047 --far 0xffff800012345678
  $ lpae fault --event 0x800000010 0x20000000000 0xfff00000 0x0
  $ lpae fault PAR=0x80b
  $ dmesg | lpae fault --tables vmcore --registers regs.json
`;

const FORMS =
  'known are lines of arm-smmu (fsr=…), arm-smmu-v3 (event 0x10 received: …), GPUs and other IOMMUs, event records, and ESR, FAR, ' +
  'HPFAR, DFSR, IFSR and PAR values, as NAME=0x…; lpae fault --help shows examples';

export function define(command: Command, cli: Cli): void {
  command
    .argument('[text...]', 'log lines or register values; - is stdin')
    .option('--esr <value>', 'ESR_ELx, or HSR')
    .option('--far <value>', 'the fault address: FAR_ELx, DFAR, IFAR')
    .option('--hpfar <value>', 'HPFAR_EL2, of a stage-2 fault')
    .option('--fsr <value>', 'SMMUv2 SMMU_CBn_FSR')
    .option('--fsynr <value>', 'SMMUv2 SMMU_CBn_FSYNR0')
    .option('--iova <value>', 'the address with --fsr')
    .option('--par <value>', 'PAR_EL1, after an address translation instruction')
    .option('--dfsr <value>', 'DFSR of AArch32')
    .option('--ifsr <value>', 'IFSR of AArch32')
    .option('--event <words...>', 'SMMUv3 event record: four 64-bit words')
    .option('--pan', `of --tables: ${PAN_HELP}`)
    .option('--tables <file...>', 'walk the access through these tables: a golden file or memory images');
  addTargetOptions(command)
    .addHelpText('after', HELP)
    .action(async (texts: string[], options: FaultOptions) => {
      const out = cli.output(command);
      cli.exitCode = await report(out, await textOf(texts, options, out), options);
    });
}

/** Options are turned into the text of a log, so that both are read in the same way. */
async function textOf(texts: readonly string[], options: FaultOptions, { io }: Output): Promise<string> {
  const given = REGISTERS.flatMap((name) => {
    const text = options[name];
    return text === undefined
      ? []
      : [`${LOG_NAMES[name] ?? name}=${hex(parseAddress(text, `--${name}`), name === 'esr' ? 8 : 1)}`];
  });
  const lines = given.length ? [given.join(' ')] : [];
  if (options.event !== undefined) lines.push(eventLine(options.event));
  if (lines.length > 0) return [...lines, texts.join(' ')].join('\n');
  if (texts.length > 0 && texts.join() !== '-') return texts.join(' ');
  return new TextDecoder().decode(await readAll(io.stdin));
}

function eventLine(words: readonly string[]): string {
  if (words.length !== 4) {
    throw usageError(
      `--event takes four words, not ${words.length}`,
      'an event record is 32 bytes: four 64-bit words, the lowest first (IHI 0070 7.3)',
    );
  }
  return words.map((word) => hex(parseAddress(word, '--event'))).join(' ');
}

async function report(out: Output, text: string, options: FaultOptions): Promise<number> {
  const post = parsePost(text);
  const faults = countFaults(post.faults);
  const { repairs } = post;
  if (faults.length === 0 && post.walks.length > 0) return reportWalks(out, post);
  if (faults.length === 0) {
    const empty = text.trim() === '';
    throw inputError(empty ? 'there is no text' : 'no fault was found in the text', FORMS);
  }
  const walks = await walksOf(out, faults, options);
  if (out.json) {
    const documents = faults.map((fault, i) => {
      const { walk, target } = walks[i] ?? {};
      return { ...faultJson(fault), ...(walk && target && { walk: faultWalkJson(walk, target) }) };
    });
    const [first] = walks;
    out.document('lpae.fault/1', {
      faults: documents,
      ...(first?.target && { notes: notesOf(first.target) }),
      ...(repairs.length > 0 && { repairs }),
    });
  } else {
    if (repairs.length > 0) out.note(`before reading, ${repairs.join('; ')}`);
    for (const [i, fault] of faults.entries()) {
      if (i > 0) out.line();
      out.lines(faultLines(fault, out.style));
      const { walk, target } = walks[i] ?? {};
      if (walk && target) out.lines(['', ...faultWalkLines(walk, target, out.style)]);
    }
  }
  return walks.every(({ walk }) => walk?.agrees !== false) ? EXIT.ok : EXIT.negative;
}

/** A text with walks but no fault. */
function reportWalks(out: Output, { walks }: Post): number {
  if (out.json) out.document('lpae.fault/1', { faults: [], walks: walks.map(printedJson) });
  else {
    for (const [i, walk] of walks.entries()) {
      if (i > 0) out.line();
      out.lines(walkOnlyLines(walk, out.style));
    }
  }
  return EXIT.ok;
}

/** Walks each fault in the given tables. For an SMMU, these are the tables of the fault's own stream. */
async function walksOf(
  out: Output,
  faults: readonly CountedFault[],
  { tables, ...options }: FaultOptions,
): Promise<{ target?: Target; walk?: FaultWalk | undefined }[]> {
  if (tables === undefined) return [];
  const walks: { target?: Target; walk?: FaultWalk | undefined }[] = [];
  for (const { fault } of faults) {
    const { streamId } = fault;
    const isStream = fault.source === 'smmuv3' && streamId !== undefined && options.sid === undefined;
    const target = await readTarget(tables, out.io, { ...options, ...(isStream && { sid: hex(streamId) }) });
    if (walks.length === 0) for (const warning of target.warnings) out.note(warning);
    const walk = walkFault(fault, target, options.pan);
    if (walk === undefined) out.note(`${fault.name}: the report has no address to walk`);
    walks.push({ target, walk });
  }
  return walks;
}
