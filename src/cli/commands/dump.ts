/** `lpae dump`: lists what an address space maps, in ranges like the kernel's ptdump, or its tables as a tree. */
import type { Command } from 'commander';
import { securityWord } from '../../arch/security.ts';
import type { DrawnSpace } from '../../draw/index.ts';
import { listGranules } from '../../machine/granules.ts';
import type { Answer, Translator } from '../../machine/machine.ts';
import type { AddressRange } from '../../space/address-range.ts';
import { listSpace } from '../../space/space.ts';
import { tablesWithin, treeOfTarget } from '../../space/tree-read.ts';
import { faultReason, faultText } from '../../text/fault.ts';
import { hex } from '../../text/numbers.ts';
import { parseRange } from '../input/address.ts';
import { type FilterOptions, partLeadingTo, rangeFilter, reverseRange } from '../input/dump-filter.ts';
import { EXIT, usageError } from '../io.ts';
import { derivationJson, registerLines } from '../machine/derivation.ts';
import {
  addTargetOptions,
  DERIVATION_HELP,
  FILE_ARGUMENT,
  TARGET_HELP,
  type TargetOptions,
} from '../machine/options.ts';
import { readTarget } from '../machine/read.ts';
import { notesOf, type Target } from '../machine/target.ts';
import type { Cli, Output } from '../output.ts';
import { addSvgOptions, checkSvgOptions, type SvgOptions, writeSvg } from '../svg-file.ts';
import { nodeJson, rangeJson, spaceLines } from '../text/dump-text.ts';
import { granuleJson, granuleLines } from '../text/granule-text.ts';
import { SHORT_TABLE, treeLines } from '../text/tree-text.ts';

interface DumpOptions extends TargetOptions, FilterOptions, SvgOptions {
  readonly tree?: boolean;
  readonly range?: string;
  readonly full?: boolean;
  readonly gpt?: boolean;
}

