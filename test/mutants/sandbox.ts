/** A copy of the tree in a temporary folder: where a mutant can be written and its tests run, while the tree itself stays as it is. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What tests need of the tree. What they only read is linked. */
const COPIED = ['src', 'formats', 'test', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const LINKED = ['node_modules', 'fixtures'];
/** A mutant may loop for ever. */
const TIMEOUT_MS = 600_000;

/** How a run of tests ended: which tests failed; or why there is no such list. */
export interface Outcome {
  readonly failed: readonly string[];
  /** The run came to an end, and every test file could be loaded. */
  readonly ran: boolean;
  /** It was stopped, since it went on and on. */
  readonly timedOut: boolean;
  readonly output: string;
}

interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export class Sandbox {
  readonly #folder: string;

  constructor(root: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'lpae-mutants-'));
    for (const name of COPIED) cpSync(join(root, name), join(this.#folder, name), { recursive: true });
    for (const name of LINKED) symlinkSync(join(root, name), join(this.#folder, name));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  write(file: string, source: string): void {
    writeFileSync(join(this.#folder, file), source);
  }

  /** Runs test files, all of them or (`bail`) up to the first test that fails, in so many processes. */
  async run(
    tests: readonly string[],
    { bail, workers }: { readonly bail: boolean; readonly workers: number },
  ): Promise<Outcome> {
    const report = join(this.#folder, 'report.json');
    rmSync(report, { force: true });
    const flags = ['--reporter=json', `--outputFile=${report}`, '--no-cache', `--maxWorkers=${workers}`];
    const args = ['node_modules/vitest/vitest.mjs', 'run', ...flags, ...(bail ? ['--bail=1'] : []), ...tests];
    return { ...(await this.#node(args)), ...outcomeOf(report) };
  }

  /** Runs Node in the folder. */
  #node(args: readonly string[]): Promise<Pick<Outcome, 'output' | 'timedOut'>> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, args, {
        cwd: this.#folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: TIMEOUT_MS,
        killSignal: 'SIGKILL',
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
        });
      }
      child.on('close', (_, signal) => resolve({ output, timedOut: signal === 'SIGKILL' }));
    });
  }
}

function outcomeOf(report: string): Pick<Outcome, 'failed' | 'ran'> {
  let text: string;
  try {
    text = readFileSync(report, 'utf8');
  } catch {
    return { failed: [], ran: false };
  }
  const { testResults } = JSON.parse(text) as Report;
  const failed = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  );
  // A file that can't be loaded has failed without a test.
  const loaded = testResults.every(
    ({ status, assertionResults }) => status === 'passed' || assertionResults.length > 0,
  );
  return { failed, ran: loaded };
}
