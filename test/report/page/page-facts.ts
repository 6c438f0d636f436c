/** Questions to a page that is open in a browser: does it fit, does text lie on text, does it lead anywhere. Expressions, run in the page. */

/** Widest that anything is, beyond what the window shows. */
export const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

/** Texts of drawings that stick out of them, or lie on one another; in pixels of the page. What is folded away has no place. */
export const TEXT_MISPLACED = `(() => {
  const found = [];
  for (const svg of document.querySelectorAll('svg')) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].map((text) => ({ says: text.textContent, box: text.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0);
    for (const { says, box } of texts) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) {
        found.push(svg.getAttribute('aria-label') + ': ' + says + ' sticks out');
      }
    }
    for (const [i, a] of texts.entries()) {
      for (const b of texts.slice(i + 1)) {
        const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        // Boxes have room above and below their letters.
        if (wide > 1.5 && high > Math.min(a.box.height, b.box.height) * 0.4) {
          found.push(svg.getAttribute('aria-label') + ': ' + a.says + ' lies on ' + b.says);
        }
      }
    }
  }
  return found;
})()`;

/** Links that lead to nothing of the page. */
export const DEAD_LINKS = `[...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))
  .filter((href) => !href.startsWith('#') || document.getElementById(href.slice(1)) === null)`;

/** Unfolds all that is folded. */
export const UNFOLD = `document.querySelectorAll('details').forEach((one) => { one.open = true; })`;

/** The colours behind the page and behind its first drawing. */
export const BACKGROUNDS = `[getComputedStyle(document.body).backgroundColor,
  getComputedStyle(document.querySelector('svg .lpae-page')).fill]`;
