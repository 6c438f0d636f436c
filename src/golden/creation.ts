/** Golden files of table creation: which configurations a format accepts, and the sizes, registers and root that they give. */
import { formatNamed } from '../../formats/index.ts';
import { requestIn } from '../operations/choices.ts';
import { IommuError } from '../pagetable/errors.ts';
import { hex } from '../text/numbers.ts';
import { compareRegisters } from './registers.ts';
import type { Difference, GoldenResult } from './result.ts';
import { type CreationRows, creationSchema, parseGolden } from './schema.ts';

type Row = CreationRows[number];

/** @throws GoldenFileError when `json` is not such a list. */
export function checkCreation(json: unknown): GoldenResult {
  const rows = parseGolden(creationSchema, json);
  const differences: Difference[] = [];
  let checked = 0;
  for (const [i, row] of rows.entries()) {
    const { found, facts } = checkRow(row, `[${i}] ${row.format}`);
    differences.push(...found);
    checked += facts;
  }
  return { name: 'creation', checked, differences };
}

function checkRow(row: Row, where: string): { found: Difference[]; facts: number } {
  const format = formatNamed(row.format);
  const want = row.result;
  if (format === undefined) {
    return {
      found: [{ where, want: row.ok ? 'a table' : 'a refusal', got: 'a format not known here' }],
      facts: 1,
    };
  }
  try {
    const table = format.configure({ ...requestIn(row.config), cpuPageSize: row.cpu_page_size });
    if (!row.ok || want === null) return { found: [{ where, want: 'a refusal', got: 'a table' }], facts: 1 };
    // The file's TTBR contains the producer's root above its other fields. The format computes its registers for the same root.
    const base = want.registers.ttbr ?? want.registers.vttbr ?? want.registers.transtab;
    const alignment = BigInt(Math.max(64, table.rootBytes));
    const root = typeof base === 'bigint' ? base - (base % alignment) : 0n;
    const registers = compareRegisters(
      want.registers,
      table.registers(root).cfg,
      { want: root, got: root },
      where,
    );
    const facts: [string, string | undefined, string][] = [
      ['pgsize_bitmap', hex(want.pgsize_bitmap), hex(table.pgsizeBitmap)],
      ['ias', String(want.ias), String(table.ias)],
      ['oas', String(want.oas), String(table.oas)],
      ['root_level', want.root_level?.toString(), String(table.levels[0]!.level)],
      ['root_entries', want.root_entries?.toString(), String(table.levels[0]!.entries)],
    ];
    const found = facts.flatMap(([name, wanted, got]) =>
      wanted === undefined || wanted === got ? [] : [{ where: `${where}.${name}`, want: wanted, got }],
    );
    return { found: [...found, ...registers.differences], facts: facts.length + registers.checked };
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    return { found: row.ok ? [{ where, want: 'a table', got: error.message }] : [], facts: 1 };
  }
}
