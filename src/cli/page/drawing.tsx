/** A drawing of the library in the page. Its text is escaped where it is made. */
import { withoutStyle } from '../../draw/svg.ts';

export function Drawing({ svg, label }: { readonly svg: string; readonly label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="drawing" tabIndex={0} aria-label={label}>
      <div dangerouslySetInnerHTML={{ __html: withoutStyle(svg) }} />
    </section>
  );
}
