/** `lpae bbm`: break-before-make of a trace of writes, step by step, by machine and FEAT_BBM level. (DDI 0487 D8.17; IHI 0070 3.21.1.) */
import { type Command, Option } from 'commander';
import {
  type BbmLevel,
  type IllegalSteps,
  isLegal,
  type MissingBarrier,
  type NeededInvalidation,
  type StepVerdict,
  TraceError,
  TraceJudge,
} from '../../bbm/index.ts';
import { MACHINES } from '../../bbm/judge.ts';
import { joinNeeded } from '../../bbm/needed.ts';
import { concerns } from '../../bbm/ordering.ts';
import { countIllegal } from '../../bbm/verdicts.ts';
import { columns } from '../../text/columns.ts';
import { count, counted, hex, sizeText } from '../../text/numbers.ts';
import type { Machine } from '../../tlb/index.ts';
import { isTrace, parseTrace } from '../input/bbm-file.ts';
import { nameOf, readJson } from '../input/input.ts';
import { parseRequest } from '../input/request.ts';
import { EXIT, inputError, usageError } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { recordRequest } from '../run/bbm-record.ts';
import { LINK_HELP, linkOfRequest, printLink } from '../run/explorer-link.ts';
import { neededJson, verdictJson } from '../text/bbm-json.ts';
import {
  type Chosen,
  commandText,
  MACHINE_NAMES,
  missingText,
  tlbiText,
  verdictLines,
} from '../text/bbm-text.ts';

interface BbmOptions {
  readonly machine: 'pe' | 'smmu' | 'both';
  readonly bbm: '0' | '1' | '2';
  readonly sync?: boolean;
  readonly link?: boolean;
}

