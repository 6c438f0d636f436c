/** A command's output: lines and JSON documents to stdout, notes to stderr, and the exit code. */
import type { Command } from 'commander';
import { hex } from '../text/numbers.ts';
import { type ColorWhen, makeStyle, type Style, wantsColour } from '../text/style.ts';
import type { CliIo } from './io.ts';

/** The options of every command. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly color: ColorWhen;
}

export class Output {
  readonly io: CliIo;
  readonly json: boolean;
  readonly style: Style;

  constructor(io: CliIo, options: GlobalOptions) {
    this.io = io;
    this.json = options.json === true;
    this.style = makeStyle(wantsColour(options.color, io.stdout, io.env));
  }

  line(text = ''): void {
    this.io.stdout.write(`${text}\n`);
  }

  lines(texts: Iterable<string>): void {
    for (const text of texts) this.line(text);
  }

  heading(text: string): void {
    this.line(this.style.title(text));
  }

  /** One document. Bigints become `"0x…"` strings, since JSON numbers lose bits above 2^53. */
  document(schema: string, value: object): void {
    const text = JSON.stringify(
      { schema, ...value },
      (_, v: unknown) => (typeof v === 'bigint' ? hex(v) : v),
      2,
    );
    this.line(text);
  }

  note(text: string): void {
    this.io.stderr.write(`lpae: ${text}\n`);
  }
}

/** What a command module gets: its output, and a place for its exit code. */
export interface Cli {
  readonly io: CliIo;
  exitCode: number;
  output(command: Command): Output;
  /** The whole program, every command defined. */
  program(): Promise<Command>;
  /** What its help says below its lists. */
  readonly afterHelp: string;
}
