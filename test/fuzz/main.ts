/** `npm run fuzz [-- --walks=1000000 | --images=10000 | --logs=100000 | --registers=10000] [--seed=N --only=N]`: random memory and registers, damaged image files, damaged logs, or random register and golden files, and what must hold for every answer. (DDI 0487 D8, G5; IHI 0070.) */
import { parseArgs } from 'node:util';
import { Violation } from './check.ts';
import { runDamaged } from './images.ts';
import { runInput } from './inputs.ts';
import { runLog } from './logs.ts';
import { newTally, runMachine, WALKS_PER_MACHINE } from './machine.ts';

function number(text: string, name: string, limit: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > limit) {
    console.error(`--${name} is an integer from 0 to ${limit}, not '${text}'`);
    process.exit(2);
  }
  return value;
}

/** `--logs` alone. */
const DEFAULT_LOGS = '100000';

const { values } = parseArgs({
  args: process.argv.slice(2).map((one) => (one === '--logs' ? `--logs=${DEFAULT_LOGS}` : one)),
  options: {
    walks: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    images: { type: 'string' },
    logs: { type: 'string' },
    registers: { type: 'string' },
    only: { type: 'string' },
  },
});
const seed = number(values.seed, 'seed', 2 ** 32 - 1);
const walks = number(values.walks, 'walks', 1e12);
const only = values.only === undefined ? undefined : number(values.only, 'only', 1e12);

if (values.images !== undefined) {
  await fuzzFiles(number(values.images, 'images', 1e9), 'images', async (round) => {
    return `exit code ${await runDamaged(seed, round)}`;
  });
  process.exit();
}

if (values.registers !== undefined) {
  const count = number(values.registers, 'registers', 1e9);
  await fuzzFiles(count, 'registers', (round) => runInput(seed, round));
  process.exit();
}

if (values.logs !== undefined) {
  fuzzLogs(number(values.logs, 'logs', 1e9));
  process.exit();
}

const tally = newTally();
const start = performance.now();
console.log(`seed ${seed}`);
const [first, last] = only === undefined ? [0, Math.ceil(walks / WALKS_PER_MACHINE) - 1] : [only, only];
for (let machine = first; machine <= last; machine++) {
  try {
    runMachine(seed, machine, tally);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    console.error(`violation in machine ${machine}: ${error.message}`);
    console.error(`replay: npm run fuzz -- --seed=${seed} --only=${machine}`);
    process.exit(1);
  }
}
const seconds = (performance.now() - start) / 1000;
for (const [answer, count] of [...tally.answers].sort((a, b) => b[1] - a[1])) {
  console.log(`${String(count).padStart(9)}  ${answer}`);
}
console.log(`${String(tally.updates).padStart(9)}  walks updated a descriptor`);
console.log(
  `${tally.walks} walks, each checked and repeated, in ${seconds.toFixed(1)} s: ${Math.round(tally.walks / seconds)} walks/s, no violation`,
);

/** Files through the command line, how each kind of them ended, and the most memory that any of them took. */
async function fuzzFiles(
  count: number,
  option: string,
  run: (round: number) => Promise<string>,
): Promise<void> {
  console.log(`seed ${seed}`);
  const ends = new Map<string, number>();
  let [mostBytes, slowest] = [0, 0];
  for (let round = only ?? 0; round < (only === undefined ? count : only + 1); round++) {
    const start = performance.now();
    try {
      const end = await run(round);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      console.error(`violation: ${error.message}`);
      console.error(`replay: npm run fuzz -- --${option}=1 --seed=${seed} --only=${round}`);
      process.exit(1);
    }
    slowest = Math.max(slowest, performance.now() - start);
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss());
  }
  for (const [end, n] of [...ends].sort(([a], [b]) => a.localeCompare(b))) {
    console.log(`${String(n).padStart(9)}  ${end}`);
  }
  console.log(
    `slowest ${slowest.toFixed(0)} ms, at most ${(mostBytes / 2 ** 20).toFixed(0)} MiB in one process for all`,
  );
}

/** Mutations of posts and of what is no fault, and the slowest of them. */
function fuzzLogs(count: number): void {
  console.log(`seed ${seed}`);
  let [faults, slowest] = [0, 0];
  for (let round = only ?? 0; round < (only === undefined ? count : only + 1); round++) {
    try {
      const ran = runLog(seed, round);
      faults += ran.faults;
      slowest = Math.max(slowest, ran.milliseconds);
    } catch (error) {
      console.error(
        `violation in log ${round}: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
      );
      console.error(`replay: npm run fuzz -- --logs=1 --seed=${seed} --only=${round}`);
      process.exit(1);
    }
  }
  console.log(
    `${count} texts, ${faults} faults told in them, slowest ${slowest.toFixed(0)} ms, no violation`,
  );
}
