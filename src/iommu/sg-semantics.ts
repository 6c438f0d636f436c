/**
 * The meanings that map_sg had over time, for study: today's iommu_map_sg, the version that was first merged (Linux 3.18's
 * default_iommu_map_sg), and the patch before it (v3 of 2014), which rounded every entry to CPU pages.
 */
import { hex, IommuError } from '../pagetable/errors.ts';
import type { Prot } from '../pagetable/format.ts';
import { checkScatterlist, checkWord } from './checks.ts';
import type { IommuDomain } from './domain.ts';
import { firstUneven, GRANULES } from './explain.ts';
import { Scatterlist } from './scatterlist.ts';

/**
 * - `exact`: adjacent entries are joined, and each joined run must start and end on the IOMMU's smallest page.
 * - `per-entry`: nothing is joined. Each entry, even an empty one, must start and end on the smallest page.
 * - `page-align`: each entry is extended to whole CPU pages, so bytes are mapped that nobody asked for.
 */
export const SG_SEMANTICS = ['exact', 'per-entry', 'page-align'] as const;
/** What map_sg means: `exact` (Linux 6.12's, and what `IommuDomain.mapSg` does), `per-entry` or `page-align`. */
export type SgSemantics = (typeof SG_SEMANTICS)[number];

/** One call to the IOMMU: `length` bytes from `phys` on, at `offset` from the list's first IOVA. Sizes in bytes. */
export interface SgPiece {
  /** The first and last entry of the piece: a run with `exact`, otherwise a single entry. */
  readonly entry: number;
  readonly last: number;
  readonly offset: bigint;
  readonly phys: bigint;
  readonly length: bigint;
  /** Bytes that no entry asked for. */
  readonly overMapped: bigint;
}

/** A value of a piece that is not a multiple of the IOMMU's smallest page. */
export interface SgValue {
  readonly what: 'iova' | 'phys' | 'length';
  readonly value: bigint;
}

/** An entry that the semantics can't map, whatever the domain holds. Sizes in bytes. */
export interface SgRefusal {
  /** In a joined run, the entry that `mapSg` names: the first one, or if only the length is wrong, the first that ends inside a page. */
  readonly entry: number;
  /** The piece that contains the entry, as it would be mapped. */
  readonly phys: bigint;
  readonly length: bigint;
  /** The wrong values of that piece: one to three. */
  readonly values: readonly SgValue[];
  /** The values must be multiples of this. */
  readonly alignment: bigint;
  /** The rule that is broken, and what would work. */
  readonly rule: string;
  readonly remedy: string;
}

/** What one semantics would map for a list, unless something is refused. Sizes in bytes. */
export interface SgPlan {
  readonly semantics: SgSemantics;
  readonly pieces: readonly SgPiece[];
  /** Bytes that the entries ask for, and bytes that are mapped for them. */
  readonly askedBytes: bigint;
  readonly mappedBytes: bigint;
  readonly overMapped: bigint;
  /** In the order of the list. map_sg would stop at the first, unless something else stops it earlier. */
  readonly refusals: readonly SgRefusal[];
}

/**
 * What would be mapped, without mapping it.
 * @param minPageSize - the IOMMU's smallest page in bytes, a power of two.
 * @param iova - where the list will be mapped. It must be aligned too. Default: 0.
 * @throws IommuError EINVAL for unknown semantics, and for arguments out of range.
 */
export function planSg(sg: Scatterlist, semantics: SgSemantics, minPageSize: bigint, iova = 0n): SgPlan {
  checkScatterlist(sg);
  checkWord('iova', iova);
  checkWord('minPageSize', minPageSize);
  if (minPageSize === 0n || (minPageSize & (minPageSize - 1n)) !== 0n) {
    throw new IommuError('EINVAL', `minPageSize must be a power of two, not ${hex(minPageSize)}`);
  }
  if (!SG_SEMANTICS.includes(semantics)) {
    throw new IommuError(
      'EINVAL',
      `semantics must be one of ${SG_SEMANTICS.join(', ')}, not ${String(semantics)}`,
    );
  }
  const pieces = piecesOf(sg, semantics);
  const overMapped = pieces.reduce((sum, piece) => sum + piece.overMapped, 0n);
  return {
    semantics,
    pieces,
    askedBytes: sg.byteLength,
    mappedBytes: sg.byteLength + overMapped,
    overMapped,
    refusals: refusalsOf(pieces, { sg, semantics, page: minPageSize, iova }),
  };
}

