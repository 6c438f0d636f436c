/** `npm run mutants [-- --only=NAME --jobs=N]`: writes one mutant at a time into a copy of the tree and runs the tests that must see it. Exit code 1 unless all are killed. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MUTANTS } from './list/index.ts';
import { type Mutant, mutated } from './mutant.ts';
import { type Outcome, Sandbox } from './sandbox.ts';

type Verdict = 'killed' | 'survived' | 'does not run' | 'not applicable';

/** Limits of time: for all tests without a mutant, and for the tests of one mutant. */
const ALL_TESTS_MINUTES = 60;
const MUTANT_MINUTES = 10;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    jobs: { type: 'string', default: String(Math.max(1, availableParallelism() >> 1)) },
  },
});
const jobs = Number(values.jobs);
if (!Number.isInteger(jobs) || jobs < 1) usage(`--jobs is a number of at least 1, not '${values.jobs}'`);
const unknown = values.only.find((name) => !MUTANTS.some((mutant) => mutant.name === name));
if (unknown !== undefined) usage(`there is no mutant '${unknown}'; their names are in test/mutants/list`);

const mutants = MUTANTS.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
const counts = new Map<Verdict, number>();
const sandboxes = Array.from({ length: Math.min(jobs, mutants.length) }, () => new Sandbox(ROOT));
process.once('SIGINT', () => {
  removeSandboxes();
  process.exit(130);
});
try {
  process.exitCode = (await testsPass(sandboxes[0]!)) && (await allKilled()) ? 0 : 1;
} finally {
  removeSandboxes();
}

function usage(message: string): never {
  console.error(message);
  process.exit(2);
}

function removeSandboxes(): void {
  for (const sandbox of sandboxes) sandbox.remove();
}

/** Tests that fail without a mutant would kill every one. */
async function testsPass(sandbox: Sandbox): Promise<boolean> {
  const tests = [...new Set(mutants.flatMap((mutant) => mutant.tests))];
  const { failed, ran, output, timedOut } = await sandbox.run(tests, {
    bail: false,
    workers: jobs,
    minutes: ALL_TESTS_MINUTES,
  });
  if (timedOut) {
    console.error(
      `without a mutant the tests take more than ${ALL_TESTS_MINUTES} minutes; is the machine busy?`,
    );
    return false;
  }
  if (ran && failed.length === 0) return true;
  console.error(`the tests fail without a mutant:\n${failed.join('\n') || output}`);
  return false;
}

async function allKilled(): Promise<boolean> {
  const queue = [...mutants];
  await Promise.all(
    sandboxes.map(async (sandbox) => {
      for (let mutant = queue.shift(); mutant; mutant = queue.shift()) await judge(sandbox, mutant);
    }),
  );
  const verdicts = [...counts].map(([verdict, count]) => `${count} ${verdict}`);
  console.log(`${mutants.length} mutants: ${verdicts.join(', ')}`);
  return counts.get('killed') === mutants.length;
}

async function judge(sandbox: Sandbox, mutant: Mutant): Promise<void> {
  const [verdict, detail] = await verdictOn(sandbox, mutant);
  counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  console.log(`${verdict.padEnd(14)}  ${mutant.name}: ${mutant.breaks}`);
  if (verdict !== 'killed') console.log(detail);
}

async function verdictOn(sandbox: Sandbox, mutant: Mutant): Promise<[Verdict, string]> {
  const source = sandbox.read(mutant.file);
  let changed: string;
  try {
    changed = mutated(source, mutant);
  } catch (error) {
    return ['not applicable', `  ${(error as Error).message}`];
  }
  sandbox.write(mutant.file, changed);
  try {
    return verdictFrom(
      await sandbox.run(mutant.tests, { bail: true, workers: 1, minutes: MUTANT_MINUTES }),
      mutant,
    );
  } finally {
    sandbox.write(mutant.file, source);
  }
}

/** A test must have failed: a mutant that is no program proves nothing. One that never ends is taken for killed. */
function verdictFrom({ failed, ran, output, timedOut }: Outcome, { tests }: Mutant): [Verdict, string] {
  if (failed.length > 0 || timedOut) return ['killed', ''];
  return ran ? ['survived', `  no test of ${tests.join(', ')} fails`] : ['does not run', `  ${output}`];
}
