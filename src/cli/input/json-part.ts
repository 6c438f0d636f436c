/** A part of a JSON document with its path, so that a complaint says where: `request.json: ops[3].iova: …`. */

import { inputError } from '../io.ts';
import { ADDRESS_HINT, readAddress } from './address.ts';

export class JsonPart {
  readonly value: unknown;
  readonly path: string;
  readonly #source: string;

  /** @param source - the file's name. */
  constructor(value: unknown, source: string, path = '') {
    this.value = value;
    this.path = path;
    this.#source = source;
  }

  get isPresent(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** Ends with an error that names this part. */
  fail(message: string, hint?: string): never {
    throw inputError(`${this.#source}: ${this.path || 'the document'} ${message}`, hint);
  }

  #wanted(what: string, hint?: string): never {
    const found = this.value === undefined ? 'missing' : (JSON.stringify(this.value) ?? '?');
    const shown = found.length > 40 ? `${found.slice(0, 40)}…` : found;
    return this.fail(`must be ${what}, but is ${shown}`, hint);
  }

  get isObject(): boolean {
    return typeof this.value === 'object' && this.value !== null && !Array.isArray(this.value);
  }

  get isArray(): boolean {
    return Array.isArray(this.value);
  }

  /** The member of that name; a part without value where there is none. */
  get(key: string): JsonPart {
    if (!this.isObject) this.#wanted('an object');
    const members = this.value as Record<string, unknown>;
    const path = this.path === '' ? key : `${this.path}.${key}`;
    return new JsonPart(Object.hasOwn(members, key) ? members[key] : undefined, this.#source, path);
  }

  /** Refuses members that nobody would read: they are mostly spelling mistakes. */
  allowKeys(known: readonly string[]): this {
    if (!this.isObject) this.#wanted('an object');
    for (const key of Object.keys(this.value as object)) {
      if (!known.includes(key)) this.get(key).fail('is not known here', `known are ${known.join(', ')}`);
    }
    return this;
  }

  items(): JsonPart[] {
    if (!Array.isArray(this.value)) this.#wanted('a list');
    return (this.value as unknown[]).map((item, i) => new JsonPart(item, this.#source, `${this.path}[${i}]`));
  }

  string(): string {
    return typeof this.value === 'string' ? this.value : this.#wanted('a string');
  }

  boolean(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.#wanted('true or false');
  }

  oneOf<T extends string>(names: readonly T[]): T {
    const found = names.find((name) => name === this.value);
    return found ?? this.#wanted(`one of ${names.join(', ')}`);
  }

  /** A whole number from `min` to `max`. */
  integer(min: number, max: number): number {
    const { value } = this;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.#wanted(`a whole number from ${min} to ${max}`);
  }

  /** An address or size: a string as on the command line, or a number that JSON holds exactly. */
  address(): bigint {
    const { value } = this;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
    const address = typeof value === 'string' ? readAddress(value) : undefined;
    return address ?? this.#wanted('an address or size of at most 64 bits', ADDRESS_HINT);
  }
}
