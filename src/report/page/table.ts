/** Tables of a report: a caption, column heads, numbers aligned to the right, in a box that scrolls on a narrow page. */
import { type Html, type HtmlPart, html } from './html.ts';

export interface Column<Row> {
  readonly head: string;
  /** Whether the column holds numbers, which are aligned to the right. */
  readonly number?: boolean;
  readonly cell: (row: Row) => HtmlPart;
}

/** Makes a table. The first column is the heading of its row. */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Html {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ head, number }) => html`<th scope="col"${classOf(number)}>${head}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${columns.map((column, i) => cellOf(column, row, i))}</tr>\n`)}</tbody>
</table></div>`;
}

function cellOf<Row>({ number, cell }: Column<Row>, row: Row, index: number): Html {
  if (index === 0) return html`<th scope="row">${cell(row)}</th>`;
  return html`<td${classOf(number)}>${cell(row)}</td>`;
}

function classOf(number: boolean | undefined): Html | false {
  return number === true && html` class="n"`;
}
