/** Random register files and golden files on the command line: what each must end with. Shared by a test and by `npm run fuzz -- --registers=N`. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lpae, type Ran } from '../cli/run.ts';
import { Random } from '../support/random.ts';
import { Violation } from './check.ts';
import { RAM } from './images.ts';
import { edited } from './json-edits.ts';
import { randomBase, registerFile, registerOptions } from './register-files.ts';

/** No command takes more of the processor, whatever it is given, once its modules are loaded. */
const MAX_MILLISECONDS = 1000;

const FIXTURES = join(import.meta.dirname, '../../fixtures');
const golden = (name: string): unknown => JSON.parse(readFileSync(join(FIXTURES, name), 'utf8'));

/** Golden files of every kind, small ones. */
const GOLDEN: readonly (readonly [name: string, json: unknown])[] = [
  'qemu/qemu-s1-4k-cortex-a53-02.json',
  'qemu/qemu-nested-4k-max-00.json',
  'qemu/qemu-el2-0-16k-max-00.json',
  'qemu/qemu11-el3-4k-00.json',
  'qemu/qemu11-realm-el2-4k-00.json',
  'qemu/qemu-v7short-00.json',
  'qemu/qemu-v7lpae-nested-cortex-a15-01.json',
  'qemu/qemu10-smmuv3-config-4k-00.json',
  'qemu/qemu10-smmuv3-nested-4k-00.json',
  'arm/xs-el1-0-4k.json',
  'arm/mte-el1-0-4k.json',
  'real/uboot-arm64-el2.json',
  'linux/arm_64_lpae_s1-4k-sg-coalesce-0001.json',
  'linux/arm_v7s-4k-random-0001.json',
  'linux/creation.json',
].map((name) => [name, trimmed(golden(name))]);

/** A list of many rows says no more than a list of some. */
function trimmed(json: unknown): unknown {
  if (Array.isArray(json)) return json.slice(0, 20);
  const { translations, ...rest } = json as { translations?: unknown[] };
  return { ...rest, ...(translations && { translations: translations.slice(0, 24) }) };
}

const IMAGE_COMMANDS = [
  ['walk', '0x1234', '0xffff_ffff_f000'],
  ['walk', '0x1000', '--access', 'write', '--unprivileged'],
  ['walk', '--row', '3'],
  ['dump'],
  ['dump', '--tree'],
  ['dump', '--reverse', '0x8000_0000'],
  ['lint'],
  ['capture'],
  ['capture', '0x1234'],
];
/** How often a golden file is checked, for each time that it is looked at in another way. */
const CHECKS = 2;

const folder = mkdtempSync(join(tmpdir(), 'lpae-'));
const ram = join(folder, 'ram.bin');
writeFileSync(ram, RAM);

function save(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** A command line, and what it is about. */
interface Line {
  readonly args: readonly string[];
  readonly what: string;
  /** Exit codes that are documented of the command. */
  readonly codes: readonly number[];
}

function ofRegisters(random: Random): Line {
  const { form, text } = registerFile(random);
  const file = save('registers.txt', text);
  const base = random.chance(0.8) ? '0x1000' : randomBase(random);
  const options = ['--registers', file, ...registerOptions(random)];
  const what = `${form}: ${text}`;
  if (random.chance(0.1)) {
    const args = ['diff', `${ram}@${base}`, `${ram}@0x1000`, ...options, '--registers-b', file];
    return { args, what, codes: [0, 1, 2, 3] };
  }
  if (random.chance(0.1)) {
    const args = ['fault', 'ESR=0x96000007 FAR=0xffff800008123000', '--tables', `${ram}@${base}`, ...options];
    return { args, what, codes: [0, 1, 2, 3] };
  }
  const [command, ...rest] = random.pick(IMAGE_COMMANDS.filter(([, row]) => row !== '--row'));
  return { args: [command!, `${ram}@${base}`, ...rest, ...options], what, codes: [0, 1, 2, 3] };
}

function ofGolden(random: Random): Line {
  const [name, document] = random.pick(GOLDEN);
  let json = document;
  const edits: string[] = [];
  for (let n = random.between(1, 3); n > 0; n--) {
    const one = edited(random, json);
    json = one.json;
    edits.push(one.what);
  }
  const file = save('golden.json', JSON.stringify(json) ?? '');
  const what = `${name}, ${edits.join(', ')}`;
  // A map request may be as large as memory allows; of a golden file lpae check refuses what takes minutes.
  const first = name.startsWith('linux/') ? IMAGE_COMMANDS.length + 1 : 0;
  const choice = random.between(first, IMAGE_COMMANDS.length + CHECKS);
  if (choice >= IMAGE_COMMANDS.length + 1) return { args: ['check', file], what, codes: [0, 1, 3] };
  if (choice === IMAGE_COMMANDS.length) {
    const whole = save('whole.json', JSON.stringify(document));
    return { args: ['diff', whole, file], what, codes: [0, 1, 2, 3] };
  }
  const [command, ...rest] = IMAGE_COMMANDS[choice]!;
  return { args: [command!, file, ...rest], what, codes: [0, 1, 2, 3] };
}

/** What a command answers, and the milliseconds of the processor that it takes. */
async function timed(line: readonly string[]): Promise<Ran & { readonly took: number }> {
  const before = process.cpuUsage();
  const ran = await lpae(line);
  const { user, system } = process.cpuUsage(before);
  return { ...ran, took: (user + system) / 1000 };
}

/**
 * One random file through one command.
 * @returns its command and exit code.
 * @throws Violation for any other exit code, a stack trace, no message, or more than a second of the processor.
 */
export async function runInput(seed: number, round: number): Promise<string> {
  const random = new Random(seed + round * 7919);
  const { args, what, codes } = random.chance(0.5) ? ofRegisters(random) : ofGolden(random);
  const line = random.chance(0.5) && args[0] !== 'capture' ? [...args, '--json'] : args;
  let { code, err, out, took } = await timed(line);
  // The first command of its kind also loads what it needs.
  if (took > MAX_MILLISECONDS) ({ code, err, out, took } = await timed(line));
  const where = `round ${round}: lpae ${line.join(' ')}\n  ${what.slice(0, 600)}\n `;
  if (/internal error|\n\s+at .*:\d+/.test(err + out)) throw new Violation(`${where} ${err} ${out}`);
  if (!codes.includes(code)) throw new Violation(`${where} exit code ${code}: ${err}`);
  if (code > 1 && args[0] !== 'check' && !/^(lpae: .+|\(lpae)/m.test(err))
    throw new Violation(`${where} no message`);
  if (took > MAX_MILLISECONDS) throw new Violation(`${where} ${took.toFixed(0)} ms`);
  return `lpae ${args[0]}, exit code ${code}`;
}
