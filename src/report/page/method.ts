/** How a report's numbers came about, what its words mean, and how to make it again. */
import { html } from './html.ts';
import type { Section } from './section.ts';

const WORDS: readonly (readonly [string, string])[] = [
  ['granule', 'The smallest page of the IOMMU: 4K, 16K or 64K. The larger ones follow from it.'],
  [
    'sizes',
    'Pages alone; blocks too; or contiguous runs as well, which are 16, 32 or 128 entries that a TLB may hold as one.',
  ],
  [
    'stage',
    "Stage 1 or stage 2 alone, or nested: a guest's stage 1, whose addresses and tables stage 2 translates.",
  ],
  ['leaf', 'A descriptor, or a contiguous run of them, that maps memory; L2×16 is a run of 16 at level 2.'],
  [
    'reads of a miss',
    'Descriptors that a walk reads from memory with nothing cached, for a leaf of each kind.',
  ],
  ['reach', 'The bytes that the entries of a TLB covered when it was most.'],
];

/** @param command - what to type for the same report. */
export function methodSection(command: string): Section {
  return {
    id: 'method',
    title: 'How this was made',
    body: html`<p>Every combination was carried out: map_sg wrote the descriptors, as Linux 6.12 would (exactly what was asked, in the
largest leaves that fit), into tables with 48 bits of input and output. An independent walker, which shares no code with what wrote
them, read them back and counted. Nested, stage 2 maps the guest&#39;s RAM in the largest leaves that are offered.</p>
<p>For the same report:</p>
<pre tabindex="0">${command}</pre>
<h3>Words</h3>
<dl>${WORDS.map(([word, text]) => html`<dt>${word}</dt><dd>${text}</dd>\n`)}</dl>`,
  };
}
