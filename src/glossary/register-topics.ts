/** The topics for registers and structures, and for each field with every register that has it. */
import { bitRange, type Field } from '../descriptor/index.ts';
import { bareName, type FieldPlace } from './descriptor-fields.ts';
import { fieldOf } from './fault-topics.ts';
import type { RegisterLayout } from './register.ts';
import { REGISTER_SENTENCES } from './register-sentences.ts';
import { REGISTERS } from './registers.ts';
import type { Topic } from './topic.ts';

export function registerTopics(): Topic[] {
  return [...declaredTopics(), ...sentenceTopics()];
}

function declaredTopics(): Topic[] {
  return REGISTERS.map((register) => ({
    name: register.name,
    group: 'register',
    aliases: register.aliases ?? [],
    summary: `${register.title}.`,
    reference: register.reference,
    fields: register.fields.map(fieldOf),
  }));
}

/** Topics for registers that are not declared with their fields. */
function sentenceTopics(): Topic[] {
  return REGISTER_SENTENCES.map(({ name, levels, says }) => {
    const [first = name, ...others] = [...levels].map((level) => `${name}_EL${level}`);
    return {
      name: first,
      group: 'register',
      aliases: first === name ? others : [name, ...others],
      summary: says,
      reference: 'DDI 0487 D24.2',
    };
  });
}

/** `TG0`, with its place in TCR_EL1, TCR_EL2, VTCR_EL2 and CD: encodings may differ. */
export function registerFieldTopics(): Topic[] {
  const found = new Map<string, { places: FieldPlace[]; aliases: string[] }>();
  for (const register of REGISTERS) {
    for (const field of register.fields) {
      const name = bareName(field.name);
      const topic = found.get(name) ?? { places: [], aliases: [] };
      topic.places.push(placeOf(register, field));
      topic.aliases.push(...[register.name, ...(register.aliases ?? [])].map((one) => `${one}.${name}`));
      found.set(name, topic);
    }
  }
  return [...found].map(([name, { places, aliases }]) => ({
    name,
    group: 'register field',
    aliases: [...new Set(aliases)],
    summary: `Of ${[...new Set(places.map(({ where }) => where))].join(', ')}.`,
    places,
  }));
}

function placeOf({ name }: RegisterLayout, field: Field): FieldPlace {
  return {
    bits: bitRange(field),
    where: name,
    meaning: field.meaning,
    ...(field.values !== undefined && { values: field.values }),
    reference: field.reference,
  };
}
