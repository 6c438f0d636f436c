/** The cost of tables, and the registers that point at them, as rows. */
import { countTree, type Registers, type TreeTable } from '../../index.ts';
import { count, hex, hexWord, roughSize } from '../../text/numbers.ts';

/** Descriptors by level and kind, with sums. */
export function costRows(tables: readonly TreeTable[]): string[][] {
  const { byLevel, tables: n, tableBytes, leaves } = countTree(tables);
  const rows = [['level', 'tables', 'bytes', 'descriptors: table', 'block', 'page']];
  let links = 0;
  let mapped = 0n;
  for (const { level, tables: here, blocks, pages } of byLevel) {
    const ofLevel = tables.filter((table) => table.level === level);
    const bytes = ofLevel.reduce((sum, table) => sum + table.bytes, 0);
    const below = ofLevel.reduce((sum, t) => sum + t.entries.filter((e) => e.kind === 'table').length, 0);
    links += below;
    mapped += BigInt(blocks + pages) * (ofLevel[0]?.entrySize ?? 0n);
    rows.push([String(level), ...[here, bytes, below, blocks, pages].map(count)]);
  }
  const blocks = byLevel.reduce((sum, level) => sum + level.blocks, 0);
  rows.push(['all', ...[n, tableBytes, links, blocks, leaves - blocks].map(count)]);
  rows.push([`${roughSize(mapped)} mapped by ${count(leaves)} leaves`]);
  return rows;
}

/** `ttbr 0x80000000 · tcr ips 5 tg 0 …` in Linux's form, then each hardware register with all its digits. */
export function registerRows({ cfg, hardware }: Registers, stage: 1 | 2): string[][] {
  const linux = Object.entries(cfg).map(([name, value]) => [
    name,
    typeof value === 'bigint'
      ? hex(value)
      : Object.entries(value)
          .map(([field, n]) => `${field} ${n}`)
          .join(', '),
  ]);
  const rows = [[`Linux io_pgtable_cfg, stage ${stage}`], ...indent(linux)];
  return [...rows, ...hardwareRows(hardware)];
}

/** Each hardware register with all its digits, under the name of the regime. */
export function hardwareRows({
  regime,
  registers,
}: {
  readonly regime: string;
  readonly registers: Registers['hardware']['registers'];
}): string[][] {
  return [[`hardware, regime ${regime}`], ...indent(Object.entries(registerWords(registers)))];
}

/** Register values with all their digits. */
export function registerWords(registers: Registers['hardware']['registers']): Record<string, string> {
  return Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, hexWord(value)]));
}

function indent(rows: readonly string[][]): string[][] {
  return rows.map(([name, ...rest]) => [`  ${name}`, ...rest]);
}
