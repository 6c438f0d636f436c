/** Text in columns, padded by visible width: escape sequences of colours don't count. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with one.
const ESCAPES = /\u001b\[[0-9;]*m/g;

export function visibleWidth(text: string): number {
  return text.replace(ESCAPES, '').length;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - visibleWidth(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - visibleWidth(text))) + text;
}

export interface ColumnOptions {
  /** Columns whose cells end at the right edge. */
  readonly right?: readonly number[];
  readonly indent?: string;
  readonly gap?: string;
}

/** Rows as lines, every column as wide as its widest cell. A row of a single cell is a heading, and makes nothing wider. */
export function columns(rows: readonly (readonly string[])[], options: ColumnOptions = {}): string[] {
  const { right = [], indent = '', gap = '  ' } = options;
  const widths: number[] = [];
  for (const row of rows) {
    if (row.length === 1) continue;
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, visibleWidth(cell));
    });
  }
  return rows.map((row) => {
    const cells = row.map((cell, i) =>
      right.includes(i) ? padStart(cell, widths[i] ?? 0) : padEnd(cell, widths[i] ?? 0),
    );
    return (indent + cells.join(gap)).trimEnd();
  });
}

/** Words in lines of at most `width`. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && visibleWidth(line) + 1 + visibleWidth(word) <= width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
