/** What `lpae map` made: the result of each operation, tables as a tree, what they cost, and the registers. */
import { countTree, type TreeTable } from '../../index.ts';
import { treeOfTables } from '../../space/tree.ts';
import { columns } from '../../text/columns.ts';
import { hexWord, pageSizes, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { createWalker } from '../../walker/index.ts';
import type { MadeRoot } from '../run/intent-machine.ts';
import { allDone } from '../run/perform.ts';
import { unwalkableOf } from '../run/walkable.ts';
import { dmaOutcomeJson, dmaOutcomeLines } from './dma-text.ts';
import { costRows, registerRows, registerWords } from './map-text.ts';
import { outcomeJson, outcomeLines } from './outcome.ts';
import { SHORT_TABLE, treeLines } from './tree-text.ts';

/** @param full - show every row of every table. */
export function madeLines({ request, performed }: MadeRoot, style: Style, full: boolean): string[] {
  const { domain, outcomes, dma } = performed;
  const { format } = domain;
  const tables = domain.tables();
  const walker = createWalker(domain.memory, domain.registers.hardware);
  const maxRows = full ? Number.POSITIVE_INFINITY : SHORT_TABLE;
  const results = [
    ...outcomes.flatMap((outcome) => outcomeLines(outcome, style)),
    ...dma.flatMap((outcome, i) => dmaOutcomeLines(outcome, i, style)),
  ];
  return [
    `${style.title(format.name)}  granule ${sizeText(1n << BigInt(format.granuleLog2))}, pages ${pageSizes(format.pgsizeBitmap)}, ` +
      `${format.ias} bits in, ${format.oas} out; CPU pages of ${sizeText(request.cpuPageSize)}`,
    '',
    ...results,
    ...(results.length > 0 ? [''] : []),
    ...treeLines(treeOfTables(tables, format.stage, format.firstIova), { style, walker, maxRows }),
    '',
    style.title('Cost'),
    ...columns(costRows(tables), { right: [1, 2, 3, 4, 5], indent: '  ' }),
    '',
    style.title('Registers'),
    ...columns(registerRows(domain.registers, format.stage), { indent: '  ' }),
  ];
}

/** The same for `--json`. */
export function madeJson({ request, performed }: MadeRoot): {
  readonly hardware: object;
  readonly [member: string]: unknown;
} {
  const { name } = request;
  const { domain, outcomes, dma } = performed;
  const { format } = domain;
  const { cfg, hardware } = domain.registers;
  const { paBits, ...needed } = hardware.cpu;
  const features = Object.keys(needed);
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
      registers: registerWords(hardware.registers),
      output_bits: hardware.outputBits,
      pa_bits: paBits,
      ...(features.length > 0 && { features: features.map((one) => `FEAT_${one.toUpperCase()}`) }),
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
