/** Colours by meaning: one name for each kind of thing, chosen once per stream. */

export const COLOR_WHEN = ['auto', 'always', 'never'] as const;
export type ColorWhen = (typeof COLOR_WHEN)[number];

type Paint = (text: string) => string;

/** How a terminal switches each on and off. (ECMA-48 8.3.117, SGR; the bright colours are what all terminals have beside it.) */
const SGR = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  redBright: [91, 39],
  greenBright: [92, 39],
  yellowBright: [93, 39],
  blueBright: [94, 39],
  magentaBright: [95, 39],
  cyanBright: [96, 39],
} as const;
type Colour = keyof typeof SGR;

/** How each kind of thing looks. */
export interface Style {
  readonly title: Paint;
  readonly table: Paint;
  readonly leaf: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warn: Paint;
  readonly faint: Paint;
  /** The same colour for the same number: fields of a descriptor. */
  readonly nth: (index: number) => Paint;
}

const FIELD_COLOURS: readonly Colour[] = [
  'cyan',
  'yellow',
  'green',
  'magenta',
  'blue',
  'red',
  'cyanBright',
  'yellowBright',
  'greenBright',
  'magentaBright',
  'blueBright',
  'redBright',
];

const painter =
  (on: boolean) =>
  (colour: Colour): Paint => {
    const [start, end] = SGR[colour];
    return (text) => (on && text !== '' ? `\x1b[${start}m${text}\x1b[${end}m` : text);
  };

/** The style of text in a terminal: with escape sequences for colours, or plain if `on` is false. */
export function makeStyle(on: boolean): Style {
  const paint = painter(on);
  return {
    title: paint('bold'),
    table: paint('cyan'),
    leaf: paint('green'),
    good: paint('green'),
    bad: paint('red'),
    warn: paint('yellow'),
    faint: paint('dim'),
    nth: (index) => paint(FIELD_COLOURS[index % FIELD_COLOURS.length]!),
  };
}

/** NO_COLOR (https://no-color.org) has an effect when it is not empty. */
export function wantsColour(
  when: ColorWhen,
  stream: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (when !== 'auto') return when === 'always';
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}
