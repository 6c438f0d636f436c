/** Estimates the width of text from the widest of the usual fonts: text that fits by this estimate fits everywhere. */

/** Widths in em by character, of sans-serif text. A character that is not listed is as wide as it is high. */
const WIDTHS: readonly (readonly [em: number, characters: string])[] = [
  [0.32, "ijl'|"],
  [0.42, 'frtI.,! ·'],
  [0.47, '()[]{}:;-/\\J"*'],
  [0.56, 'csz?`'],
  [0.64, '0123456789abdeghknopquvxyELFPTYZ$_–'],
  [0.72, 'ABCKRSVX'],
  [0.8, 'DGHNOQU'],
  [0.86, 'wM+=<>~×±≥≤→#^&µ'],
];

const EM = new Map(WIDTHS.flatMap(([em, characters]) => [...characters].map((c) => [c, em] as const)));
const MONO_EM = 0.61;
const BOLD = 1.12;
/** From this code point on, characters are as wide as high. */
const FIRST_WIDE = 0x2e80;

export interface TextLook {
  readonly mono?: boolean | undefined;
  readonly bold?: boolean | undefined;
}

/** An upper bound of the width in pixels. @param size - font size in pixels. */
export function textWidth(text: string, size: number, { mono, bold }: TextLook = {}): number {
  let em = 0;
  for (const c of text) em += mono && c.codePointAt(0)! < FIRST_WIDE ? MONO_EM : (EM.get(c) ?? 1);
  return em * size * (bold && !mono ? BOLD : 1);
}

/** `text`, or as much of it as fits before a `…`. Empty if not even a few characters fit. */
export function fitText(text: string, width: number, size: number, look: TextLook = {}): string {
  if (textWidth(text, size, look) <= width) return text;
  const characters = [...text];
  for (let n = characters.length - 1; n >= 3; n--) {
    const short = `${characters.slice(0, n).join('').trimEnd()}…`;
    if (textWidth(short, size, look) <= width) return short;
  }
  return '';
}

/** Breaks text into lines of at most `width` pixels. A word that is wider is cut. */
export function wrapText(text: string, width: number, size: number, look: TextLook = {}): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== undefined && textWidth(`${line} ${word}`, size, look) <= width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(fitText(word, width, size, look));
  }
  return lines;
}

/** The first of several texts that fits, or nothing. */
export function firstFitting(
  texts: readonly string[],
  width: number,
  size: number,
  look: TextLook = {},
): string {
  return texts.find((text) => textWidth(text, size, look) <= width) ?? '';
}
