/** `lpae map`: carries out a request and shows the results, the tables, their cost, and the registers. */
import { type Command, Option } from 'commander';
import { FormatError, IommuError } from '../../index.ts';
import { createMachine, type Translator } from '../../machine/machine.ts';
import { columns } from '../../text/columns.ts';
import type { Intent } from '../../verify/intent.ts';
import { parseIntent } from '../../verify/parse.ts';
import { reportLines } from '../../verify/report.ts';
import { type Verification, verifySpace } from '../../verify/verify.ts';
import { nameOf, parseJson } from '../input/input.ts';
import { readText, understood } from '../input/intent-file.ts';
import { planOfIntent, type RootRole, type TablesPlan } from '../input/intent-request.ts';
import { type MapRequest, parseRequest } from '../input/request.ts';
import { EXIT, usageError } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { LINK_HELP, linkOfRequest, printLink } from '../run/explorer-link.ts';
import { type MachineOfRoots, type MadeRoot, machineOf } from '../run/intent-machine.ts';
import { allDone, perform } from '../run/perform.ts';
import { PROFILES, type Profile, withProfile } from '../run/profile.ts';
import { unwalkableOf } from '../run/walkable.ts';
import { madeJson, madeLines } from '../text/made-text.ts';
import { hardwareRows, registerWords } from '../text/map-text.ts';
import { SHORT_TABLE } from '../text/tree-text.ts';
import { verificationJson } from '../text/verify-json.ts';

/** The tables of an intention, walked and compared with it. */
interface Compared {
  readonly machine: MachineOfRoots;
  readonly target: Translator;
  readonly found: Verification;
}

const ROLE_TITLES: Readonly<Record<RootRole, string>> = {
  lower: 'Lower addresses (TTBR0)',
  upper: 'Upper addresses (TTBR1)',
  'stage 2': 'Stage 2',
};

interface MapOptions {
  readonly full?: boolean;
  readonly link?: boolean;
  readonly profile?: Profile;
}

