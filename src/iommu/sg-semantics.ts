/**
 * What map_sg meant at different times, for study: today's iommu_map_sg, the one that was first merged (Linux 3.18's
 * default_iommu_map_sg), and the patch before it (v3 of 2014), which rounded every entry to pages of the CPU.
 */
import { hex, IommuError } from '../pagetable/errors.ts';
import type { Prot } from '../pagetable/format.ts';
import type { IommuDomain } from './domain.ts';
import type { Scatterlist } from './scatterlist.ts';

/**
 * - `exact`: entries that touch are joined, and each joined run must start and end on the IOMMU's smallest page.
 * - `per-entry`: each entry by itself must; nothing is joined.
 * - `page-align`: each entry becomes the CPU pages that it lies in, so that bytes are mapped that nobody asked for.
 */
export const SG_SEMANTICS = ['exact', 'per-entry', 'page-align'] as const;
export type SgSemantics = (typeof SG_SEMANTICS)[number];

/** One call to the IOMMU: `length` bytes from `phys` on, at `offset` from the list's first IOVA. */
export interface SgPiece {
  /** The first entry that it stands for. */
  readonly entry: number;
  readonly offset: bigint;
  readonly phys: bigint;
  readonly length: bigint;
  /** Bytes that no entry asked for. */
  readonly overMapped: bigint;
}

/** An entry that the semantics can't map, whatever else the domain holds. */
export interface SgRefusal {
  readonly entry: number;
  readonly phys: bigint;
  readonly length: bigint;
  readonly reason: string;
}

/** What a list comes to under one semantics. Sizes in bytes. */
export interface SgPlan {
  readonly semantics: SgSemantics;
  readonly pieces: readonly SgPiece[];
  /** What the entries ask for, and what is mapped for them. */
  readonly askedBytes: bigint;
  readonly mappedBytes: bigint;
  readonly overMapped: bigint;
  readonly refusals: readonly SgRefusal[];
}

/**
 * What would be mapped, without mapping it.
 * @param minPageSize - the IOMMU's smallest page in bytes, a power of two.
 * @param iova - where the list is to go: it must be aligned too. Default: 0.
 * @throws IommuError EINVAL for semantics that there are none.
 */
export function planSg(sg: Scatterlist, semantics: SgSemantics, minPageSize: bigint, iova = 0n): SgPlan {
  if (!SG_SEMANTICS.includes(semantics)) {
    throw new IommuError(
      'EINVAL',
      `semantics must be one of ${SG_SEMANTICS.join(', ')}, not ${String(semantics)}`,
    );
  }
  const pieces = piecesOf(sg, semantics);
  const mappedBytes = pieces.reduce((sum, { length }) => sum + length, 0n);
  const refusals = pieces.flatMap((piece) => refusalOf(piece, semantics, minPageSize, iova));
  return {
    semantics,
    pieces,
    askedBytes: sg.byteLength,
    mappedBytes,
    overMapped: pieces.reduce((sum, piece) => sum + piece.overMapped, 0n),
    refusals,
  };
}

/**
 * Maps a scatterlist as `semantics` has it: all of it or nothing.
 * @returns the plan that was carried out.
 * @throws IommuError as `IommuDomain.mapSg` does; `planSg` says which entries can't be mapped at all.
 */
export function mapSgAs(
  domain: IommuDomain,
  iova: bigint,
  sg: Scatterlist,
  prot: Prot,
  semantics: SgSemantics,
): SgPlan {
  const { pgsizeBitmap } = domain.format;
  const plan = planSg(sg, semantics, pgsizeBitmap & -pgsizeBitmap, iova);
  if (semantics === 'exact') {
    domain.mapSg(iova, sg, prot);
    return plan;
  }
  let done = 0n;
  try {
    for (const { entry, offset, phys, length } of plan.pieces) {
      mapPiece(domain, iova + offset, phys, length, prot, entry);
      done = offset + length;
    }
  } catch (error) {
    if (done > 0n) domain.unmap(iova, done);
    throw error;
  }
  return plan;
}

function mapPiece(
  domain: IommuDomain,
  iova: bigint,
  phys: bigint,
  length: bigint,
  prot: Prot,
  entry: number,
): void {
  try {
    domain.map(iova, phys, length, prot);
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    const reason = error.message.slice(error.code.length + 2);
    throw new IommuError(error.code, `entry ${entry}: ${reason}`, { ...error.operands, entry });
  }
}

function piecesOf(sg: Scatterlist, semantics: SgSemantics): SgPiece[] {
  const pieces: SgPiece[] = [];
  let at = 0n;
  const add = (entry: number, phys: bigint, length: bigint, overMapped: bigint) => {
    if (length > 0n) pieces.push({ entry, offset: at, phys, length, overMapped });
    at += length;
  };
  if (semantics === 'exact') {
    for (const { phys, length, entry } of sg.runs()) add(entry, phys, length, 0n);
    return pieces;
  }
  const cpuPage = BigInt(sg.cpuPageSize);
  for (const [entry, { page, offset, length }] of [...sg].entries()) {
    const bytes = BigInt(length);
    if (semantics === 'per-entry') {
      add(entry, page + BigInt(offset), bytes, 0n);
      continue;
    }
    const whole = bytes === 0n ? 0n : ((BigInt(offset) + bytes + cpuPage - 1n) / cpuPage) * cpuPage;
    add(entry, page, whole, whole - bytes);
  }
  return pieces;
}

function refusalOf(piece: SgPiece, semantics: SgSemantics, minPage: bigint, iova: bigint): SgRefusal[] {
  const { entry, phys, length, offset } = piece;
  const bad = [
    phys % minPage ? `PA ${hex(phys)}` : '',
    (iova + offset) % minPage ? `IOVA ${hex(iova + offset)}` : '',
    length % minPage ? `length ${hex(length)}` : '',
  ].filter(Boolean);
  if (bad.length === 0) return [];
  const what = { exact: 'run', 'per-entry': 'entry', 'page-align': 'rounded entry' }[semantics];
  const advice =
    semantics === 'per-entry'
      ? ': joined with a neighbour that it touches it might fit (exact)'
      : semantics === 'page-align'
        ? ': the CPU pages are smaller than the IOMMU’s'
        : '';
  const reason = `${bad.join(' and ')} of the ${what} must be a multiple of the IOMMU's smallest page ${hex(minPage)}${advice}`;
  return [{ entry, phys, length, reason }];
}
