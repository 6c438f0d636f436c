/** The whole glossary: every topic, and the lookup by name, number or register value. */

import { distance } from '../memory/near-names.ts';
import { descriptorTopics } from './descriptor-topics.ts';
import { eventTopics, faultTopics } from './fault-topics.ts';
import { maintenanceTopics } from './maintenance-topics.ts';
import { normalName } from './names.ts';
import { outputTopics } from './output-topics.ts';
import { registerFieldTopics, registerTopics } from './register-topics.ts';
import type { Topic } from './topic.ts';
import { explainNumber, explainValue } from './values.ts';
import { wordTopics } from './word-topics.ts';

let made: readonly Topic[] | undefined;

/** Every topic, by group. They are made once, from the layouts of all formats. */
export function allTopics(): readonly Topic[] {
  made ??= [
    ...descriptorTopics(),
    ...faultTopics(),
    ...eventTopics(),
    ...registerTopics(),
    ...registerFieldTopics(),
    ...maintenanceTopics(),
    ...wordTopics(),
    ...outputTopics(),
  ];
  return made;
}

const NUMBER = /^0x[0-9a-f]+(?:_[0-9a-f]+)*$/i;
const numberOf = (text: string) => (NUMBER.test(text) ? BigInt(text.replaceAll('_', '')) : undefined);

/**
 * Looks names up: fields, registers, faults, events and values, in upper or lower case, with or without the register (`TCR_EL1.T0SZ`). A register may be followed by a value, which
 * is then decoded. Never throws.
 *
 * @param words - one name made of several words, a name and a value (`0x…`), or several names.
 * @returns the topics, and the words without a topic.
 */
export function lookUp(words: readonly string[]): { topics: Topic[]; unknown: string[] } {
  const whole = find(words.join(' '));
  if (whole.length) return { topics: whole, unknown: [] };
  const topics: Topic[] = [];
  const unknown: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const [word, next] = [words[i]!, words[i + 1]];
    const value = next === undefined ? undefined : numberOf(next);
    const valued = value === undefined ? undefined : explainValue(word, value);
    if (valued !== undefined) i++;
    const found = valued === undefined ? find(word) : [valued];
    if (found.length) topics.push(...found);
    else unknown.push(word);
  }
  return { topics: [...new Set(topics)], unknown };
}

/** All topics for one name, number, or `NAME VALUE`. */
function find(text: string): Topic[] {
  const [, name, digits] = /^(.*?)[\s=:]+(0x[0-9a-f_]+)$/i.exec(text.trim()) ?? [];
  const value = digits === undefined ? undefined : numberOf(digits);
  const valued = name === undefined || value === undefined ? undefined : explainValue(name, value);
  if (valued !== undefined) return [valued];
  const wanted = normalName(text);
  if (wanted === '') return [];
  const number = numberOf(text.trim());
  const exact = called(wanted);
  const named = exact.length > 0 ? exact : ofAnyLevel(wanted);
  return number === undefined ? named : [...explainNumber(number), ...named];
}

/** Topics of one name, in the form that {@link normalName} gives. */
function called(wanted: string): Topic[] {
  return allTopics().filter((topic) =>
    [topic.name, ...topic.aliases].some((one) => normalName(one) === wanted),
  );
}

/** `TCR_ELx` is the register of every exception level; `TCR_EL12` is TCR_EL1, as EL2 names it where E2H = 1. (DDI 0487 D8.14.) */
function ofAnyLevel(wanted: string): Topic[] {
  const [, name, level] = /^(.+)el(x|12|02)$/.exec(wanted) ?? [];
  if (name === undefined || level === undefined) return [];
  const levels = level === 'x' ? ['0', '1', '2', '3'] : level === '12' ? ['1'] : ['0'];
  return [...new Set(levels.flatMap((one) => called(`${name}el${one}`)))];
}

/** Names close to an unknown one, the closest first. */
export function closeNames(word: string, limit = 5): string[] {
  const wanted = normalName(word);
  const near = new Map<string, number>();
  for (const { name, aliases } of allTopics()) {
    for (const candidate of [name, ...aliases]) {
      const normal = normalName(candidate);
      const contained = wanted.length > 2 && normal.includes(wanted);
      const cost = contained ? 1 : distance(wanted, normal);
      const allowed = Math.max(1, Math.floor(wanted.length / 3));
      if (cost <= allowed && cost < (near.get(name) ?? Infinity)) near.set(name, cost);
    }
  }
  return [...near]
    .sort((a, b) => a[1] - b[1] || a[0].length - b[0].length)
    .slice(0, limit)
    .map(([name]) => name);
}
