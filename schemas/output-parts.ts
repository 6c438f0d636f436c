/** The parts that outputs of several commands have in common. */
import * as v from 'valibot';
import type { Kind } from './files.ts';

const HEX = 'a number in hexadecimal: JSON numbers are exact to 2^53 only';
export const hex = v.pipe(v.string(), v.regex(/^0x[0-9a-f]+$/), v.description(HEX));
export const said = <T extends v.GenericSchema>(schema: T, description: string) =>
  v.pipe(schema, v.description(description));
export const text = v.string();
export const texts = v.array(text);
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const whole = v.pipe(v.number(), v.integer());
export const fraction = v.number();
export const level = said(whole, "Arm's number, -1 to 3");
export const flag = v.boolean();
export const maybe = v.optional;
export const some = v.looseObject;
export const list = v.array;

/** What stderr says too, and with `--json` alone which registers are not read. */
export const notes = said(texts, 'what was assumed, and what has no part in the answer');
/** A Security state, and a PA space. */
export const security = said(text, 'Secure, Non-secure, Realm or Root');
export const entries = said(v.record(v.string(), hex), 'descriptors by index');
export const table = some({ stage: maybe(whole), pa: hex, level, entries });
export const error = some({
  code: text,
  errno: whole,
  message: text,
  operands: maybe(
    said(
      some({
        iova: maybe(hex),
        pa: maybe(hex),
        size: maybe(hex),
        pageSize: maybe(hex),
        level: maybe(level),
        entry: maybe(count),
        alignment: maybe(hex),
      }),
      'what the request was about',
    ),
  ),
});
/** A field of a register or record, with its value. */
export const fields = list(
  some({
    name: text,
    bits: text,
    value: hex,
    meaning: text,
    text: maybe(said(text, 'what the value means')),
  }),
);

/** A document of `lpae.<kind>/1`. */
export const document = <T extends v.ObjectEntries>(kind: string, members: T) =>
  some({ schema: v.literal(`lpae.${kind}/1`), ...members });

/** An output by its command. */
export const output = (command: string, schema: v.GenericSchema, name = command): Kind => ({
  name: `output-${name}`,
  title: `lpae ${command} --json`,
  description: `What lpae ${command} prints with --json. See docs/json-output.md.`,
  schema,
});
