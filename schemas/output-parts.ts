/** The parts that outputs of several commands have in common. */
import * as v from 'valibot';
import type { Kind } from './files.ts';

const HEX = 'a number in hexadecimal: JSON numbers are exact to 2^53 only';
export const hex = v.pipe(v.string(), v.regex(/^0x[0-9a-f]+$/), v.description(HEX));
export const said = <T extends v.GenericSchema>(schema: T, description: string) =>
  v.pipe(schema, v.description(description));
export const text = v.string();
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const whole = v.pipe(v.number(), v.integer());
export const level = said(whole, "Arm's number, -1 to 3");
export const flag = v.boolean();
export const maybe = v.optional;
export const some = v.looseObject;

export const step = some({
  stage: v.picklist([1, 2]),
  level,
  s1_level: maybe(said(level, 'of stage 2: the level of stage 1 whose table is looked for')),
  table: hex,
  index: count,
  address: said(hex, 'PA of the descriptor'),
  descriptor: v.nullable(hex),
  kind: text,
  output: maybe(hex),
});
/** What a leaf allows and says; in walks and dumps. */
export const attributes = {
  permissions: maybe(some({ privileged: text, unprivileged: text })),
  memory: maybe(text),
  attr: maybe(said(hex, 'the memory type as a byte of MAIR')),
  shareability: maybe(text),
  global: maybe(flag),
  contiguous: maybe(flag),
  guarded: maybe(flag),
};
/** What stderr says too: what was assumed of the machine, which registers are not read. */
export const notes = maybe(said(v.array(text), 'what was assumed, and what has no part in the answer'));
export const derivation = maybe(
  said(some({}), 'what the registers mean: granule, sizes, start level, what is wrong'),
);
export const range = some({
  first: hex,
  last: said(hex, 'the last address inside'),
  size: hex,
  pa: v.nullable(hex),
  leaf_size: hex,
  leaves: count,
  level: maybe(v.nullable(level)),
  ...attributes,
  fault: maybe(some({ kind: text, stage: maybe(whole), level: maybe(level) })),
});
export const entries = said(v.record(v.string(), hex), 'descriptors by index');
export const table = some({ pa: hex, level, entries });
export const side = v.nullable(some({ pa: v.nullable(hex), leaf_size: hex, says: text }));
export const error = some({ code: text, errno: whole, message: text });
export const combination = some({ granule: hex, sizes: text, stage: text });
export const lists = v.array(
  some({
    cpu_page_size: hex,
    requests: count,
    entries: count,
    bytes: hex,
    combinations: v.array(combination),
  }),
);
export const fields = v.array(some({ name: text, bits: text, value: hex, meaning: text }));
export const needed = v.array(
  some({
    from: hex,
    size: v.nullish(hex),
    leaf: flag,
    operations: count,
    tlbi: v.array(some({ operation: text, operand: maybe(hex) })),
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

/** What the DMA layer answered to one operation of a request. */
export const dmaAnswer = some({
  op: v.picklist(['map_sg', 'map_single', 'unmap']),
  ok: flag,
  iova: maybe(hex),
  size: maybe(hex),
  segments: maybe(v.array(some({ address: hex, length: hex, first_entry: count, entries: count }))),
  padding: maybe(said(hex, 'bytes that only keep segments from crossing a boundary')),
  over_mapped: maybe(said(hex, 'bytes that the device can reach beyond the request')),
  unmapped: maybe(hex),
  error: maybe(error),
});