/** The plan for a domain, with the domain's smallest page. @throws IommuError as `planSg` does. */
export function planSgFor(
  domain: IommuDomain,
  iova: bigint,
  sg: Scatterlist,
  semantics: SgSemantics,
): SgPlan {
  const { pgsizeBitmap } = domain.format;
  // A table without page sizes refuses everything, with a better message than one about alignment.
  return planSg(sg, semantics, pgsizeBitmap & -pgsizeBitmap || 1n, iova);
}

/**
 * Maps a scatterlist under the given semantics: all of it or nothing. Unmap it with `domain.unmap(iova, plan.mappedBytes)`: `unmapSg`
 * only unmaps the requested bytes, which may be fewer than were mapped.
 * @returns the plan that was carried out.
 * @throws IommuError as `IommuDomain.mapSg` does (where Linux 3.18 returned 0 bytes); `planSg` says which entries can't be mapped at all.
 */
export function mapSgAs(
  domain: IommuDomain,
  iova: bigint,
  sg: Scatterlist,
  prot: Prot,
  semantics: SgSemantics,
): SgPlan {
  // An empty list: mapSg's checks of its arguments and of the domain apply to every semantics.
  domain.mapSg(iova, new Scatterlist({ capacity: 0 }), prot);
  const plan = planSgFor(domain, iova, sg, semantics);
  if (semantics === 'exact') {
    domain.mapSg(iova, sg, prot);
    return plan;
  }
  let done = 0n;
  for (const { entry, offset, phys, length } of plan.pieces) {
    try {
      domain.map(BigInt.asUintN(64, iova + offset), phys, length, prot);
    } catch (error) {
      // In one call, as Linux unwinds: sizes follow from the IOVA, so whole tables can be freed.
      if (done > 0n) domain.unmap(iova, done);
      throw error instanceof IommuError ? ofEntry(error, entry, plan) : error;
    }
    done = offset + length;
  }
  return plan;
}

/** The error of a refused piece, with its entry. If the semantics are the reason, it uses the plan's words. */
function ofEntry({ code, message, operands }: IommuError, entry: number, plan: SgPlan): IommuError {
  const refusal = code === 'EINVAL' ? plan.refusals.find((one) => one.entry === entry) : undefined;
  const why = refusal ? `${refusal.rule}; ${refusal.remedy}` : message.slice(code.length + 2);
  return new IommuError(code, `entry ${entry}: ${why}`, { ...operands, entry });
}

function piecesOf(sg: Scatterlist, semantics: SgSemantics): SgPiece[] {
  const pieces: SgPiece[] = [];
  let at = 0n;
  const add = (entry: number, last: number, phys: bigint, length: bigint, overMapped = 0n) => {
    pieces.push({ entry, last, offset: at, phys, length, overMapped });
    at += length;
  };
  if (semantics === 'exact') {
    for (const { phys, length, entry, last } of sg.runs()) add(entry, last, phys, length);
    return pieces;
  }
  const cpuPage = BigInt(sg.cpuPageSize);
  for (let entry = 0; entry < sg.count; entry++) {
    const { page, offset, length } = sg.entry(entry);
    const [start, bytes] = [BigInt(offset), BigInt(length)];
    if (semantics === 'per-entry') add(entry, entry, page + start, bytes);
    else {
      // This includes an empty entry that starts inside a page: only the rounding matters.
      const whole = ((start + bytes + cpuPage - 1n) / cpuPage) * cpuPage;
      add(entry, entry, page, whole, whole - bytes);
    }
  }
  return pieces;
}

