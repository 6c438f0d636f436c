/** The template that pages are made with: text stays text. */
import { expect, test } from 'vitest';
import { Html, html } from '../../../src/report/page/html.ts';
import { table } from '../../../src/report/page/table.ts';

test.each([
  ['text', '<b> & "c" \'d\'', '&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;'],
  ['numbers', 1024, '1024'],
  ['nothing', undefined, ''],
  ['what is not the case', false, ''],
  ['zero', 0, '0'],
  ['lists', ['<', html`<i>x</i>`, 2, undefined], '&lt;<i>x</i>2'],
  ['markup', new Html('<br>'), '<br>'],
] as const)('%s', (_, value, expected) => {
  expect(html`<p>${value}</p>`.markup).toBe(`<p>${expected}</p>`);
});

test('tables name their columns and rows, and escape what they hold', () => {
  const { markup } = table(
    'A & B',
    [
      { head: '<n>', cell: (n: number) => `<${n}>` },
      { head: 'twice', number: true, cell: (n) => 2 * n },
    ],
    [1, 2],
  );
  expect(markup).toContain('<caption>A &amp; B</caption>');
  expect(markup).toContain('<th scope="col">&lt;n&gt;</th><th scope="col" class="n">twice</th>');
  expect(markup).toContain('<th scope="row">&lt;1&gt;</th><td class="n">2</td>');
});