const HELP = `
REQUEST is an intention, as lpae verify reads them: tables are made for it and compared with it. Or it is JSON. Addresses and sizes
are strings ("0x8000_0000", "2M", "0x4000_0000+0x1234") or whole numbers.

  format         one of those that lpae formats lists
  config         { pgsize_bitmap, ias, oas, coherent_walk: true, quirks: [] }, as in Linux's io_pgtable_cfg; and what
                 Linux leaves out: features (lpae formats lists them) with mair2, pir, pire0, por, por0, s2pir; mair; granule; regime
                 (el1&0, el2, el2&0, el3; of arm_32_lpae_s1 pl2)
  linux          the version whose choices to follow: "6.12" (default) or "7.3"; lpae formats lists them. Here or in config, like partial_unmap
  cpu_page_size  the unit of scatterlist entries; default 4K
  semantics      of map_sg: exact (default), per-entry, page-align
  partial_unmap  what unmapping a part of a block does: split (6.12), refuse (7.3), whole
  concatenation  in config, for a stage-2 root: possible (6.12), mandatory (7.3)
  prot           of read write cache noexec mmio priv; default ["read", "write"]; or an object of these with
                 device (nGnRnE nGnRE nGRE GRE), execute (all privileged unprivileged none), shareability, mairIndex,
                 poIndex, global, nonSecure
  iova, sg       one map_sg: entries ["0xphys", "0xlength"], { phys, length } or { page, offset, length }
  ranges         maps: [{ iova, paddr, size, prot }]
  ops            or a list of operations: { op: "map", iova, paddr, size, prot }, { op: "map_sg", iova, sg, prot },
                 { op: "unmap", iova, size }, { op: "iova_to_phys", iova }, { op: "dirty", iova, size, clear };
                 with ret, and ranges for dirty, the expected answer
  reserved       ranges where nothing may be mapped: [["0xiova", "0xsize"]] or { iova, size, type: "msi" }
  dma            lists that Linux's DMA layer places: { sg, direction } or ops, a device's dma_mask, limit, boundary,
                 max_segment, preset (platform, pci) …, iova: "linux" for Linux's own IOVAs (docs/map-requests.md)
  ram            { base, size } of the RAM for tables; default 1G at 0x8000_0000

Golden files of kind ops are such requests. What a format can't express of an intention is a difference. Exit code 0 if everything was
done (or returned ret) and is as meant, otherwise 1.

Examples:
  $ lpae map request.json
  $ lpae map - <<'END'
  { "format": "arm_64_lpae_s1", "config": { "pgsize_bitmap": "0x40201000", "ias": 48, "oas": 48 },
    "cpu_page_size": "64K", "iova": "0x10000000", "prot": ["read", "write", "cache"],
    "sg": [["0x900000000", "64K"], ["0x900010000", "0x5000"], ["0x940000000", "2M"]] }
  END
  $ lpae map - <<'END'
  { "format": "arm_64_lpae_s1", "config": { "pgsize_bitmap": "0x40201000", "ias": 48, "oas": 48 },
    "cpu_page_size": "64K", "semantics": "page-align", "iova": "0x10000000", "sg": [["0x900001000", "0x2000"]] }
  END
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<request>', 'JSON file, or an intention; - is stdin')
    .option('--full', 'every row of every table')
    .option('--link', LINK_HELP)
    .addOption(
      new Option('--profile <name>', 'choices that the request does not make itself (docs/linux.md)').choices(
        PROFILES,
      ),
    )
    .addHelpText('after', HELP)
    .action(async (file: string, options: MapOptions) => {
      cli.exitCode = await map(cli.output(command), file, options);
    });
}

async function map(out: Output, file: string, options: MapOptions): Promise<number> {
  const name = nameOf(file);
  const asked = await readRequest(file, out);
  if (options.link) {
    if (asked.json === undefined)
      throw usageError(`--link: ${name} is an intention, and the explorer asks map requests`);
    return printLink(out, linkOfRequest(asked.json, name));
  }
  const made: MadeRoot[] = [];
  for (const { role, request: plain } of asked.roots) {
    let request = plain;
    try {
      request = withProfile(plain, options.profile);
      made.push({ role, request, performed: perform(request, made[0]?.performed.domain.memory) });
    } catch (error) {
      if (!(error instanceof IommuError)) throw error;
      return refused(out, request, error);
    }
  }
  const checked = asked.plan && compared(asked.plan, made, asked.intent, name);
  if (out.json) out.document('lpae.map/1', document(made, checked));
  else show(out, made, checked, options);
  for (const { performed, request } of made) {
    for (const { text } of unwalkableOf(performed.domain, request)) out.note(`warning: ${text}`);
  }
  const done = made.every(({ performed }) => allDone(performed));
  return done && checked?.found.ok !== false ? EXIT.ok : EXIT.negative;
}

/** A request, or those that make tables for an intention. */
type Asked =
  | {
      readonly roots: readonly [Root];
      readonly json: unknown;
      readonly plan?: never;
      readonly intent?: never;
    }
  | {
      readonly roots: readonly Root[];
      readonly json?: never;
      readonly plan: TablesPlan;
      readonly intent: Intent;
    };
interface Root {
  readonly role?: RootRole;
  readonly request: MapRequest;
}

async function readRequest(file: string, { io }: Output): Promise<Asked> {
  const name = nameOf(file);
  const text = await readText(file, io);
  const looksLikeJson = /^\ufeff?\s*(?:$|\{|\[\s*[{\]])/.test(text);
  const json = looksLikeJson ? parseJson(new TextEncoder().encode(text), name) : undefined;
  const { schema } = (json ?? {}) as { schema?: unknown };
  if (looksLikeJson && schema !== 'lpae.intent/1' && schema !== 'lpae.dump/1') {
    return { roots: [{ request: parseRequest(json, name) }], json };
  }
  const intent = understood(name, () => parseIntent(text));
  const plan = planOfIntent(intent, name);
  const roots = plan.roots.map(({ role, request }) => ({ role, request: parseRequest(request, name) }));
  return { roots, plan, intent };
}

/** What the tables map beside what was meant: formats have less to say than intentions. */
function compared(
  plan: TablesPlan,
  made: readonly MadeRoot[],
  { regimes: _, security, ...meant }: Intent,
  name: string,
): Compared {
  const state = security === undefined ? {} : { security };
  const machine = machineOf(plan, made);
  const target = createMachine({ ...machine, ...state })();
  return { machine, target, found: understood(name, () => verifySpace(target, meant)) };
}

/** The format refuses the configuration, or there is no room for its root: this is a negative answer, not an error. */
function refused(out: Output, request: MapRequest, error: IommuError): number {
  const { code, errno, message } = error;
  if (out.json) {
    out.document('lpae.map/1', { format: request.format.name, ok: false, error: { code, errno, message } });
  } else {
    const what = error instanceof FormatError ? 'refuses this configuration' : 'could not be made';
    out.line(`${request.format.name} ${out.style.bad(what)} (${errno})`);
    out.line(`  ${message}`);
  }
  return EXIT.negative;
}

function show(
  out: Output,
  made: readonly MadeRoot[],
  checked: Compared | undefined,
  { full }: MapOptions,
): void {
  const { style } = out;
  for (const [i, root] of made.entries()) {
    if (i > 0) out.line();
    if (made.length > 1 && root.role !== undefined) out.heading(ROLE_TITLES[root.role]);
    out.lines(madeLines(root, style, full === true));
  }
  if (checked === undefined) return;
  const { regime, registers } = checked.machine;
  const own = made[0]?.performed.domain.registers.hardware.regime;
  if (made.length > 1 || regime !== own || registers.vsttbr !== undefined) {
    out.line();
    out.heading('All of it');
    out.lines(columns(hardwareRows({ regime, registers }), { indent: '  ' }));
  }
  const { found, target } = checked;
  out.lines(['', ...reportLines(found, { target, style, maxOk: SHORT_TABLE })]);
}

function document(made: readonly MadeRoot[], checked: Compared | undefined): object {
  const [first, ...more] = made.map(madeJson);
  if (checked === undefined) return { ...first };
  const { machine, found, target } = checked;
  const { regime, cpu } = machine;
  const verify = verificationJson(found, target);
  const hardware = { regime, registers: registerWords(machine.registers), pa_bits: cpu.paBits };
  if (more.length === 0) return { ...first, hardware: { ...first?.hardware, ...hardware }, verify };
  return {
    ok: made.every(({ performed }) => allDone(performed)),
    roots: made.map((root) => ({ role: root.role, ...madeJson(root) })),
    hardware,
    verify,
  };
}
