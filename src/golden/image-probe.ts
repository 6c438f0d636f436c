/** Who answers the probes of a golden image: a PE's walker, a stream of an SMMUv3, or a whole SMMUv3 with its stream table. */
import { MemoryError, PhysicalMemory } from '../memory/index.ts';
import { type CdWords, createSmmu, createStream, type SmmuResult, type SteWords } from '../smmu/index.ts';
import {
  type CpuModel,
  createWalker,
  type Regime,
  regimes,
  WalkerError,
  type WalkResult,
} from '../walker/index.ts';
import type { ImageFile, ImageRow, Registers } from './image-file.ts';
import { GoldenFileError } from './result.ts';

export type Answer = WalkResult | SmmuResult;

/** Answers a row: the file's registers, with the row's own in their place. */
export type Probe = (row: ImageRow) => Answer;

const SMMU_REGIMES: readonly string[] = ['smmuv3-s1', 'smmuv3-s2', 'smmuv3-nested'];

/**
 * The prober of an image, with a memory of its own: hardware updates stay from row to row.
 * @throws GoldenFileError for a regime or CPU that is not known here, or memory that can't be.
 */
export function imageProbe(image: ImageFile): Probe {
  const memory = imageMemory(image);
  const known: readonly string[] = [...regimes, ...SMMU_REGIMES];
  if (!known.includes(image.regime)) {
    throw new GoldenFileError(`regime: unknown regime '${image.regime}'; known are ${known.join(', ')}`);
  }
  const make = SMMU_REGIMES.includes(image.regime) ? smmuProbe : walkerProbe;
  const build = (registers: Registers): Probe => {
    try {
      return make(image, memory, registers);
    } catch (error) {
      if (error instanceof WalkerError) throw new GoldenFileError(error.message);
      throw error;
    }
  };
  const common = build(image.registers);
  return (row) => (row.registers ? build({ ...image.registers, ...row.registers }) : common)(row);
}

/** The image's RAM with its words in place. */
function imageMemory({ ram, words }: ImageFile): PhysicalMemory {
  try {
    const memory = new PhysicalMemory(ram);
    for (const [pa, word] of words) memory.write64(pa, word);
    return memory;
  } catch (error) {
    if (error instanceof MemoryError) throw new GoldenFileError(`memory: ${error.message}`);
    throw error;
  }
}

function walkerProbe(image: ImageFile, memory: PhysicalMemory, registers: Registers): Probe {
  const { model, paBits } = image.cpu;
  const cpu = { model: model as CpuModel, ...(paBits !== undefined && { paBits }) };
  const walker = createWalker(memory, { regime: image.regime as Regime, registers, cpu });
  return (row) => walker.walk(row.va, row);
}

function smmuProbe(image: ImageFile, memory: PhysicalMemory, registers: Registers): Probe {
  const of = (name: string): bigint => registers[name] ?? 0n;
  const given = ['idr0', 'idr1', 'idr3', 'idr5'].filter((name) => registers[name] !== undefined);
  const identification = Object.fromEntries(given.map((name) => [name, of(name)]));
  if (registers.strtab_base !== undefined) {
    const smmu = createSmmu(memory, {
      strtabBase: of('strtab_base'),
      strtabBaseCfg: of('strtab_base_cfg'),
      cr0: registers.cr0 ?? 1n,
      cr2: of('cr2'),
      gbpa: of('gbpa'),
      ...identification,
    });
    return (row) => smmu.translate(Number(row.sid ?? 0n), row.va, row);
  }
  const ste: SteWords = [of('ste0'), of('ste1'), of('ste2'), of('ste3')];
  // Of a nested stream the CD is in memory, where STE.S1ContextPtr says; of stage 1 alone the file gives its words.
  const cd: CdWords = [of('cd0'), of('cd1'), of('cd2'), of('cd3')];
  const { paBits } = image.cpu;
  const stream = createStream(memory, {
    ste,
    identification,
    ...(paBits !== undefined && { oas: paBits }),
    ...(image.regime === 'smmuv3-s1' && { cd }),
  });
  return (row) => stream.translate(row.va, row);
}
