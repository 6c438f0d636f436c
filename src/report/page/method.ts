/** How a report's numbers were measured, what its words mean, and how to make it again. */
import { html } from './html.ts';
import type { Section } from './section.ts';

const WORDS: readonly (readonly [string, string])[] = [
  ['granule', 'The smallest page of the IOMMU: 4K, 16K or 64K. The larger page sizes follow from it.'],
  [
    'sizes',
    'Only pages; blocks too; or contiguous runs as well, which are 16, 32 or 128 entries that a TLB may hold as one.',
  ],
  [
    'stage',
    "Only stage 1, only stage 2, or nested: a guest's stage 1, whose addresses and tables are translated by stage 2.",
  ],
  ['leaf', 'A descriptor, or a contiguous run of them, that maps memory; L2×16 is a run of 16 at level 2.'],
  [
    'reads per miss',
    'Descriptors that a walk reads from memory with nothing cached, for a leaf of each kind.',
  ],
  ['reach', 'The most bytes that the entries of a TLB covered at one time.'],
];

/** @param command - the command that makes the same report. */
export function methodSection(command: string): Section {
  return {
    id: 'method',
    title: 'How this was made',
    body: html`<p>Every combination was carried out: map_sg wrote the descriptors, as Linux 6.12 would (exactly what was asked, in the
largest leaves that fit), into tables with 48-bit input and output addresses. An independent walker, which shares no code with the one that wrote
them, read them back and counted. When nested, stage 2 maps the guest&#39;s RAM in the largest leaves that are offered.</p>
<p>For the same report:</p>
<pre tabindex="0">${command}</pre>
<h3>Words</h3>
<dl>${WORDS.map(([word, text]) => html`<dt>${word}</dt><dd>${text}</dd>\n`)}</dl>`,
  };
}
