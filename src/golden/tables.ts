/** Compares a table tree with a golden file's. Both are walked from the root in entry order, and everything except next-table addresses must agree. */
import { fieldMask, fieldTitle } from '../descriptor/field.ts';
import { bitRange, type DescriptorLayout, decode, decodeAddress, matches } from '../descriptor/index.ts';
import type { TableFormat } from '../pagetable/format.ts';
import type { TreeEntry, TreeTable } from '../pagetable/tree.ts';
import { hex } from '../text/numbers.ts';
import type { Difference } from './result.ts';
import type { OpsFile } from './schema.ts';

type GoldenTable = OpsFile['tables'][number];

/** @returns the differences, and how many descriptors were compared. */
export function compareTables(
  format: TableFormat,
  want: readonly GoldenTable[],
  got: readonly TreeTable[],
): { differences: Difference[]; checked: number } {
  const differences: Difference[] = [];
  const wanted = new Map(want.map((table) => [table.pa, table]));
  const actual = new Map(got.map((table) => [table.pa, table]));
  const reached = new Set<bigint>();
  let checked = 0;

  const queue: [GoldenTable | undefined, TreeTable | undefined][] = [[want[0], got[0]]];
  for (const [goldenTable, ownTable] of queue) {
    if (goldenTable === undefined || ownTable === undefined) {
      differences.push({
        where: 'tables',
        want: goldenTable ? `a table ${hex(goldenTable.pa)}` : 'no table',
        got: ownTable ? `a table at level ${ownTable.level}` : 'no table',
      });
      continue;
    }
    if (reached.has(goldenTable.pa)) {
      differences.push({ where: `table ${hex(goldenTable.pa)}`, want: 'one parent', got: 'several' });
      continue;
    }
    reached.add(goldenTable.pa);
    const where = `table ${hex(goldenTable.pa)} level ${goldenTable.level}`;
    if (goldenTable.level !== ownTable.level) {
      differences.push({ where, want: `level ${goldenTable.level}`, got: `level ${ownTable.level}` });
      continue;
    }
    const own = new Map(ownTable.entries.map((entry) => [entry.index, entry]));
    const indexes = [...new Set([...Object.keys(goldenTable.entries).map(Number), ...own.keys()])].sort(
      (a, b) => a - b,
    );
    for (const index of indexes) {
      checked++;
      const wantWord = goldenTable.entries[index] ?? 0n;
      const entry = own.get(index);
      const at = `${where} entry ${index}`;
      const kinds = compareEntry(format, goldenTable.level, wantWord, entry, at, differences);
      if (kinds.wantTable !== undefined) {
        const next = wanted.get(kinds.wantTable);
        if (next === undefined)
          differences.push({
            where: at,
            want: `a table at ${hex(kinds.wantTable)}`,
            got: 'the file lists none there',
          });
        else queue.push([next, actual.get(entry!.pa)]);
      }
    }
  }
  for (const table of want) {
    if (!reached.has(table.pa)) {
      differences.push({
        where: `table ${hex(table.pa)} level ${table.level}`,
        want: 'a parent entry',
        got: 'none points to it',
      });
    }
  }
  return { differences, checked };
}

/** Compares one entry. If both are tables, returns the file's next-table address. */
function compareEntry(
  format: TableFormat,
  level: number,
  want: bigint,
  entry: TreeEntry | undefined,
  where: string,
  differences: Difference[],
): { wantTable?: bigint } {
  const got = entry?.descriptor ?? 0n;
  if (entry?.kind !== 'table') {
    if (want === got) return {};
    const layout = format.layout(entry?.kind ?? leafKind(format, level), level, (entry?.run ?? 1) > 1);
    differences.push(...fieldDifferences(layout, want, got, where));
    return {};
  }
  const layout = format.layout('table', level);
  const address = layout.fields
    .filter((field) => field.address !== undefined)
    .reduce((mask, field) => mask | fieldMask(field), 0n);
  if ((want & ~address) !== (got & ~address)) {
    differences.push(
      ...fieldDifferences(layout, want === 0n ? 0n : (want & ~address) | (got & address), got, where),
    );
  }
  return matches(layout, want) ? { wantTable: decodeAddress(layout, want) } : {};
}

function leafKind(format: TableFormat, level: number): DescriptorLayout['kind'] {
  return level === format.levels.at(-1)!.level ? 'page' : 'block';
}

/** `table 0x80002000 level 2 entry 4 AF[10]: want 1 got 0`, one for each field; the whole words if one of them is empty. */
function fieldDifferences(layout: DescriptorLayout, want: bigint, got: bigint, where: string): Difference[] {
  if (want === 0n || got === 0n) {
    const show = (word: bigint) => (word === 0n ? 'nothing' : hex(word));
    return [{ where, want: show(want), got: show(got) }];
  }
  const [wanted, actual] = [decode(layout, want), decode(layout, got)];
  const fields = wanted.flatMap((field, i) => {
    const other = actual[i]!;
    if (field.value === other.value) return [];
    return [
      {
        where: `${where} ${fieldTitle(field.field)} ${bitRange(field.field)}`,
        want: `${hex(field.value)}${field.text ? ` (${field.text})` : ''}`,
        got: `${hex(other.value)}${other.text ? ` (${other.text})` : ''}`,
      },
    ];
  });
  // Words may differ above all declared fields: an entry of 32 bits has none there.
  return fields.length > 0 ? fields : [{ where, want: hex(want), got: hex(got) }];
}
