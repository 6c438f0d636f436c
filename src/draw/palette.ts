/** The colours of all drawings, light and dark, and the stylesheet that every SVG carries. Colour-blind readers can tell them apart too. */

/** One hue in two shades: for areas behind text, and for lines and marks on the page. */
export interface Hue {
  readonly fill: string;
  readonly ink: string;
}

export interface Scheme {
  readonly page: string;
  readonly text: string;
  readonly faint: string;
  readonly line: string;
  readonly hues: Readonly<Record<HueName, Hue>>;
}

export const HUE_NAMES = ['blue', 'orange', 'green', 'pink', 'yellow', 'violet', 'red', 'grey'] as const;
export type HueName = (typeof HUE_NAMES)[number];

export const LIGHT: Scheme = {
  page: '#ffffff',
  text: '#1b1f24',
  faint: '#57606a',
  line: '#b4bcc6',
  hues: {
    blue: { fill: '#b3d4f5', ink: '#0067b0' },
    orange: { fill: '#fbd3a0', ink: '#a85800' },
    green: { fill: '#8ed9b4', ink: '#00785a' },
    pink: { fill: '#f3c6e0', ink: '#a83f80' },
    yellow: { fill: '#f8ee8f', ink: '#7a6a00' },
    violet: { fill: '#d5cbf7', ink: '#5b45b0' },
    red: { fill: '#f79f86', ink: '#b83a10' },
    grey: { fill: '#dde1e6', ink: '#57606a' },
  },
};

export const DARK: Scheme = {
  page: '#11161c',
  text: '#eef2f6',
  faint: '#a3afbb',
  line: '#4a5561',
  hues: {
    blue: { fill: '#12508a', ink: '#5ab4f5' },
    orange: { fill: '#80500f', ink: '#f2aa45' },
    green: { fill: '#066447', ink: '#3fcf9f' },
    pink: { fill: '#7a3362', ink: '#ea90c8' },
    yellow: { fill: '#746a00', ink: '#e8da4c' },
    violet: { fill: '#4a3c96', ink: '#b0a0f8' },
    red: { fill: '#8c1f10', ink: '#f8896a' },
    grey: { fill: '#39424c', ink: '#a3afbb' },
  },
};

// No quotes, so that the stylesheet needs no escaping in XML or HTML.
const SANS = 'system-ui,-apple-system,Segoe UI,Roboto,DejaVu Sans,sans-serif';
const MONO = 'ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace';

/**
 * The stylesheet. Names begin with `lpae-`, and it is the same in every drawing, so that one page can hold several. The scheme is
 * the reader's. `data-theme="light"` or `"dark"` on an element around a drawing overrides it.
 */
export function stylesheet(): string {
  return [
    `.lpae-draw{${variables(LIGHT)}}`,
    `@media (prefers-color-scheme:dark){.lpae-draw{${variables(DARK)}}}`,
    `[data-theme=light] .lpae-draw{${variables(LIGHT)}}`,
    `[data-theme=dark] .lpae-draw{${variables(DARK)}}`,
    `.lpae-draw text{font-family:${SANS};font-variant-numeric:tabular-nums;${paint('fill', 'text', LIGHT.text)}}`,
    `.lpae-draw .lpae-mono{font-family:${MONO}}`,
    '.lpae-draw .lpae-bold{font-weight:600}',
    `.lpae-draw .lpae-faint{${paint('fill', 'faint', LIGHT.faint)}}`,
    `.lpae-page{${paint('fill', 'page', LIGHT.page)}}`,
    `.lpae-cell{${paint('stroke', 'page', LIGHT.page)}stroke-width:1}`,
    `.lpae-line{fill:none;${paint('stroke', 'line', LIGHT.line)}}`,
    `.lpae-hatch{fill:none;${paint('stroke', 'faint', LIGHT.faint)}stroke-opacity:.45}`,
    ...HUE_NAMES.flatMap((name) => {
      const { fill, ink } = LIGHT.hues[name];
      return [
        `.lpae-f-${name}{${paint('fill', name, fill)}}`,
        `.lpae-i-${name}{${paint('fill', `${name}-ink`, ink)}}`,
        `.lpae-s-${name}{fill:none;${paint('stroke', `${name}-ink`, ink)}}`,
      ];
    }),
  ].join('\n');
}

function variables({ page, text, faint, line, hues }: Scheme): string {
  const plain = Object.entries({ page, text, faint, line });
  const named = HUE_NAMES.flatMap((name) => [
    [name, hues[name].fill],
    [`${name}-ink`, hues[name].ink],
  ]);
  return [...plain, ...named].map(([name, colour]) => `--lpae-${name}:${colour}`).join(';');
}

/** Declares a colour twice: programs without custom properties ignore the second declaration and draw the light scheme. */
function paint(property: 'fill' | 'stroke', variable: string, colour: string): string {
  return `${property}:${colour};${property}:var(--lpae-${variable});`;
}
