/** `lpae map`: carries out a request and shows the results, the tables, their cost, and the registers. */
import { type Command, Option } from 'commander';
import { countTree, FormatError, IommuError, type TreeTable } from '../../index.ts';
import { createMachine } from '../../machine/machine.ts';
import { treeOfTables } from '../../space/tree.ts';
import { columns } from '../../text/columns.ts';
import { hexWord, pageSizes, sizeText } from '../../text/numbers.ts';
import type { Intent } from '../../verify/intent.ts';
import { parseIntent } from '../../verify/parse.ts';
import { reportLines } from '../../verify/report.ts';
import { verifySpace } from '../../verify/verify.ts';
import { createWalker } from '../../walker/index.ts';
import { nameOf, parseJson } from '../input/input.ts';
import { readText, understood } from '../input/intent-file.ts';
import { requestOfIntent } from '../input/intent-request.ts';
import { type MapRequest, parseRequest } from '../input/request.ts';
import { EXIT } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { type Performed, perform } from '../run/perform.ts';
import { PROFILES, type Profile, withProfile } from '../run/profile.ts';
import { unwalkableOf } from '../run/walkable.ts';
import { dmaOutcomeJson, dmaOutcomeLines } from '../text/dma-text.ts';
import { costRows, registerRows } from '../text/map-text.ts';
import { outcomeJson, outcomeLines } from '../text/outcome.ts';
import { SHORT_TABLE, treeLines } from '../text/tree-text.ts';
import { verificationJson } from '../text/verify-json.ts';

interface MapOptions {
  readonly full?: boolean;
  readonly profile?: Profile;
}

