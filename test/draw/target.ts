/** Address spaces to draw: of requests written in tests, and of captures. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTarget } from '../../src/cli/machine/read.ts';
import type { Target } from '../../src/cli/machine/target.ts';
import { iciclePanels } from '../../src/draw/index.ts';
import { treeOfTarget } from '../../src/space/tree-read.ts';
import { asText, tempFile } from '../cli/run.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures');

async function* nothing(): AsyncGenerator<string> {}
const quiet = { write: () => undefined };
const io = { stdout: quiet, stderr: quiet, stdin: nothing(), env: {} };

export function targetOf(file: string): Promise<Target> {
  return readTarget([file], io, {});
}

/** A file in `fixtures/`; of an SMMU's image the stream of its first row. */
export function fixture(file: string): Promise<Target> {
  const path = join(FIXTURES, file);
  return readTarget([path], io, file.endsWith('.json') ? streamIn(path) : {});
}

function streamIn(path: string): { sid?: string } {
  const { translations } = JSON.parse(readFileSync(path, 'utf8')) as { translations?: { sid?: string }[] };
  const sid = translations?.[0]?.sid;
  return sid === undefined ? {} : { sid };
}

interface Mapped {
  readonly iova: string;
  readonly paddr: string;
  readonly size: string;
  readonly prot?: readonly string[];
}

/** What a driver mapped with 4K, 2M and 1G. */
export function mapped(ranges: readonly Mapped[], name = 'test'): Promise<Target> {
  const config = { pgsize_bitmap: '0x40201000', ias: 48, oas: 48 };
  return targetOf(tempFile('r.json', asText({ name, format: 'arm_64_lpae_s1', config, ranges })));
}

export function panelsOf({ walker }: Target) {
  return iciclePanels(treeOfTarget(walker).tree(), walker);
}

/** Captures of running systems, and one of each kind that QEMU answered. */
export function imageFiles(): string[] {
  const files = (folder: string) => readdirSync(join(FIXTURES, folder)).map((file) => `${folder}/${file}`);
  return [
    ...files('real').filter((file) => /\.json(\.gz)?$/.test(file) && !/\.sg\.|el2/.test(file)),
    ...files('qemu').filter((file) => /-01\.json$/.test(file)),
  ];
}
