/** The recipes of docs/recipes.md: their files in a folder, their commands run there, with `lpae` being this checkout. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/public-api.ts';

/** What came of a recipe's commands. */
export interface RecipeRun {
  readonly code: number | null;
  readonly out: string;
}

export class Recipe {
  readonly folder = mkdtempSync(join(tmpdir(), 'lpae-recipe-'));
  /** Commands, block by block. */
  readonly #commands: readonly string[];

  /** @param title - the heading of its section. */
  constructor(title: string) {
    const page = readFileSync(join(ROOT, 'docs/recipes.md'), 'utf8');
    const section = page.split(/^## /m).find((text) => text.startsWith(`${title}\n`));
    if (section === undefined) throw new Error(`no recipe '${title}'`);
    const blocks = [...section.matchAll(/^```(\S+)(?: (\S+))?\n([\s\S]*?)^```/gm)];
    for (const [, , name, text = ''] of blocks) if (name !== undefined) this.write(name, text);
    this.#commands = blocks.flatMap(([, kind, , text = '']) => (kind === 'sh' ? [text] : []));
    this.write('lpae', `#!/bin/sh\nexec '${ROOT}/node_modules/.bin/tsx' '${ROOT}/src/cli/main.ts' "$@"\n`);
    chmodSync(join(this.folder, 'lpae'), 0o755);
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'));
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  write(name: string, text: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Replaces text of a file, which must be there once. */
  replace(name: string, from: string, to: string): void {
    const text = this.read(name);
    if (text.split(from).length !== 2) throw new Error(`${name} has no '${from}', or several`);
    this.write(name, text.replace(from, to));
  }

  /** Runs its commands, the first that fails being the last. */
  run(env: Readonly<Record<string, string>> = {}): RecipeRun {
    if (this.#commands.length === 0) throw new Error('a recipe without commands');
    return this.shell(this.#commands.join('\n'), env);
  }

  shell(commands: string, env: Readonly<Record<string, string>> = {}): RecipeRun {
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', commands], {
      cwd: this.folder,
      encoding: 'utf8',
      env: { ...process.env, ...env, PATH: `${this.folder}:${process.env.PATH ?? ''}` },
    });
    return { code: status, out: `${stdout}${stderr}` };
  }
}