const HELP = `
REQUEST is an intention, as lpae verify reads them: tables are made for it and compared with it. Or it is JSON. Addresses and sizes
are strings ("0x8000_0000", "2M", "0x4000_0000+0x1234") or whole numbers.

  format         one of those that lpae formats lists
  config         { pgsize_bitmap, ias, oas, coherent_walk: true, quirks: [] }, as in Linux's io_pgtable_cfg; and what
                 Linux leaves out: features ["contiguous", "lpa2", "access_flag", "dirty_state", "fwb", "xnx"], mair,
                 regime (el1&0, el2, el3)
  linux          the version whose choices to follow: "6.12" (default) or "7.3"; lpae formats lists them. Here or in config, like partial_unmap
  cpu_page_size  the unit of scatterlist entries; default 4K
  semantics      of map_sg: exact (default), per-entry, page-align
  partial_unmap  what unmapping a part of a block does: split (6.12), refuse (7.3), whole
  concatenation  in config, for a stage-2 root: possible (6.12), mandatory (7.3)
  prot           of read write cache noexec mmio priv; default ["read", "write"]; or an object of these with
                 device (nGnRnE nGnRE nGRE GRE), execute (all privileged unprivileged none), shareability, mairIndex,
                 global, nonSecure
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
  const read = await readRequest(file, out);
  let { request } = read;
  const { intent } = read;
  let performed: Performed;
  try {
    request = withProfile(request, options.profile);
    performed = perform(request);
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    return refused(out, request, error);
  }
  const made = intent && compared(performed, intent, nameOf(file));
  if (out.json) {
    const verified = made && { verify: verificationJson(made.found, made.target) };
    out.document('lpae.map/1', { ...document(request, performed), ...verified });
  } else {
    show(out, request, performed, options);
    if (made)
      out.lines([
        '',
        ...reportLines(made.found, { target: made.target, style: out.style, maxOk: SHORT_TABLE }),
      ]);
  }
  for (const { text } of unwalkableOf(performed.domain, request)) out.note(`warning: ${text}`);
  return allDone(performed) && made?.found.ok !== false ? EXIT.ok : EXIT.negative;
}

/** A request, or what makes tables for an intention. */
async function readRequest(
  file: string,
  { io }: Output,
): Promise<{ readonly request: MapRequest; readonly intent?: Intent }> {
  const name = nameOf(file);
  const text = await readText(file, io);
  const looksLikeJson = /^\ufeff?\s*(?:$|\{|\[\s*[{\]])/.test(text);
  const json = looksLikeJson ? parseJson(new TextEncoder().encode(text), name) : undefined;
  const { schema } = (json ?? {}) as { schema?: unknown };
  if (looksLikeJson && schema !== 'lpae.intent/1' && schema !== 'lpae.dump/1') {
    return { request: parseRequest(json, name) };
  }
  const intent = understood(name, () => parseIntent(text));
  return { request: parseRequest(requestOfIntent(intent, name), name), intent };
}

/** What the tables map beside what was meant: formats have less to say than intentions. */
function compared({ domain }: Performed, { regimes: _, security, ...meant }: Intent, name: string) {
  const { regime, registers, cpu } = domain.registers.hardware;
  const state = security === undefined ? {} : { security };
  const description = { memory: domain.memory, regime, registers: { ...registers }, cpu, ...state };
  const target = createMachine(description)();
  return { target, found: understood(name, () => verifySpace(target, meant)) };
}

function allDone({ outcomes, dma }: Performed): boolean {
  return outcomes.every(({ ok }) => ok) && dma.every(({ error }) => error === undefined);
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
  request: MapRequest,
  { domain, outcomes, dma }: Performed,
  options: MapOptions,
): void {
  const { format } = domain;
  const { style } = out;
  out.line(
    `${style.title(format.name)}  granule ${sizeText(1n << BigInt(format.granuleLog2))}, pages ${pageSizes(format.pgsizeBitmap)}, ` +
      `${format.ias} bits in, ${format.oas} out; CPU pages of ${sizeText(request.cpuPageSize)}`,
  );
  out.line();
  for (const outcome of outcomes) out.lines(outcomeLines(outcome, style));
  for (const [i, outcome] of dma.entries()) out.lines(dmaOutcomeLines(outcome, i, style));
  if (outcomes.length + dma.length > 0) out.line();

  const tables = domain.tables();
  const walker = createWalker(domain.memory, domain.registers.hardware);
  const maxRows = options.full ? Number.POSITIVE_INFINITY : SHORT_TABLE;
  out.lines(treeLines(treeOfTables(tables, format.stage, format.firstIova), { style, walker, maxRows }));
  out.line();
  out.heading('Cost');
  out.lines(columns(costRows(tables), { right: [1, 2, 3, 4, 5], indent: '  ' }));
  out.line();
  out.heading('Registers');
  out.lines(columns(registerRows(domain.registers, format.stage), { indent: '  ' }));
}

function document(request: MapRequest, performed: Performed): object {
  const { name } = request;
  const { domain, outcomes, dma } = performed;
  const { format } = domain;
  const { cfg, hardware } = domain.registers;
  const tables = domain.tables();
  return {
    ...(name !== undefined && { name }),
    format: format.name,
    ok: allDone(performed),
    config: {
      pgsize_bitmap: format.pgsizeBitmap,
      ias: format.ias,
      oas: format.oas,
      coherent_walk: format.coherentWalk,
      quirks: format.quirks,
      features: format.features ?? [],
      partial_unmap: domain.partialUnmap,
      ...(format.concatenation && { concatenation: format.concatenation }),
    },
    ops: outcomes.map(outcomeJson),
    ...(dma.length > 0 && { dma: dma.map(dmaOutcomeJson) }),
    tables: tables.map(tableJson),
    cost: costJson(tables),
    registers: cfg,
    hardware: {
      regime: hardware.regime,
      registers: Object.fromEntries(Object.entries(hardware.registers).map(([reg, v]) => [reg, hexWord(v)])),
      output_bits: hardware.outputBits,
      pa_bits: hardware.cpu.paBits,
    },
    warnings: unwalkableOf(domain, request).map(
      ({ problem: { field, value, rule, section }, remedy, text }) => {
        return { field, value, rule, section, ...(remedy && { remedy }), text };
      },
    ),
  };
}

/** Tables in the form of golden files, descriptors with all their digits. */
function tableJson({ pa, level, entries }: TreeTable): object {
  return {
    pa,
    level,
    entries: Object.fromEntries(entries.map(({ index, descriptor }) => [index, hexWord(descriptor)])),
  };
}

function costJson(tables: readonly TreeTable[]): object {
  const { tables: n, tableBytes, leaves, byLevel } = countTree(tables);
  return { tables: n, table_bytes: tableBytes, leaves, by_level: byLevel };
}
