/**
 * Reads the options that commands declare, for the page's worker: the part of commander that they use, with its rules and its words. The page's
 * build puts it in the place of that package, which is larger than all commands together.
 */

export class CommanderError extends Error {
  readonly exitCode = 1;
}

export class InvalidArgumentError extends Error {}

type Value = string | boolean | readonly string[] | unknown;

export class Option {
  readonly flags: string;
  readonly long: string;
  /** The name in the object of options: `--pa-bits` is `paBits`. */
  readonly attribute: string;
  readonly takes: 'nothing' | 'one' | 'several';
  readonly #negated: boolean;
  value: unknown;
  #parse: ((text: string, before: unknown) => unknown) | undefined;
  #choices: readonly string[] | undefined;
  readonly excluded: string[] = [];

  constructor(flags: string, _about?: string) {
    this.flags = flags;
    this.long = /--[\w-]+/.exec(flags)![0];
    this.takes = flags.includes('...>') ? 'several' : flags.includes('<') ? 'one' : 'nothing';
    this.#negated = this.long.startsWith('--no-');
    const name = this.long.slice(this.#negated ? 5 : 2);
    this.attribute = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    if (this.#negated) this.value = true;
  }

  default(value: unknown): this {
    this.value = value;
    return this;
  }
  choices(values: readonly string[]): this {
    this.#choices = values;
    return this;
  }
  argParser(parse: (text: string, before: unknown) => unknown): this {
    this.#parse = parse;
    return this;
  }
  conflicts(names: string | readonly string[]): this {
    this.excluded.push(...[names].flat());
    return this;
  }
  hideHelp(): this {
    return this;
  }

  /** @throws CommanderError for a value that the option does not take. */
  read(text: string | undefined, before: unknown): Value {
    if (this.takes === 'nothing') return !this.#negated;
    if (text === undefined) throw new CommanderError(`error: option '${this.flags}' argument missing`);
    const refused = (why: string) =>
      new CommanderError(`error: option '${this.flags}' argument '${text}' is invalid. ${why}`);
    if (this.#choices !== undefined && !this.#choices.includes(text)) {
      throw refused(`Allowed choices are ${this.#choices.join(', ')}.`);
    }
    if (this.#parse !== undefined) {
      try {
        return this.#parse(text, before);
      } catch (error) {
        if (error instanceof InvalidArgumentError) throw refused(error.message);
        throw error;
      }
    }
    return this.takes === 'several' ? [...((before as readonly string[] | undefined) ?? []), text] : text;
  }
}

type Action = (...values: never[]) => Promise<void> | void;

/** A command, as its module declares it. */
export class Command {
  readonly #options: Option[] = [];
  readonly #arguments: string[] = [];
  #values: Record<string, unknown> = {};
  #action: Action = () => {};

  argument(spec: string, _about?: string): this {
    this.#arguments.push(spec);
    return this;
  }
  option(flags: string, _about?: string, parse?: (text: string, before: unknown) => unknown): this {
    const option = new Option(flags);
    return this.addOption(typeof parse === 'function' ? option.argParser(parse) : option);
  }
  addOption(option: Option): this {
    this.#options.push(option);
    return this;
  }
  addHelpText(): this {
    return this;
  }
  action(run: Action): this {
    this.#action = run;
    return this;
  }
  optsWithGlobals(): Record<string, unknown> {
    return this.#values;
  }

  /** @throws CommanderError for arguments that were not declared. */
  async parseAsync(argv: readonly string[]): Promise<void> {
    const given = new Set<Option>();
    const rest: string[] = [];
    this.#values = Object.fromEntries(
      this.#options.flatMap(({ attribute, value }) => (value === undefined ? [] : [[attribute, value]])),
    );
    for (let i = 0; i < argv.length; i++) {
      const word = argv[i]!;
      if (word === '--') {
        rest.push(...argv.slice(i + 1));
        break;
      }
      if (!word.startsWith('-') || word.length === 1 || word.startsWith('-@')) {
        rest.push(word);
        continue;
      }
      const [name = '', ...inline] = word.split('=');
      const option = this.#options.find(({ long }) => long === name);
      if (option === undefined) throw new CommanderError(`error: unknown option '${name}'`);
      const before = given.has(option) ? this.#values[option.attribute] : undefined;
      given.add(option);
      if (option.takes === 'nothing') this.#values[option.attribute] = option.read(undefined, before);
      else {
        this.#values[option.attribute] = option.read(
          inline.length > 0 ? inline.join('=') : argv[++i],
          before,
        );
        // Several values of one option follow each other.
        while (option.takes === 'several' && i + 1 < argv.length && !argv[i + 1]!.startsWith('-')) {
          this.#values[option.attribute] = option.read(argv[++i], this.#values[option.attribute]);
        }
      }
    }
    this.#checkConflicts(given);
    await this.#action(...([...this.#placed(rest), this.#values, this] as never[]));
  }

  #checkConflicts(given: ReadonlySet<Option>): void {
    for (const one of given) {
      const other = [...given].find(({ attribute }) => one.excluded.includes(attribute));
      if (other !== undefined)
        throw new CommanderError(`error: option '${one.flags}' cannot be used with option '${other.flags}'`);
    }
  }

  /** The other arguments, at the places that were declared. */
  #placed(rest: readonly string[]): unknown[] {
    const values = this.#arguments.map((spec, i) => {
      const value = spec.includes('...') ? rest.slice(i) : rest[i];
      const missing = value === undefined || value.length === 0;
      if (missing && spec.startsWith('<'))
        throw new CommanderError(`error: missing required argument '${spec.replace(/[<>.]/g, '')}'`);
      return value;
    });
    const most = this.#arguments.at(-1)?.includes('...') ? Infinity : this.#arguments.length;
    if (rest.length > most)
      throw new CommanderError(
        `error: too many arguments. Expected ${most} arguments but got ${rest.length}.`,
      );
    return values;
  }
}
