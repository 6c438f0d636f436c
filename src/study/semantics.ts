/**
 * Judges a workload by each meaning of map_sg, for an IOMMU with a given smallest page: how many bytes too many are mapped, and what is refused.
 * It works like `planSg`, but on columns of numbers. The message for a refusal comes from `planSg` itself, asked about a short list.
 */
import type { Scatterlist } from '../iommu/scatterlist.ts';
import { planSg, type SgSemantics } from '../iommu/sg-semantics.ts';
import { forEachRun, listOf, type Workload } from './workload.ts';

/** Why a request was refused. */
export interface Refusal {
  /** Index of the request in the workload, and of the entry in its list if one entry is the reason. */
  readonly request: number;
  readonly entry?: number;
  readonly message: string;
}

/** A workload judged by one meaning of map_sg. */
export interface SemanticsResult {
  readonly semantics: SgSemantics;
  /** Every request can be mapped. */
  readonly maps: boolean;
  /** How many requests, and pieces of them (entries, or with `exact` runs of entries), can't be mapped. */
  readonly refusedRequests: number;
  readonly refusedPieces: number;
  /** The first refusal. */
  readonly first?: Refusal;
  /** Bytes mapped that no request covers, if nothing is refused. */
  readonly overMapped: bigint;
}

/** A part of a list that is mapped by one call, in exact numbers of bytes. */
interface Piece {
  readonly phys: number;
  readonly length: number;
  readonly offset: number;
  readonly first: number;
  readonly last: number;
}

/** @param page - the IOMMU's smallest page in bytes. */
export function judgeSemantics(workload: Workload, semantics: SgSemantics, page: number): SemanticsResult {
  let refusedRequests = 0;
  let refusedPieces = 0;
  let overMapped = 0;
  let first: Refusal | undefined;
  for (const [request, { iova, sg }] of workload.requests.entries()) {
    const found = judgeList(sg, semantics, page, iova);
    overMapped += found.overMapped;
    refusedPieces += found.refused;
    if (found.piece === undefined) continue;
    refusedRequests++;
    first ??= { request, ...refusalOf(sg, semantics, page, iova, found.piece) };
  }
  return {
    semantics,
    maps: refusedRequests === 0,
    refusedRequests,
    refusedPieces,
    ...(first && { first }),
    overMapped: BigInt(overMapped),
  };
}

interface ListVerdict {
  readonly refused: number;
  readonly overMapped: number;
  /** The first piece that is refused. */
  readonly piece: Piece | undefined;
}

function judgeList(sg: Scatterlist, semantics: SgSemantics, page: number, iova: bigint): ListVerdict {
  const mask = page - 1;
  const start = Number(BigInt.asUintN(32, iova));
  let refused = 0;
  let overMapped = 0;
  let piece: Piece | undefined;
  const judge = (phys: number, length: number, offset: number, first: number, last: number) => {
    if (((phys | length | (start + offset)) & mask) === 0) return;
    refused++;
    piece ??= { phys, length, offset, first, last };
  };
  if (semantics === 'exact') {
    forEachRun(sg, judge);
    return { refused, overMapped, piece };
  }
  const { count, addresses, lengths, cpuPageSize } = sg;
  const cpuMask = cpuPageSize - 1;
  let offset = 0;
  for (let i = 0; i < count; i++) {
    let [phys, length] = [addresses[i]!, lengths[i]!];
    if (semantics === 'page-align') {
      const inPage = phys & cpuMask;
      const whole = Math.ceil((inPage + length) / cpuPageSize) * cpuPageSize;
      overMapped += whole - length;
      phys -= inPage;
      length = whole;
    }
    judge(phys, length, offset, i, i);
    offset += length;
  }
  return { refused, overMapped, piece };
}

/** What `planSg` says about a piece, asked with a short list in which the piece has the same offset and neighbours. */
function refusalOf(
  sg: Scatterlist,
  semantics: SgSemantics,
  page: number,
  iova: bigint,
  piece: Piece,
): Pick<Refusal, 'message'> & { readonly entry: number } {
  const { list, shift } = shortList(sg, semantics, piece);
  const refusals = planSg(list, semantics, BigInt(page), iova).refusals;
  const found = refusals.find(({ entry }) => entry >= piece.first - shift && entry <= piece.last - shift)!;
  const entry = found.entry + shift;
  return { entry, message: `EINVAL: entry ${entry}: ${found.rule}; ${found.remedy}` };
}

/** `shift` is the difference between an entry's index in the full list and in the short one. */
function shortList(sg: Scatterlist, semantics: SgSemantics, piece: Piece) {
  const { addresses, lengths } = sg;
  const run = semantics === 'exact' ? piece : runAround(sg, piece.first);
  const entries: [number, number][] = [];
  let before = 0;
  if (semantics === 'exact') {
    for (let i = piece.first; i <= piece.last; i++) entries.push([addresses[i]!, lengths[i]!]);
  } else {
    for (let i = run.first; i < piece.first; i++) before += lengths[i]!;
    if (piece.first > run.first) entries.push([run.phys, before]);
    entries.push([addresses[piece.first]!, lengths[piece.first]!]);
    const end = addresses[piece.first]! + lengths[piece.first]!;
    if (piece.last < run.last) entries.push([end, run.phys + run.length - end]);
  }
  const own = piece.first > run.first ? 1 : 0;
  // One filler stands for all entries before. Only its length matters, and that it joins nothing.
  const filler = piece.offset - roundedUp(run.phys, before, semantics, sg.cpuPageSize);
  if (filler > 0) entries.unshift([run.phys >= filler * 2 ? 0 : (run.phys + run.length) * 2, filler]);
  const index = own + (filler > 0 ? 1 : 0);
  const list = listOf(
    entries.map(([phys]) => phys),
    entries.map(([, length]) => length),
    sg.cpuPageSize,
  );
  return { list, shift: piece.first - index };
}

/** The bytes that the entries before a piece take under the semantics, if they are one entry. */
function roundedUp(phys: number, bytes: number, semantics: SgSemantics, cpuPageSize: number): number {
  if (semantics !== 'page-align' || bytes === 0) return bytes;
  return Math.ceil(((phys % cpuPageSize) + bytes) / cpuPageSize) * cpuPageSize;
}

/** The joined run that an entry is in. */
function runAround({ count, addresses, lengths }: Scatterlist, entry: number): Piece {
  let first = entry;
  while (first > 0 && addresses[first - 1]! + lengths[first - 1]! === addresses[first]) first--;
  let last = entry;
  while (last + 1 < count && addresses[last]! + lengths[last]! === addresses[last + 1]) last++;
  const length = addresses[last]! + lengths[last]! - addresses[first]!;
  return { phys: addresses[first]!, length, offset: 0, first, last };
}