const HELP = `${TARGET_HELP}
Every range is what the hardware walker answers, not what the driver meant:

  input addresses                size     output        leaves   EL1 EL0  memory  shareability  flags

nG: for one ASID. C: contiguous hint. GP: guarded page. attr=0x..: the byte of MAIR, if the name of the type is not enough. With
two stages L2: the level of stage 1, if its leaves are larger. For a leaf that faults, the reason takes the place of the rights. The text has
the same facts as --json, and can be used as an intention: lpae dump X > want.map, then lpae verify want.map X.
Exit code 1 if --reverse finds no mapping of the address.

Examples:
  $ lpae dump request.json
  $ lpae dump request.json --tree
  $ lpae dump image.json --range 0x8000_0000+1G
  $ lpae dump ram.bin@0x4000_0000 --registers regs.json --has wx
  $ lpae dump vmcore --ttbr0 0x480f_a000 --tcr 0x5_0000_74b5_5035_10 --reverse 0x4814_2000
  $ lpae dump image.json --tree --svg tables.svg
  $ lpae dump ram.bin@0x4000_0000 --regime el3 --gpccr 0x1_3502 --gptbr 0x4_0100 --gpt
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<file...>', FILE_ARGUMENT)
    .option('--tree', 'the tables, with equal entries folded')
    .option('--range <range>', 'only these input addresses: a..b or a+length')
    .option(
      '--has <rights>',
      'only ranges with all of these rights: r, w, x, g (GCS); u:rw for unprivileged accesses',
    )
    .option('--level <n>', 'only leaves of these levels, such as 2 or 1,2')
    .option('--type <memory>', 'only this memory type: device, normal, WB, NC, nGnRE …')
    .option('--reverse <pa>', 'which ranges map this physical address or address range')
    .option('--gpt', 'who owns which granules: the granule protection table (GPCCR_EL3, GPTBR_EL3), by PA')
    .option('--full', 'every range, or with --tree every row of every table')
    .option('--picture', 'a drawing of the address space, or with --tree of its tables, instead of the list');
  addTargetOptions(addSvgOptions(command, 'the address space, or with --tree its tables,'))
    .option('--derivation', DERIVATION_HELP)
    .addHelpText('after', HELP)
    .action(async (files: string[], options: DumpOptions) => {
      cli.exitCode = await dump(cli.output(command), files, options);
    });
}

async function dump(out: Output, files: readonly string[], options: DumpOptions): Promise<number> {
  const only = options.range === undefined ? undefined : parseRange(options.range, '--range');
  let target: Target | undefined;
  // Check the options before reading files.
  const filter = rangeFilter(options, () => target?.regime ?? 'el1&0');
  const wanted = options.reverse === undefined ? undefined : reverseRange(options.reverse);
  checkSvgOptions(options, out);
  target = await readTarget(files, out.io, options);
  const { walker, regime } = target;
  for (const warning of target.warnings) out.note(warning);

  const drawn = options.picture || options.svg !== undefined;
  if (options.gpt) return dumpGranules(out, target, only, options);
  if (options.tree && drawn) await drawTables(out, target, only, options);
  if (options.tree && !out.json) {
    if (drawn) return EXIT.ok;
    const maxRows = options.full ? Number.POSITIVE_INFINITY : SHORT_TABLE;
    out.lines(treeLines(treeOfTarget(walker, only).tree(), { style: out.style, walker, maxRows }));
    return EXIT.ok;
  }
  const space = listSpace(walker, only, options.full ? Number.POSITIVE_INFINITY : undefined);
  if (!space.complete) {
    const last = space.ranges.at(-1)?.last ?? 0n;
    out.note(`stopped at ${hex(last)}: there is too much to list; --range looks further, --full lists all`);
  }
  const kept = space.ranges.filter(filter);
  const ranges = wanted === undefined ? kept : kept.flatMap((range) => partLeadingTo(range, wanted) ?? []);
  if (out.json) {
    out.document('lpae.dump/1', {
      name: target.name,
      regime,
      notes: notesOf(target),
      ...(walker.security !== undefined && { security: securityWord(walker.security) }),
      derivation: derivationJson(target),
      ...(only !== undefined && { in_part: true }),
      scanned: space.windows.map(({ first, last }) => ({ first, last })),
      ranges: ranges.map((range) => rangeJson(range, regime)),
      ...(options.tree && {
        tables: treeOfTarget(walker, only)
          .tables()
          .map((node) => nodeJson(node, walker)),
      }),
    });
  } else if (!drawn) {
    const told = registerLines(target, options, out.style);
    // With nothing to list there is no document, so problems are printed next to the reason.
    const listed = space.windows.length > 0 || target.dumped || options.derivation === true;
    if (listed) out.lines(told);
    else for (const line of told) out.note(line.trim());
    const { windows } = space;
    out.lines(spaceLines(target, { windows, ranges }, { style: out.style, inPart: only !== undefined }));
  }
  if (drawn && !options.tree) {
    const partial = !space.complete || wanted !== undefined || ranges.length < space.ranges.length;
    await drawSpace(out, target, { windows: space.windows, ranges, partial }, options);
  }
  // A user who asks for the mappings of an address may want to know that it is in a table.
  for (const { pa, level, register } of wanted === undefined ? [] : tablesWithin(walker, wanted)) {
    out.note(`${hex(pa)} is the level ${level} table of ${register}`);
  }
  if (space.windows.length === 0) out.note(nothingText(walker.walk(0n, { access: 'read' }), walker));
  return wanted !== undefined && ranges.length === 0 ? EXIT.negative : EXIT.ok;
}

/** Who owns which granules. `only` are physical addresses here. */
function dumpGranules(
  out: Output,
  target: Target,
  only: AddressRange | undefined,
  { full }: DumpOptions,
): number {
  const { walker, regime, name } = target;
  const gpc = walker.granuleProtection;
  if (gpc === undefined) {
    throw usageError(
      'granule protection checks are off: GPCCR_EL3 is not given, or has GPC = 0',
      'give them: --gpccr 0x… --gptbr 0x…',
    );
  }
  const { ranges, complete } = listGranules(gpc, {
    only,
    ...(full && { maxRanges: Number.POSITIVE_INFINITY }),
  });
  if (!complete) out.note('there is more than a list is good for; --range looks further, --full lists all');
  if (out.json) {
    out.document('lpae.dump/1', {
      name,
      regime,
      notes: notesOf(target),
      derivation: derivationJson(target),
      ...(only !== undefined && { in_part: true }),
      scanned: [],
      ranges: [],
      granules: ranges.map(granuleJson),
    });
  } else {
    out.lines(registerLines(target, { derivation: true }, out.style).filter((line) => line.trim() !== ''));
    out.lines(granuleLines(ranges, out.style));
  }
  return EXIT.ok;
}

/** The drawing code is loaded on demand. */
async function drawTables(
  out: Output,
  { walker, name }: Target,
  only: AddressRange | undefined,
  { svg, picture }: DumpOptions,
): Promise<void> {
  const { icicle, iciclePanels, icicleText } = await import('../../draw/index.ts');
  const panels = iciclePanels(treeOfTarget(walker, only).tree(), walker);
  if (picture) out.lines(icicleText(panels, out.style));
  if (svg !== undefined) writeSvg(svg, icicle(panels, { title: `Tables of ${name}` }), out);
}

async function drawSpace(
  out: Output,
  { regime, name }: Target,
  space: DrawnSpace,
  { svg, picture }: DumpOptions,
): Promise<void> {
  const { addressSpace, addressSpaceText } = await import('../../draw/index.ts');
  if (picture) out.lines(addressSpaceText(space, regime, out.style));
  if (svg !== undefined)
    writeSvg(svg, addressSpace(space, regime, { title: `Address space of ${name}` }), out);
}

/** Why there is nothing to dump. */
function nothingText(result: Answer, walker: Translator): string {
  if (result.ok || 'level' in result.fault) return 'the registers translate no address at all';
  return `${faultText(result.fault, walker.regime)}: ${faultReason(result.fault, [], '', walker)}`;
}
