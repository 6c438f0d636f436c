/** Why a mapping was refused, in words: the value, the rule, and what would work. */
import { ERRNO, hex, IommuError, type IommuErrorCode, type IommuOperands } from '../pagetable/errors.ts';
import type { Prot } from '../pagetable/format.ts';
import type { Failure, PageTable } from '../pagetable/page-table.ts';

/** What the refused call was about, beyond the failure itself. */
export interface RefusedCall {
  readonly prot: Prot;
  /** The caller's first IOVA, and how the table counts it. */
  readonly iova: bigint;
  readonly ia: number;
  /** A run of a scatterlist: its extent and the index of its first entry. */
  readonly run?: {
    readonly phys: bigint;
    readonly length: bigint;
    readonly entry: number;
    readonly last: number;
  };
  readonly size: bigint;
}

/** The error for `failure`, with its operands. */
export function explainFailure(table: PageTable, failure: Failure, call: RefusedCall): IommuError {
  const code = codeOf(failure.errno);
  const iova = BigInt.asUintN(64, call.iova + BigInt(failure.ia - call.ia));
  const pa = BigInt(failure.pa);
  const base: IommuOperands = {
    iova,
    pa,
    size: call.run?.length ?? call.size,
    level: failure.level,
    ...(call.run ? { entry: call.run.entry } : {}),
  };
  const where = call.run ? `entry ${call.run.entry}: ` : '';
  switch (code) {
    case 'EINVAL':
      if (!call.prot.read && !call.prot.write) {
        return new IommuError(
          code,
          `${where}a mapping that is neither readable nor writable maps nothing; ask for read, write or both`,
          base,
        );
      }
      return misaligned(table, iova, call, base);
    case 'ERANGE':
      return outOfRange(table, failure, where, base);
    case 'EEXIST':
      return new IommuError(
        code,
        `${where}IOVA ${hex(iova)} is mapped already${at(table, failure)}; unmap it first`,
        base,
      );
    default:
      return new IommuError(
        code,
        `${where}no frame of ${hex(2 ** table.format.granuleLog2)} bytes is left for a table below level ${failure.level}; ${table.allocator.frameCount} frames are in use`,
        base,
      );
  }
}

function misaligned(table: PageTable, iova: bigint, call: RefusedCall, base: IommuOperands): IommuError {
  const page = 1n << BigInt(table.sizes[0]!);
  const size = base.size!;
  const bad = [
    iova % page ? `IOVA ${hex(iova)}` : '',
    base.pa! % page ? `PA ${hex(base.pa!)}` : '',
    size % page ? `length ${hex(size)}` : '',
  ].filter(Boolean);
  const operands = { ...base, alignment: page, pageSize: page };
  if (call.run === undefined) {
    return new IommuError(
      'EINVAL',
      `${bad.join(' and ')} must be a multiple of the smallest page ${hex(page)}`,
      operands,
    );
  }
  const { entry, last, phys, length } = call.run;
  const entries = last > entry ? `entries ${entry} to ${last}` : `entry ${entry}`;
  const culprit = base.pa! % page || iova % page || last === entry ? entry : last;
  return new IommuError(
    'EINVAL',
    `${entries}, ${hex(length)} bytes at PA ${hex(phys)} for IOVA ${hex(iova)}: ${bad.join(' and ')} must be a multiple of the IOMMU's smallest page ${hex(page)}; ` +
      `entries that touch are joined first, so neighbours that make up whole pages of ${hex(page)} would do, and so would a smaller granule`,
    { ...operands, entry: culprit },
  );
}

function outOfRange(table: PageTable, failure: Failure, where: string, base: IommuOperands): IommuError {
  const { format } = table;
  if (failure.ia >= table.iaEnd) {
    const last = format.firstIova + (1n << BigInt(format.ias)) - 1n;
    return new IommuError(
      'ERANGE',
      `${where}IOVA ${hex(base.iova!)} is outside [${hex(format.firstIova)}, ${hex(last)}], the ${format.ias} bits of input address of this table`,
      base,
    );
  }
  return new IommuError(
    'ERANGE',
    `${where}PA ${hex(base.pa!)} does not fit the ${format.oas} bits of output address of this table, up to page ends below ${hex(1n << BigInt(format.oas))}`,
    base,
  );
}

function at(table: PageTable, failure: Failure): string {
  const leaf = table.lookup(failure.ia);
  return leaf
    ? `, to PA ${hex(leaf.pa)} by a level ${leaf.level.level} entry at ${hex(leaf.descriptorPa)}`
    : '';
}

function codeOf(errno: number): IommuErrorCode {
  const found = (Object.keys(ERRNO) as IommuErrorCode[]).find((code) => ERRNO[code] === errno);
  return found ?? 'EINVAL';
}
