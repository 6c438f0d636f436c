/** A copy of the tree in a temporary folder: where a mutant can be written and its tests run, while the tree itself stays as it is. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What tests need of the tree. What they only read is linked. */
const COPIED = [
  'src',
  'formats',
  'schemas',
  'test',
  'docs',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];
const LINKED = ['node_modules', 'fixtures'];

/** How a run of tests ended: which tests failed; or why there is no such list. */
export interface Outcome {
  readonly failed: readonly string[];
  /** The run ended, and every test file could be loaded. */
  readonly ran: boolean;
  /** It was stopped, since it went on and on. */
  readonly timedOut: boolean;
  /** What it said, or why a file could not be loaded. */
  readonly output: string;
}

interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export class Sandbox {
  readonly #folder: string;
  #running: ChildProcess | undefined;

  constructor(root: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'lpae-mutants-'));
    for (const name of COPIED) cpSync(join(root, name), join(this.#folder, name), { recursive: true });
    for (const name of LINKED) symlinkSync(join(root, name), join(this.#folder, name));
  }

  /** Stops what still runs in it, and removes it. */
  remove(): void {
    this.#stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  write(file: string, source: string): void {
    writeFileSync(join(this.#folder, file), source);
  }

  /**
   * Runs test files, all of them or (`bail`) up to the first test that fails, in `workers` processes. After `minutes` it stops: a mutant may
   * loop for ever.
   */
  async run(
    tests: readonly string[],
    {
      bail,
      workers,
      minutes,
    }: { readonly bail: boolean; readonly workers: number; readonly minutes: number },
  ): Promise<Outcome> {
    const report = join(this.#folder, 'report.json');
    rmSync(report, { force: true });
    const flags = ['--reporter=json', `--outputFile=${report}`, '--no-cache', `--maxWorkers=${workers}`];
    const args = ['node_modules/vitest/vitest.mjs', 'run', ...flags, ...(bail ? ['--bail=1'] : []), ...tests];
    const { output, timedOut } = await this.#node(args, minutes);
    const outcome = existsSync(report) ? outcomeOf(readFileSync(report, 'utf8')) : undefined;
    return { failed: [], ran: false, output, timedOut, ...outcome };
  }

  /** Runs Node in the folder. */
  #node(args: readonly string[], minutes: number): Promise<Pick<Outcome, 'output' | 'timedOut'>> {
    return new Promise((resolve) => {
      // A process group of its own, since tests run in processes that the first one starts.
      const child = spawn(process.execPath, args, {
        cwd: this.#folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      this.#running = child;
      let output = '';
      let timedOut = false;
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      }
      const timer = setTimeout(() => {
        timedOut = true;
        this.#stop();
      }, minutes * 60_000);
      child.on('close', () => {
        clearTimeout(timer);
        this.#running = undefined;
        resolve({ output, timedOut });
      });
    });
  }

  #stop(): void {
    if (this.#running?.pid !== undefined) process.kill(-this.#running.pid, 'SIGKILL');
    this.#running = undefined;
  }
}

function outcomeOf(report: string): Pick<Outcome, 'failed' | 'ran'> & Partial<Outcome> {
  const { testResults } = JSON.parse(report) as Report;
  const failed = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  );
  // A file that can't be loaded has failed without a test.
  const unloaded = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  if (unloaded.length === 0) return { failed, ran: true };
  return { failed, ran: false, output: unloaded.map(({ message }) => message).join('\n') };
}
