/** Operations as a golden file of kind `ops` (docs/golden-files.md): what this library answers, for other implementations to be compared with. */
import type { IommuDomain } from '../iommu/domain.ts';
import type { SgEntry, SgRange } from '../iommu/scatterlist.ts';
import { present } from '../json/schemas.ts';
import { hex } from '../memory/hex.ts';
import { type Answer, perform } from '../operations/perform.ts';
import type { Operation } from '../operations/schema.ts';
import {
  PROT_EXTRAS,
  PROT_FLAGS,
  type Prot,
  REGISTER_OPTIONS,
  type RegisterOption,
} from '../pagetable/format.ts';
import { counted } from '../text/numbers.ts';
import { madeOf } from './made.ts';
import { domainOf, type TimedRequest } from './timeline.ts';

/** A question that a golden file can't ask: what of it, and what would work. */
export class NoGoldenFileError extends Error {
  override readonly name = 'NoGoldenFileError';
}

/** Ranges whose first and last address become translations. */
const MOST_RANGES = 64;
/** A scatterlist here ends below. Linux has an answer for higher addresses too. */
const SG_END = 1n << 53n;

/**
 * The first `count` operations with their answers, the tables and translations behind them, as JSON that `lpae check` reads. Golden files know
 * map_sg as Linux has it: a list that is mapped with another meaning is written as the calls of `map` that were made for it.
 *
 * @throws NoGoldenFileError for what such a file can't say.
 * @throws IommuError where the format refuses the configuration.
 */
export function goldenFileOf(asked: TimedRequest, count = asked.ops.length): object {
  const domain = domainOf(asked);
  const carriedOut = asked.ops.slice(0, count);
  const config = configOf(asked, domain);
  const ops = carriedOut.flatMap((op, i) => rowsOf(op, perform(domain, op, asked), asked, `ops[${i}]`));
  const { linux, partialUnmap } = asked.options;
  return {
    schema: 'pgtable-golden/1',
    kind: 'ops',
    name: `${asked.format.name}, ${counted(ops.length, 'operation')}`,
    producer: 'lpae',
    note: 'lpae computed every answer in this file. That lpae check agrees with it proves nothing; another implementation that agrees does.',
    format: asked.format.name,
    config,
    ...present({ linux, partial_unmap: partialUnmap }),
    result: { pgsize_bitmap: hex(domain.format.pgsizeBitmap), registers: registersOf(domain) },
    ops,
    tables: domain.tables().map(({ pa, level, entries }) => ({
      pa: hex(pa),
      level,
      entries: Object.fromEntries(entries.map(({ index, descriptor }) => [index, hex(descriptor)])),
    })),
    translations: translationsOf(domain, carriedOut),
  };
}

function configOf({ options }: TimedRequest, { format }: IommuDomain): object {
  const { pgsizeBitmap, ias, oas, coherentWalk, quirks, features, concatenation, mair, regime } = options;
  if (regime !== undefined)
    throw new NoGoldenFileError(`golden files have no regime, which is ${regime} here`);
  if (options.reserved !== undefined && options.reserved.length > 0) {
    throw new NoGoldenFileError('golden files have no reserved ranges: ask the same without them');
  }
  const registers = (Object.keys(REGISTER_OPTIONS) as RegisterOption[]).map((name) => [name, options[name]]);
  // The CPU's page size, which golden files don't have, may have decided.
  const { cpuPageSize = 4096 } = options;
  const granule = options.granule ?? (Number(cpuPageSize) === 4096 ? undefined : decided(options, format));
  return {
    pgsize_bitmap: hex(pgsizeBitmap),
    ias,
    oas,
    ...present({ coherent_walk: coherentWalk, quirks, features, concatenation }),
    ...Object.fromEntries(
      [['mair', mair], ['granule', granule], ...registers].flatMap(([name, value]) =>
        value === undefined ? [] : [[name, hex(value as bigint | number)]],
      ),
    ),
  };
}

/** The granule, where more than one of them is among the page sizes. */
function decided({ pgsizeBitmap }: TimedRequest['options'], { granuleLog2 }: IommuDomain['format']) {
  const offered = [12n, 14n, 16n].filter((log2) => (pgsizeBitmap >> log2) & 1n);
  return offered.length > 1 ? 1n << BigInt(granuleLog2) : undefined;
}