const HELP = `
TRACE is JSON: a trace, or a map request (lpae map --help), whose operations are carried out and recorded.

  granule, stage, ias   4K, 16K or 64K; 1 (default) or 2; input address bits. root: PA of the first table
  level                 of the root, if stage 2 starts later than ias implies. upper: the tables are TTBR1's
  registers             instead of these: { ttbr0, ttbr1, tcr, mair, sctlr, vttbr, vtcr, hcr; tcr2, hcrx, pir, pire0, por,
                        por0, mair2; s2pir, s2por; scr, vsttbr, vstcr }
  regime                el1&0 (default) el2 el2&0 el3; with registers el1&0-s2 too. asid, vmid: what entries are tagged with
  mair, oa52, ha, hd    what descriptors mean: memory types; 52-bit output; hardware updates of access flag and dirty state
  hierarchical          APTable and the like count (TCR.HPD = 0): default true
  security              nonsecure, secure, realm or root: which bits of a leaf choose the space of its output (default: NS does)
  tge                   HCR_EL2.TGE while operations are executed: E1 operations apply to EL2&0 (default), or with false to EL1&0
  combined              stage 2 with a stage 1 over it: default true. same_contents: memory at old and new addresses is equal
  memory                initial contents: [["0x<pa>", "0x<word>"], …]; default zero
  steps                 { "write": "0x<pa>", "value": "0x<descriptor>" }, { "tlbi": "vale1is", "operand": "0x<Xt>" },
                        { "invalidate": "0x<ia>", "size": "0x<bytes>", "leaf": true }, { "invalidate": "all" },
                        { "barrier": "dsb ish" }, { "command": "CMD_TLBI_S2_IPA VMID=1 Addr=0x1000 Leaf=1" },
                        { "access": "0x<ia>", "fetch": true }, { "register": "pir", "value": "0x<PIR_EL1>" }
  barriers              judged (default): a DSB, ISB or CMD_SYNC that is missing is said; assumed: nothing is missing

Descriptors are those of VMSAv8-64. Steps are judged as if writes were visible and invalidations complete at once; barriers that this needs and that are
missing are said beside them. Exit code 1 if a step is illegal for the chosen machines and level, or a barrier is missing before one.
A trace with commands is judged for an SMMU (for a PE they do nothing).

Examples:
  $ lpae bbm trace.json
  $ lpae bbm trace.json --machine smmu --bbm 2
  $ lpae bbm request.json --sync
  $ lpae bbm - <<'END'
  { "granule": "4K", "ias": 39, "root": "0x40000000",
    "memory": [["0x40000000", "0x40001003"], ["0x40001000", "0x80000701"]],
    "steps": [{ "write": "0x40002000", "value": "0x80000703" }, { "write": "0x40001000", "value": "0x40002003" }] }
  END
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<trace>', 'JSON file: a trace or a map request; - is stdin')
    .addOption(
      new Option('--machine <who>', 'who walks the tables')
        .choices(['pe', 'smmu', 'both'])
        .default('both' satisfies string),
    )
    .addOption(
      new Option('--bbm <level>', 'FEAT_BBM level, or BBML for an SMMU')
        .choices(['0', '1', '2'])
        .default('0' satisfies string),
    )
    .option(
      '--sync',
      'for a map request: invalidate as Linux does, after every unmap and when a table is removed',
    )
    .option('--link', `of a map request: ${LINK_HELP}`)
    .addHelpText('after', HELP)
    .action(async (file: string, options: BbmOptions) => {
      cli.exitCode = await bbm(cli.output(command), file, options);
    });
}

/** Steps under a heading: all steps of a trace, or those of one operation of a request. */
interface Section {
  readonly title: string | undefined;
  readonly verdicts: readonly StepVerdict[];
}

interface Judged {
  readonly name: string;
  readonly judge: TraceJudge;
  readonly sections: readonly Section[];
  /** The only machine that the trace can be about. */
  readonly machine?: Machine;
}

async function bbm(out: Output, file: string, options: BbmOptions): Promise<number> {
  const chosen: { machines: readonly Machine[]; bbml: BbmLevel } = {
    machines: options.machine === 'both' ? MACHINES : [options.machine],
    bbml: Number(options.bbm) as BbmLevel,
  };
  const json = await readJson(file, out.io);
  if (options.link) {
    if (isTrace(json))
      throw usageError(`--link: ${nameOf(file)} is a trace, and the explorer asks map requests`);
    return printLink(out, linkOfRequest(json, nameOf(file), { view: 'time' }));
  }
  const judged = judgeFile(json, file, options);
  if (judged.machine !== undefined) {
    if (options.machine === 'both') out.note('the trace has commands of an SMMU, and is judged for one');
    chosen.machines = [judged.machine];
  }
  const verdicts = judged.sections.flatMap((section) => section.verdicts);
  const bad = verdicts.filter((verdict) => !isLegal(verdict, chosen.machines, chosen.bbml)).length;
  const illegal = countIllegal(verdicts);
  const owed = judged.judge.owed();
  const concerned = (one: MissingBarrier) => chosen.machines.some((machine) => concerns(one, machine));
  const missing = verdicts.flatMap((verdict) => verdict.missing.filter(concerned)).length;
  const barriers = judged.judge.owedBarriers().filter(concerned);
  const sums = { bad, illegal, owed, missing, barriers };
  if (out.json) out.document('lpae.bbm/1', document(judged, chosen, sums));
  else show(out, judged, chosen, sums);
  return bad === 0 && missing === 0 ? EXIT.ok : EXIT.negative;
}

function judgeFile(json: unknown, file: string, { sync = false, machine: wanted }: BbmOptions): Judged {
  const source = nameOf(file);
  if (!isTrace(json)) {
    const request = parseRequest(json, source);
    const { judge, ops } = recordRequest(request, source, sync);
    return { name: request.name ?? source, judge, sections: ops };
  }
  if (sync) throw usageError('--sync adds invalidations to a map request; a trace has its own');
  const trace = parseTrace(json, source);
  const commands = trace.steps.some((step) => 'command' in step);
  const machine = commands ? (wanted === 'pe' ? 'pe' : 'smmu') : undefined;
  let judge: TraceJudge;
  try {
    judge = new TraceJudge({ ...trace.context, ...(machine && { machine }) });
  } catch (error) {
    if (error instanceof TraceError) throw inputError(`${source}: ${error.message}`);
    throw error;
  }
  const verdicts = trace.steps.map((step, i) => {
    try {
      return judge.judge(step);
    } catch (error) {
      if (error instanceof TraceError)
        throw inputError(`${source}: steps[${i}] is impossible: ${error.message}`);
      throw error;
    }
  });
  const sections = [{ title: undefined, verdicts }];
  return { name: trace.name ?? source, judge, sections, ...(machine && { machine }) };
}

interface Sums {
  readonly bad: number;
  readonly illegal: IllegalSteps;
  readonly owed: readonly NeededInvalidation[];
  /** Barriers that are missing before steps, and those at the end. */
  readonly missing: number;
  readonly barriers: readonly MissingBarrier[];
}

/** The most missing invalidations to show. */
const SHORT_LIST = 8;

function show(
  out: Output,
  { name, judge, sections }: Judged,
  chosen: Chosen,
  { bad, illegal, owed, missing, barriers }: Sums,
): void {
  const { style } = out;
  const { space } = judge;
  const granule = sizeText(1n << BigInt(space.granuleLog2));
  out.line(
    `${style.title(name)}  ${space.regime} stage ${space.stage}, granule ${granule}, ${space.iaBits} bits in, root ${hex(space.root)} of level ${space.startLevel}`,
  );
  for (const { title, verdicts } of sections) {
    out.line();
    if (title !== undefined) out.heading(title);
    out.lines(verdictLines(verdicts, space, chosen, style));
    if (verdicts.length === 0) out.line(style.faint('writes nothing'));
  }
  out.line();
  out.heading('Illegal steps, by FEAT_BBM level (BBML for an SMMU)');
  const rows = MACHINES.map((machine) => [MACHINE_NAMES[machine], ...illegal[machine].map(count)]);
  out.lines(columns([['', '0', '1', '2'], ...rows], { right: [1, 2, 3], indent: '  ' }));
  out.line();
  const ranges = joinNeeded(owed, space);
  out.heading(
    ranges.length + barriers.length > 0
      ? `Missing at the end: ${[
          ranges.length > 0 && counted(ranges.length, 'invalidation'),
          barriers.length > 0 && counted(barriers.length, 'barrier'),
        ]
          .filter(Boolean)
          .join(', ')}`
      : 'Nothing is missing at the end',
  );
  for (const one of ranges.slice(0, SHORT_LIST)) {
    for (const machine of chosen.machines)
      out.line(`  ${machine === 'pe' ? tlbiText(one) : commandText(one)}`);
  }
  if (ranges.length > SHORT_LIST)
    out.line(`  … ${counted(ranges.length - SHORT_LIST, 'more range')} (--json lists them)`);
  for (const one of barriers) out.line(`  ${missingText(one)}`);
  out.line();
  const who = `${chosen.machines.map((machine) => MACHINE_NAMES[machine]).join(' and ')} of level ${chosen.bbml}`;
  const legality = bad === 0 ? style.good('legal') : style.bad(`${counted(bad, 'step')} illegal`);
  const order = missing === 0 ? '' : `, ${style.bad(`${counted(missing, 'barrier')} missing`)}`;
  out.line(`${who}: ${legality}${order}`);
}

function document(
  { name, judge, sections }: Judged,
  chosen: Chosen,
  { bad, illegal, owed, missing, barriers }: Sums,
): object {
  const { stage, regime, granuleLog2, iaBits, startLevel, root, asid, vmid } = judge.space;
  return {
    name,
    ok: bad === 0 && missing === 0,
    machines: chosen.machines,
    bbm: chosen.bbml,
    tables: {
      stage,
      regime,
      granule: sizeText(1n << BigInt(granuleLog2)),
      ias: iaBits,
      root: BigInt(root),
      level: startLevel,
      ...(stage === 1 && { asid }),
      vmid,
    },
    steps: sections.flatMap(({ title, verdicts }) =>
      verdicts.map((verdict) => ({ ...(title !== undefined && { op: title }), ...verdictJson(verdict) })),
    ),
    illegal,
    owed: owed.map(neededJson),
    ...(missing > 0 && { missing }),
    ...(barriers.length > 0 && { owed_barriers: barriers }),
  };
}
