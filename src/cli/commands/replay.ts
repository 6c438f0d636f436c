/** `lpae replay`: maps scatterlists of real drivers with mapSg, verifies each byte with the walker, and unmaps them. */
import type { Command } from 'commander';
import { FormatError } from '../../index.ts';
import { wrap } from '../../text/columns.ts';
import { nameOf, readJson } from '../input/input.ts';
import { parseScatterlists, type ScatterlistsFile } from '../input/scatterlists-file.ts';
import { EXIT, inputError } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { Progress } from '../progress.ts';
import { mostInteresting, type ReplayResult, replay } from '../run/replay.ts';
import { exampleLines, totalsLines, verdictLines } from '../text/replay-text.ts';

const HELP = `
FILE holds the scatterlists that drivers of a running Linux mapped (pgtable-scatterlists/1). Each request is mapped in an
empty 48-bit arm_64_lpae_s1 domain with the file's page sizes. The walker then goes over every leaf: each byte must lead where
the scatterlist says, and the bytes before and after must fault; after unmapSg everything must fault.
Exit code 0 if all is correct, otherwise 1.

Example:
  $ lpae replay fixtures/real/linux61-smmuv3-4k.sg.json fixtures/real/linux612-smmuv3-16k.sg.json
`;

const LINE = 96;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<file...>', 'files of scatterlists; - is stdin')
    .addHelpText('after', HELP)
    .action(async (files: string[]) => {
      cli.exitCode = await replayFiles(cli.output(command), files);
    });
}

async function replayFiles(out: Output, paths: readonly string[]): Promise<number> {
  const files: ScatterlistsFile[] = [];
  for (const path of paths) files.push(parseScatterlists(await readJson(path, out.io), nameOf(path)));
  const results = files.map((file) => replayOne(file, out));
  const ok = results.every(({ problems }) => problems.length === 0);
  if (out.json) out.document('lpae.replay/1', { ok, files: results.map(resultJson) });
  else show(out, results, ok);
  return ok ? EXIT.ok : EXIT.negative;
}

function replayOne(file: ScatterlistsFile, { io }: Output): ReplayResult {
  const progress = new Progress(io.stderr, file.name, file.requests.length);
  try {
    return replay(file, (number) => progress.at(number));
  } catch (error) {
    if (error instanceof FormatError) throw inputError(`${file.name}: iommu_page_sizes: ${error.message}`);
    throw error;
  } finally {
    progress.end();
  }
}

function show(out: Output, results: readonly ReplayResult[], ok: boolean): void {
  const { style } = out;
  out.heading(
    'What Linux drivers mapped for DMA, through mapSg into real page tables, checked by the walker',
  );
  for (const { file } of results) {
    const origin = wrap(`${file.name}: ${file.producer || 'of unknown origin'}`, LINE);
    out.lines(origin.map((line) => style.faint(`  ${line}`)));
  }
  out.line();
  out.lines(totalsLines(results, style));
  out.line();
  out.lines(verdictLines(results, style));
  const example = results.find(({ requests }) => requests.length > 0);
  if (ok && example) {
    out.line();
    out.lines(exampleLines(example, mostInteresting(example), style));
  }
}

function resultJson(result: ReplayResult): object {
  const { file, requests, entries, runs, bytes, leaves, leafSizes, tables, problems, time } = result;
  return {
    name: file.name,
    cpu_page_size: file.cpuPageSize,
    iommu_page_sizes: file.iommuPageSizes,
    requests: requests.length,
    entries,
    runs,
    bytes,
    leaves: [...leaves].map(([level, n]) => ({ level, size: leafSizes.get(level), count: n })),
    tables,
    ms: { map_sg: time.mapSg, verify: time.verify, unmap_sg: time.unmapSg, verify_gone: time.verifyGone },
    problems,
  };
}
