/** Replays a file of scatterlists: each request is mapped, verified byte by byte, unmapped, and verified to be gone. */
import { arm64LpaeS1 } from '../../../formats/index.ts';
import { IommuDomain, IommuError, PhysicalMemory, type Prot } from '../../index.ts';
import { hex } from '../../text/numbers.ts';
import { createWalker, type Walker } from '../../walker/index.ts';
import type { ScatterlistRequest, ScatterlistsFile } from '../input/scatterlists-file.ts';
import { verifyMapped, verifyUnmapped } from './verify.ts';

/** The rights and memory type of DMA on a coherent machine. */
export const DMA_PROT: Prot = { read: true, write: true, cache: true };

const TABLE_RAM = { base: 0x8000_0000n, size: 1n << 30n };
const ADDRESS_BITS = 48;

/** A request with a wrong result. */
export interface Problem {
  readonly request: number;
  readonly text: string;
}

/** The outcome of one request. */
export interface RequestStats {
  readonly runs: number;
  /** Leaves by level, as the walker found them. */
  readonly leaves: ReadonlyMap<number, number>;
}

export interface ReplayResult {
  readonly file: ScatterlistsFile;
  readonly requests: readonly RequestStats[];
  readonly entries: number;
  readonly runs: number;
  readonly bytes: bigint;
  /** Leaves by level, and the size of one. */
  readonly leaves: ReadonlyMap<number, number>;
  readonly leafSizes: ReadonlyMap<number, bigint>;
  /** Tables made below the root, over all requests. */
  readonly tables: number;
  readonly problems: readonly Problem[];
  /** Milliseconds. */
  readonly time: { mapSg: number; verify: number; unmapSg: number; verifyGone: number };
}

/** A domain as the file's IOMMU would have it, and the hardware that looks at it. */
export function makeDomain(file: ScatterlistsFile): { domain: IommuDomain; walker: Walker } {
  const memory = new PhysicalMemory(TABLE_RAM);
  const domain = new IommuDomain(memory, arm64LpaeS1, {
    pgsizeBitmap: file.iommuPageSizes,
    ias: ADDRESS_BITS,
    oas: ADDRESS_BITS,
    cpuPageSize: file.cpuPageSize,
  });
  return { domain, walker: createWalker(memory, domain.registers.hardware) };
}

/**
 * @param onRequest - called before each request, with its number.
 * @throws FormatError when the file's page sizes make no table.
 */
export function replay(file: ScatterlistsFile, onRequest: (number: number) => void): ReplayResult {
  const one = new Replayer(file);
  file.requests.forEach((request, i) => {
    onRequest(i);
    one.run(request, i);
  });
  return one.result();
}

class Replayer {
  readonly #file: ScatterlistsFile;
  readonly #domain: IommuDomain;
  readonly #walker: Walker;
  readonly #pageSize: bigint;
  readonly #time = { mapSg: 0, verify: 0, unmapSg: 0, verifyGone: 0 };
  readonly #requests: RequestStats[] = [];
  readonly #problems: Problem[] = [];
  #tables = 0;

  constructor(file: ScatterlistsFile) {
    this.#file = file;
    ({ domain: this.#domain, walker: this.#walker } = makeDomain(file));
    const { pgsizeBitmap } = this.#domain.format;
    this.#pageSize = pgsizeBitmap & -pgsizeBitmap;
  }

  run({ iova, sg }: ScatterlistRequest, request: number): void {
    const domain = this.#domain;
    let leaves: RequestStats['leaves'] = new Map();
    try {
      const mapped = this.#timed('mapSg', () => domain.mapSg(iova, sg, DMA_PROT));
      this.#expect(request, 'mapSg', mapped, sg.byteLength);
      this.#tables += domain.allocator.frameCount - 1;
      const verdict = this.#timed('verify', () => verifyMapped(this.#walker, iova, sg, DMA_PROT));
      leaves = verdict.leaves;
      this.#report(request, verdict.problem);
      this.#unmap({ iova, sg }, request);
    } catch (error) {
      if (!(error instanceof IommuError)) throw error;
      this.#report(request, error.message);
    }
    this.#requests.push({ runs: sg.runs().length, leaves });
  }

  #unmap({ iova, sg }: ScatterlistRequest, request: number): void {
    const domain = this.#domain;
    const bytes = sg.byteLength;
    this.#expect(
      request,
      'unmapSg',
      this.#timed('unmapSg', () => domain.unmapSg(iova, sg)),
      bytes,
    );
    this.#report(
      request,
      this.#timed('verifyGone', () => verifyUnmapped(this.#walker, iova, bytes, this.#pageSize)),
    );
    domain.reclaim();
    const left = domain.allocator.frameCount - 1;
    if (left !== 0) this.#report(request, `${left} tables are left in the emptied domain`);
  }

  #expect(request: number, what: string, got: bigint, want: bigint): void {
    if (got !== want)
      this.#report(request, `${what} returned ${hex(got)}, not the ${hex(want)} bytes asked for`);
  }

  #report(request: number, text: string | undefined): void {
    if (text !== undefined) this.#problems.push({ request, text });
  }

  result(): ReplayResult {
    const { requests } = this.#file;
    const { levels } = this.#domain.format;
    const leaves = new Map<number, number>();
    for (const request of this.#requests) {
      for (const [level, n] of request.leaves) leaves.set(level, (leaves.get(level) ?? 0) + n);
    }
    return {
      file: this.#file,
      requests: this.#requests,
      entries: requests.reduce((sum, { sg }) => sum + sg.count, 0),
      runs: this.#requests.reduce((sum, { runs }) => sum + runs, 0),
      bytes: requests.reduce((sum, { sg }) => sum + sg.byteLength, 0n),
      leaves,
      leafSizes: new Map(levels.map(({ level, shift }) => [level, 1n << BigInt(shift)])),
      tables: this.#tables,
      problems: this.#problems,
      time: this.#time,
    };
  }

  #timed<T>(what: keyof ReplayResult['time'], work: () => T): T {
    const started = performance.now();
    const result = work();
    this.#time[what] += performance.now() - started;
    return result;
  }
}

/** The most instructive request: several runs and page sizes, but short enough to print. */
export function mostInteresting({ file, requests }: ReplayResult): number {
  let best = 0;
  let bestScore = -1;
  requests.forEach(({ runs, leaves }, i) => {
    const { count } = file.requests[i]!.sg;
    if (count > MAX_SHOWN_ENTRIES) return;
    const pages = [...leaves.values()].reduce((sum, n) => sum + n, 0);
    const score = (leaves.size > 1 ? 100 : 0) + Math.min(runs, 8) * 10 + Math.min(pages, 64) / 8;
    if (score > bestScore) [best, bestScore] = [i, score];
  });
  return best;
}

const MAX_SHOWN_ENTRIES = 16;
