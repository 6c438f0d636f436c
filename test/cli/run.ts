/** Runs command lines in this process, and keeps what they write. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { OUTPUTS } from '../../schemas/outputs.ts';
import { run } from '../../src/cli/program.ts';
import { undeclared } from '../support/undeclared.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Record<string, string>;
  /** Both streams are terminals. */
  readonly tty?: boolean;
}

export async function lpae(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const text = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({
    isTTY: options.tty === true,
    write: (chunk: string) => {
      text[name] += chunk;
    },
  });
  async function* stdin() {
    yield Buffer.from(options.stdin ?? '');
  }
  const io = { stdout: sink('out'), stderr: sink('err'), stdin: stdin(), env: options.env ?? {} };
  const code = await run(args, io);
  if (args.includes('--json')) checkDeclared(text.out);
  return { code, ...text };
}

/** Whatever a command prints with `--json` is as its schema says, and has no member that the schema does not declare. */
function checkDeclared(out: string): void {
  const json = parsed(out);
  const kind = /^lpae\.(.*)\/1$/.exec(json?.schema ?? '')?.[1];
  if (kind === undefined) return;
  const output = OUTPUTS.find(({ name }) => name === `output-${kind}`);
  if (output === undefined) throw new Error(`no schema describes lpae.${kind}/1`);
  const problems = [
    ...(v.safeParse(output.schema, json).issues ?? []).map(
      (issue) => `${v.getDotPath(issue)}: ${issue.message}`,
    ),
    ...undeclared(output.schema, json).map((path) => `${path} is not declared`),
  ];
  if (problems.length > 0) throw new Error(`lpae.${kind}/1: ${problems.slice(0, 5).join('; ')}`);
}

function parsed(out: string): { readonly schema?: string } | undefined {
  try {
    return JSON.parse(out) as { readonly schema?: string };
  } catch {
    return undefined;
  }
}

/** Runs with `--json` and parses the document. */
export async function lpaeJson(args: readonly string[], options: RunOptions = {}) {
  const ran = await lpae([...args, '--json'], options);
  return { ...ran, json: JSON.parse(ran.out) as Record<string, unknown> };
}

/** A file of its own with `content`. */
export function tempFile(name: string, content: string | Uint8Array): string {
  const file = join(mkdtempSync(join(tmpdir(), 'lpae-')), name);
  writeFileSync(file, content);
  return file;
}

/** 16 4K pages in two runs: the first unlike the second in nothing but its place. */
export const REQUEST = {
  format: 'arm_64_lpae_s1',
  config: { pgsize_bitmap: '0x40201000', ias: 48, oas: 48 },
  cpu_page_size: '64K',
  iova: '0x10000000',
  prot: ['read', 'write', 'cache'],
  sg: [
    ['0x900000000', '32K'],
    ['0x900008000', '16K'],
    { page: '0x940000000', offset: '8K', length: '0x4000' },
  ],
};

export const asText = (value: unknown): string => JSON.stringify(value);