interface Asked {
  readonly sg: Scatterlist;
  readonly semantics: SgSemantics;
  /** The IOMMU's smallest page. */
  readonly page: bigint;
  readonly iova: bigint;
}

function refusalsOf(pieces: readonly SgPiece[], asked: Asked): SgRefusal[] {
  const { sg, semantics, page: alignment, iova } = asked;
  // The runs that `exact` would map, for advice. Computed when the first entry is refused.
  let runs: SgPiece[] | undefined;
  let run = 0;
  return pieces.flatMap((piece) => {
    const values = misaligned(piece, asked);
    if (values.length === 0) return [];
    const { phys, length, offset } = piece;
    if (semantics !== 'exact') {
      runs ??= piecesOf(sg, 'exact');
      while (run < runs.length && runs[run]!.last < piece.entry) run++;
    }
    const joined = runs?.[run];
    const fitting = GRANULES.find((granule) => (phys | length | (iova + offset)) % granule === 0n);
    const remedies = [
      joined && joined.entry <= piece.entry && misaligned(joined, asked).length === 0
        ? `semantics exact, which maps it as part of ${hex(joined.length)} bytes at PA ${hex(joined.phys)},`
        : '',
      ownRemedy(piece, values, asked),
      fitting === undefined ? '' : `an IOMMU with pages of ${hex(fitting)}`,
    ].filter(Boolean);
    const rule = `${listed(values)} must be ${values.length > 1 ? 'multiples' : 'a multiple'} of the IOMMU's smallest page ${hex(alignment)}, ${SUBJECT[semantics]}`;
    const entry = entryToName(piece, values, asked);
    return [{ entry, phys, length, values, alignment, rule, remedy: `${remedies.join(' or ')} would do` }];
  });
}

const NAMES = { iova: 'IOVA', phys: 'PA', length: 'length' } as const;

/** What the rule applies to. */
const SUBJECT: Readonly<Record<SgSemantics, string>> = {
  exact: 'for each run of adjacent entries',
  'per-entry': 'for each single entry',
  'page-align': 'for each entry after rounding it to CPU pages',
};

/** The values that are not multiples of the smallest page, in the order in which errors of `map` name them. */
function misaligned({ offset, phys, length }: SgPiece, { iova, page }: Asked): SgValue[] {
  const values: SgValue[] = [
    { what: 'iova', value: BigInt.asUintN(64, iova + offset) },
    { what: 'phys', value: phys },
    { what: 'length', value: length },
  ];
  return values.filter(({ value }) => value % page !== 0n);
}

/** The entry to name, chosen as explain.ts does for `mapSg`. */
function entryToName({ entry, last }: SgPiece, values: readonly SgValue[], { sg, page }: Asked): number {
  return values[0]!.what === 'length' ? firstUneven({ sg, first: entry, last }, Number(page)) : entry;
}

/** What the list or the CPU's page size would have to look like. */
function ownRemedy(piece: SgPiece, values: readonly SgValue[], { semantics, sg, page, iova }: Asked): string {
  const wanted: string[] = [];
  if (iova % page !== 0n) wanted.push(`a list that starts at an IOVA that is a multiple of ${hex(page)}`);
  if (semantics === 'page-align' && BigInt(sg.cpuPageSize) < page) {
    wanted.push(`CPU pages of ${hex(page)} instead of ${hex(sg.cpuPageSize)}`);
    return wanted.join(' and ');
  }
  if (piece.offset % page !== 0n) wanted.push(`entries before it that fill whole pages of ${hex(page)}`);
  if (values.some(({ what }) => what !== 'iova')) {
    wanted.push(
      semantics === 'exact'
        ? `neighbours that join into whole pages of ${hex(page)}`
        : `an entry that starts and ends on multiples of ${hex(page)}`,
    );
  }
  return wanted.join(' and ');
}

function listed(values: readonly SgValue[]): string {
  return values.map(({ what, value }) => `${NAMES[what]} ${hex(value)}`).join(' and ');
}