function registersOf({ registers: { cfg } }: IommuDomain): object {
  return Object.fromEntries(
    Object.entries(cfg).map(([name, value]) => [name, typeof value === 'bigint' ? hex(value) : value]),
  );
}

/** An operation and its answer: one row, or one for each call that another meaning of map_sg makes. */
function rowsOf(op: Operation, answer: Answer, { semantics }: TimedRequest, where: string): object[] {
  const { ret, error, plan, ranges = [] } = answer;
  if (error?.code === 'ENOMEM') {
    throw new NoGoldenFileError(
      `${where}: memory for tables ran out, and golden files don't say how much there is: ask the same with more ram`,
    );
  }
  const row = { op: op.op, iova: hex(op.iova) };
  switch (op.op) {
    case 'map': {
      const prot = flagsOf(op.prot, where);
      return [{ ...row, paddr: hex(op.paddr), size: hex(op.size), prot, ret: retOf(ret) }];
    }
    case 'map_sg': {
      const prot = flagsOf(op.prot, where);
      const sg = op.sg.map(rangeOf);
      if (sg.some(({ phys }) => phys >= SG_END)) {
        throw new NoGoldenFileError(
          `${where}: its list has a PA from 2^53 on, where Linux's answer is not known`,
        );
      }
      if (semantics === 'exact') {
        return [
          { ...row, sg: sg.map(({ phys, length }) => [hex(phys), hex(length)]), prot, ret: retOf(ret) },
        ];
      }
      if (error !== undefined || plan === undefined) {
        throw new NoGoldenFileError(
          `${where}: golden files have Linux's map_sg alone, and ${semantics} refuses this list: choose exact`,
        );
      }
      return plan.pieces
        .filter(({ length }) => length > 0n)
        .map(({ offset, phys, length }) => ({
          op: 'map',
          iova: hex(BigInt.asUintN(64, op.iova + offset)),
          paddr: hex(phys),
          size: hex(length),
          prot,
          ret: 0,
        }));
    }
    case 'unmap':
      return [{ ...row, size: hex(op.size), ret: retOf(ret) }];
    case 'iova_to_phys':
      return [{ ...row, ret: retOf(ret) }];
    case 'dirty': {
      const { clear } = op;
      const found = ranges.map(({ iova, size }) => [hex(iova), hex(size)]);
      return [{ ...row, size: hex(op.size), ...present({ clear }), ranges: found, ret: retOf(ret) }];
    }
  }
}

function rangeOf(entry: SgEntry | SgRange): { phys: bigint; length: bigint } {
  const phys = 'phys' in entry ? BigInt(entry.phys) : BigInt(entry.page) + BigInt(entry.offset ?? 0);
  return { phys, length: BigInt(entry.length) };
}

function flagsOf(prot: Prot, where: string): string[] {
  const extra = PROT_EXTRAS.find((name) => prot[name] !== undefined);
  if (extra !== undefined) {
    throw new NoGoldenFileError(
      `${where}: golden files have Linux's prot flags alone, which ${extra} is not one of`,
    );
  }
  return PROT_FLAGS.filter((name) => prot[name]);
}

/** A negative errno and 0 as a number, bytes and addresses as text. */
function retOf(ret: bigint): string | number {
  return ret > 0n ? hex(ret) : Number(ret);
}

/** Both ends of what is mapped, as the walker sees it, and where each operation began. */
function translationsOf(domain: IommuDomain, ops: readonly Operation[]): object[] {
  const ends = madeOf(domain)
    .space.ranges.filter(({ result }) => result.ok)
    .slice(0, MOST_RANGES)
    .flatMap(({ first, last }) => [first, last]);
  const asked = new Set([...ends, ...ops.slice(0, MOST_RANGES).map(({ iova }) => iova)]);
  return [...asked].map((iova) => {
    const pa = domain.iovaToPhys(iova);
    return { iova: hex(iova), pa: pa === null ? null : hex(pa) };
  });
}
