/** Colours by meaning: one name for each kind of thing, chosen once per stream. */
import { styleText } from 'node:util';

export const COLOR_WHEN = ['auto', 'always', 'never'] as const;
export type ColorWhen = (typeof COLOR_WHEN)[number];

type Paint = (text: string) => string;
type Colour = Extract<Parameters<typeof styleText>[0], string>;

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

// One format per call: with an array, Node 20's styleText ignores its own checks of the stream.
const painter =
  (on: boolean) =>
  (colour: Colour): Paint =>
    on ? (text) => (text === '' ? '' : styleText(colour, text, { validateStream: false })) : (text) => text;

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
