/** `lpae dump`: what an address space maps, in ranges as the kernel's ptdump lists them, or its tables as a tree. */
import type { Command } from 'commander';
import type { Answer } from '../../golden/image-probe.ts';
import { type AddressRange, parseRange } from '../address.ts';
import { columns } from '../columns.ts';
import {
  type Faulted,
  faultReason,
  faultText,
  flagCode,
  memoryCode,
  permissionCode,
  SHAREABILITY,
} from '../hardware-text.ts';
import { EXIT } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { type MappedRange, RangeCollector, rangeSize } from '../ranges.ts';
import { scan, windows } from '../scan.ts';
import type { Style } from '../style.ts';
import { readTarget, type TargetOptions } from '../target.ts';
import { count, counted, hex, hexWord, roughSize, sizeText } from '../text.ts';
import { SHORT_TABLE, type TableNode, TreeCollector, treeLines } from '../tree.ts';
import { attributesJson } from '../walk-json.ts';

interface DumpOptions extends TargetOptions {
  readonly tree?: boolean;
  readonly range?: string;
  readonly full?: boolean;
}

const HELP = `
FILE is a map request or golden ops file, which is carried out first, or a golden image: memory and registers of a machine.
Every range is what the hardware walker answers, not what the driver meant:

  input addresses                size     output        leaves   EL1 EL0  memory  shareability  flags

nG: of one ASID. C: contiguous hint. GP: guarded page. Where a leaf faults, why stands in place of the rights.

Examples:
  $ lpae dump request.json
  $ lpae dump request.json --tree
  $ lpae dump image.json --range 0x8000_0000+1G
`;

/** More than any table of reasonable size has; tables that hold themselves would hardly end. */
const MAX_STRETCHES = 1 << 22;

const MEMORY_WIDTH = 'nGnRnE'.length;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<file>', 'request, golden ops file or golden image; - is stdin')
    .option('--tree', 'the tables, alike entries folded')
    .option('--range <range>', 'only these input addresses: a..b or a+length')
    .option('--full', 'with --tree: every row of every table')
    .option('--sid <id>', 'StreamID, of an SMMU (default: that of the first row of the image)')
    .option('--ssid <id>', 'SubstreamID, of an SMMU')
    .option('--row <n>', 'with the registers and StreamID of translations[n] of the image')
    .addHelpText('after', HELP)
    .action(async (file: string, options: DumpOptions) => {
      cli.exitCode = await dump(cli.output(command), file, options);
    });
}

async function dump(out: Output, file: string, options: DumpOptions): Promise<number> {
  const only = options.range === undefined ? undefined : parseRange(options.range, '--range');
  const { name, walker, regime, warnings } = await readTarget(file, out.io, options);
  for (const warning of warnings) out.note(warning);

  const collector = new RangeCollector(regime);
  const tree = new TreeCollector(regime, only === undefined);
  const scanned = only ? [only] : windows(walker);
  let stretches = 0;
  for (const window of scanned) {
    for (const stretch of scan(walker, window)) {
      if (++stretches > MAX_STRETCHES) {
        out.note(
          `stopped after ${count(MAX_STRETCHES)} entries at ${hex(stretch.ia)}; --range looks further`,
        );
        break;
      }
      collector.add(stretch);
      tree.add(stretch);
    }
  }
  const { ranges } = collector;
  if (out.json) {
    out.document('lpae.dump/1', {
      name,
      regime,
      scanned: scanned.map(({ first, last }) => ({ first, last })),
      ranges: ranges.map(rangeJson),
      ...(options.tree && { tables: tree.tables().map(nodeJson) }),
    });
  } else if (options.tree) {
    const maxRows = options.full ? Number.POSITIVE_INFINITY : SHORT_TABLE;
    out.lines(treeLines(tree.tree(), { style: out.style, walker, maxRows }));
  } else {
    showRanges(out, regime, scanned, ranges);
  }
  if (scanned.length === 0) out.note(nothingText(walker.walk(0n, { access: 'read' })));
  return EXIT.ok;
}

function showRanges(
  out: Output,
  regime: string,
  scanned: readonly AddressRange[],
  ranges: readonly MappedRange[],
): void {
  for (const { first, last } of scanned) {
    const here = ranges.filter((range) => range.last >= first && range.first <= last);
    const digits = last.toString(16).length;
    out.heading(`[${hex(first, digits)}, ${hex(last, digits)}]  ${regime}`);
    out.lines(
      columns(
        here.map((range) => rangeRow(range, regime, digits, out.style)),
        { right: [1], indent: '  ' },
      ),
    );
    const mapped = here.filter(({ result }) => result.ok);
    const bytes = mapped.reduce((sum, range) => sum + rangeSize(range), 0n);
    const leaves = mapped.reduce((sum, range) => sum + range.leaves, 0);
    out.line(
      out.style.faint(
        `  ${counted(here.length, 'range')}, ${counted(leaves, 'leaf', 'leaves')}, ${roughSize(bytes)} mapped`,
      ),
    );
  }
}

/** Why there is nothing to dump. */
function nothingText(result: Answer): string {
  if (result.ok || 'level' in result.fault) return 'the registers translate no address at all';
  return `${faultText(result.fault)}: ${faultReason(result.fault, [], '')}`;
}

function rangeRow(range: MappedRange, regime: string, digits: number, style: Style): string[] {
  const { first, last, pa, leafSize, leaves, result } = range;
  const cells = [
    `${hex(first, digits)}-${hex(last, digits)}`,
    sizeText(rangeSize(range)),
    pa === undefined ? '' : `-> ${hex(pa)}`,
    `${sizeText(leafSize)}${leaves > 1 ? ` ×${count(leaves)}` : ''}`,
  ];
  if (!result.ok) return [...cells, style.bad(faultText(result.fault))];
  // One cell, so that the words of a fault make no column wider.
  const memory = memoryCode(result.attributes).padEnd(MEMORY_WIDTH);
  const shareability = SHAREABILITY[result.shareability][1];
  return [
    ...cells,
    `${style.leaf(permissionCode(result, regime))}  ${memory}  ${shareability}  ${flagCode(result)}`,
  ];
}

function rangeJson(range: MappedRange): object {
  const { first, last, pa, leafSize, leaves, result } = range;
  return {
    first,
    last,
    size: rangeSize(range),
    pa: pa ?? null,
    leaf_size: leafSize,
    leaves,
    ...(result.ok
      ? { level: result.level ?? null, ...attributesJson(result) }
      : { fault: faultJson(result.fault) }),
  };
}

function faultJson(fault: Faulted['fault']): object {
  const { kind } = fault;
  return 'level' in fault ? { kind, stage: fault.stage, level: fault.level } : { kind };
}

function nodeJson({ stage, level, pa, entries }: TableNode): object {
  return {
    stage,
    level,
    pa,
    entries: Object.fromEntries(entries.map(({ index, descriptor }) => [index, hexWord(descriptor)])),
  };
}
