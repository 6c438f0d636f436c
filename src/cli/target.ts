/** What `walk` and `dump` look at: tables made from a request, or the memory image of another machine, behind a walker. */
import { parseImageFile } from '../golden/image-file.ts';
import { GoldenFileError } from '../golden/result.ts';
import { MemoryError, PhysicalMemory } from '../memory/index.ts';
import { type CpuModel, createWalker, type Regime, type Walker, WalkerError } from '../walker/index.ts';
import { readJson } from './input.ts';
import { type CliIo, inputError } from './io.ts';
import { performOrRefuse } from './perform.ts';
import { parseRequest } from './request.ts';

export interface Target {
  readonly name: string;
  readonly regime: Regime;
  readonly walker: Walker;
  /** Register values, as hardware has them. */
  readonly registers: Readonly<Record<string, bigint>>;
  /** What the request's operations refused, to be said beside the tables. */
  readonly warnings: readonly string[];
}

/** @throws CliError (input) for a file that is neither, or of a regime that is not known here. */
export async function readTarget(file: string, io: CliIo): Promise<Target> {
  const json = await readJson(file, io);
  const { kind, schema } = (json ?? {}) as { kind?: unknown; schema?: unknown };
  if (schema === 'pgtable-scatterlists/1') {
    throw inputError(`${file}: scatterlists of many domains`, 'lpae replay runs them');
  }
  return kind === 'image' ? imageTarget(json, file) : requestTarget(json, file);
}

function requestTarget(json: unknown, file: string): Target {
  const request = parseRequest(json, file);
  const { domain, outcomes } = performOrRefuse(request, file);
  const { regime, registers } = domain.registers.hardware;
  return {
    name: request.name ?? file,
    regime,
    registers,
    walker: createWalker(domain.memory, { regime, registers }),
    warnings: outcomes
      .map(({ ok, error, op }, i) =>
        ok ? '' : `ops[${i}] ${op.op}: ${error?.message ?? 'not done in full'}`,
      )
      .filter(Boolean),
  };
}

function imageTarget(json: unknown, file: string): Target {
  try {
    const { name, regime, registers, ram, words, cpu } = parseImageFile(json);
    const memory = new PhysicalMemory(ram);
    for (const [pa, word] of words) memory.write64(pa, word);
    const walker = createWalker(memory, {
      regime: regime as Regime,
      registers,
      cpu: { model: cpu.model as CpuModel, ...(cpu.paBits !== undefined && { paBits: cpu.paBits }) },
    });
    return { name, regime: regime as Regime, registers, walker, warnings: [] };
  } catch (error) {
    const known = [GoldenFileError, MemoryError, WalkerError].some((kind) => error instanceof kind);
    if (known) throw inputError(`${file}: ${(error as Error).message}`);
    throw error;
  }
}
