/** Streams by the batch: made, set in motion on one machine, compared. */
import { Random } from '../../support/random.ts';
import { hex, type Tally } from './report.ts';
import { breakConfiguration } from './smmu-broken.ts';
import {
  SMMU_TABLES_BASE,
  type StreamCase,
  type StreamKind,
  stage1Stream,
  stage2Stream,
} from './smmu-cases.ts';
import { answerOf, type Identification, type SmmuExpected, SmmuOracle } from './smmu-expectation.ts';
import {
  DEVICES,
  SMMU_RAM_BYTES,
  type SmmuAnswer,
  type SmmuMachine,
  type SmmuProbe,
} from './smmu-machine.ts';
import { nestedStream } from './smmu-nested.ts';
import { TableSpace } from './table-space.ts';

/** Outputs below this may hit RAM or a device: such a transaction only reads. */
const SAFE_FROM = 2n ** 33n;

const MAKERS = { 'stage 1': stage1Stream, 'stage 2': stage2Stream, nested: nestedStream } as const;

/** One batch: a stream for every device, all their transactions, a round at a time. `broken`: one field of each configuration is. */
export async function compareStreams(
  machine: SmmuMachine,
  identification: Identification,
  release: number,
  kind: StreamKind,
  seed: number,
  tally: Tally,
  broken = false,
): Promise<void> {
  const random = new Random(seed);
  const space = new TableSpace(random, { base: SMMU_TABLES_BASE, ramBytes: SMMU_RAM_BYTES });
  const streams = Array.from({ length: DEVICES }, (_, device) =>
    MAKERS[kind](random.fork(), space, device, `batch ${hex(seed)} stream ${device}`),
  );
  if (broken) for (const stream of streams) breakConfiguration(random, space, stream);
  machine.ram.clear();
  machine.restore();
  space.flush(machine.ram);
  for (const { ste } of streams)
    machine.ram.writeWords64(
      ste,
      [0, 8, 16, 24].map((at) => space.read(ste + at)),
    );
  const oracle = new SmmuOracle(space.memory, identification, release);
  const rounds = Math.max(...streams.map(({ probes }) => probes.length));
  for (let round = 0; round < rounds; round++) {
    const asked = streams.map((stream) => prepare(oracle, stream, stream.probes[round]));
    const answers = await machine.round(asked.map((one) => one && toProbe(one)));
    for (const [i, one] of asked.entries()) {
      const got = answers[i];
      const stream = streams[i];
      if (one === undefined || got === undefined || stream === undefined) continue;
      tally.add(one.expected.result, one.expected.rules);
      if (!oracle.agrees(one.expected, got)) tally.disagreements.push(report(space, stream, one, got));
    }
  }
}

interface Asked {
  readonly probe: SmmuProbe;
  readonly expected: SmmuExpected;
}

/** With what is expected of it, so that the machine knows what to wait for. */
function toProbe({ probe, expected }: Asked): SmmuProbe {
  return { ...probe, silent: expected.pa === undefined && expected.event === undefined };
}

/** A write that may come through to RAM or a device becomes a read. */
function prepare(oracle: SmmuOracle, stream: StreamCase, probe: SmmuProbe | undefined): Asked | undefined {
  if (probe === undefined) return undefined;
  const expected = oracle.expect(stream, probe);
  if (probe.access === 'read' || expected.pa === undefined || expected.pa >= SAFE_FROM)
    return { probe, expected };
  const reading: SmmuProbe = { iova: probe.iova, access: 'read' };
  return { probe: reading, expected: oracle.expect(stream, reading) };
}

function report(
  space: TableSpace,
  { name, ste, cd }: StreamCase,
  { probe, expected }: Asked,
  got: SmmuAnswer,
): string {
  const words = (pa: number): string => [0, 8, 16, 24].map((at) => hex(space.read(pa + at))).join(' ');
  const answer = ({ pa, event }: SmmuAnswer): string =>
    event
      ? `event ${event.map(hex).join(' ')}`
      : pa === undefined
        ? 'neither address nor event'
        : `PA ${hex(pa)}`;
  return [
    `${name}: ${probe.access} of ${hex(probe.iova)}`,
    `  STE ${words(ste)}`,
    ...(cd ? [`  CD ${words(cd)}`] : []),
    ...expected.result.steps.map(
      ({ stage, level, address, descriptor, kind }) =>
        `  stage ${stage} level ${level} at ${hex(address)}: ${descriptor === undefined ? '-' : hex(descriptor)} (${kind})`,
    ),
    `  walker   ${answer(answerOf(expected.result))}`,
    `  expected ${answer(expected)}${expected.rules.length ? ` by ${expected.rules.join(', ')}` : ''}`,
    `  QEMU     ${answer(got)}`,
  ].join('\n');
}
