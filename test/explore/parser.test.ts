/** The page's reader of options beside commander: the same declarations and the same words give the same values, or the same refusal. */
import * as commander from 'commander';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as page from '../../src/cli/page/worker/commander.ts';

type Package = Pick<typeof commander, 'Command' | 'Option' | 'InvalidArgumentError'>;

/** Every kind of option and argument that the commands have. */
function declared({ Command, Option, InvalidArgumentError }: Package) {
  return new Command()
    .argument('<file>', 'a file')
    .argument('[address...]', 'addresses')
    .option('--json', 'a flag')
    .option('--reg <name=value...>', 'several')
    .option('--no-open', 'a flag that takes away')
    .addOption(new Option('--image-format <kind>', 'one of some').choices(['raw', 'elf']))
    .addOption(new Option('--stage <n>', 'excludes').choices(['1', '2']).conflicts('format'))
    .option('--format <name>', 'excluded')
    .addOption(new Option('--color <when>', 'has a default').default('never'))
    .addOption(
      new Option('--pa-bits <n>', 'is read').argParser((text: string) => {
        if (!/^\d+$/.test(text)) throw new InvalidArgumentError('must be a number');
        return Number(text);
      }),
    );
}

async function read(from: Package, argv: readonly string[]): Promise<unknown> {
  const command = declared(from);
  let found: unknown = 'no action';
  command.action((...values: unknown[]) => {
    found = values.slice(0, 3).map((one) => (Array.isArray(one) ? [...one] : one));
  });
  const ours = from === (page as unknown as Package);
  if (!ours) command.exitOverride().configureOutput({ outputError: () => {}, writeErr: () => {} });
  try {
    await command.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    return (error as Error).message.replace(/\s*\(Did you mean .*$/s, '').trim();
  }
  return JSON.parse(JSON.stringify(found));
}

const both = async (argv: readonly string[]) => [
  await read(page as unknown as Package, argv),
  await read(commander, argv),
];

test.each([
  ['a', '0x1', '0x2', '--json'],
  ['--reg', 'A=1', 'B=2', '--json', 'a'],
  ['a', '--reg=A=1', '--reg', 'B=2'],
  ['a', '--pa-bits', '48', '--no-open'],
  ['a', '--pa-bits', 'x'],
  ['a', '--image-format', 'zip'],
  ['a', '--stage', '1', '--format', 'x'],
  ['a', '--format'],
  ['a', '--wibble'],
  ['a', '--', '--json'],
  ['-', '--color', 'always'],
  [],
])('%j', async (...argv) => {
  const [ours, theirs] = await both(argv);
  expect(ours).toEqual(theirs);
});

test('random words', async () => {
  const word = fc.constantFrom(
    'a',
    '0x10',
    '--json',
    '--reg',
    'A=1',
    '--no-open',
    '--stage',
    '2',
    '--pa-bits',
    '48',
    '--color',
    '--image-format',
    'raw',
    '--',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 7 }), async (argv) => {
      const [ours, theirs] = await both(argv);
      expect(ours).toEqual(theirs);
    }),
    { numRuns: 150 },
  );
});
