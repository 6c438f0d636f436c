/** Golden files of kind `ops`: operations replayed on a domain, and every answer, register, descriptor and translation compared. */
import { formatNamed } from '../../formats/index.ts';
import { IommuDomain } from '../iommu/domain.ts';
import { Scatterlist } from '../iommu/scatterlist.ts';
import { PhysicalMemory } from '../memory/index.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import type { FormatModule, FormatRequest, Level, Prot } from '../pagetable/format.ts';
import { createWalker, type Walker } from '../walker/index.ts';
import { compareRegisters } from './registers.ts';
import { type Difference, GoldenFileError, type GoldenResult } from './result.ts';
import { type GoldenConfig, type GoldenOp, opsFileSchema, parseGolden } from './schema.ts';
import { compareTables } from './tables.ts';
import { disagreement, walkAnyAccess } from './witness.ts';

/** @throws GoldenFileError for a format that is not known here. */
export function formatOf(name: string): FormatModule {
  const format = formatNamed(name);
  if (format === undefined) throw new GoldenFileError(`format: ${name} is not a format known here`);
  return format;
}

/** A golden file's config as a request. */
export function requestOf(config: GoldenConfig): FormatRequest {
  return {
    pgsizeBitmap: config.pgsize_bitmap,
    ias: config.ias,
    oas: config.oas,
    coherentWalk: config.coherent_walk,
    quirks: config.quirks,
  };
}

/**
 * Runs one file. The table memory lies where the file's producer had it, so that table pointers have the same upper bits.
 * @throws GoldenFileError when `json` is not such a file, or its format is not known here.
 */
export function checkOps(json: unknown): GoldenResult {
  const file = parseGolden(opsFileSchema, json);
  const format = formatOf(file.format);
  const goldenRoot = file.tables[0]?.pa ?? 0x8000_0000n;
  const memory = memoryAt(goldenRoot);
  const differences: Difference[] = [];
  let domain: IommuDomain;
  try {
    domain = new IommuDomain(memory, format, requestOf(file.config));
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    return {
      name: file.name,
      checked: 1,
      differences: [{ where: 'config', want: 'a table', got: error.message }],
    };
  }
  // Linux makes tables wherever its allocator has frames; where the output size can't reach them, hardware has no word on them.
  const reachable = domain.root >> BigInt(domain.format.oas) === 0n;
  const walker = reachable ? createWalker(memory, domain.registers.hardware) : undefined;
  let checked = 1;

  if (domain.format.pgsizeBitmap !== file.result.pgsize_bitmap) {
    differences.push({
      where: 'result.pgsize_bitmap',
      want: hex(file.result.pgsize_bitmap),
      got: hex(domain.format.pgsizeBitmap),
    });
  }
  const roots = { want: goldenRoot, got: domain.root };
  const registers = compareRegisters(file.result.registers, domain.registers.cfg, roots, 'result.registers');
  differences.push(...registers.differences);
  checked += registers.checked;

  for (const [i, op] of file.ops.entries()) {
    differences.push(...runOp(domain, walker, op, `ops[${i}] ${op.op}`));
    checked++;
  }

  const tables = compareTables(domain.format, file.tables, domain.tables());
  differences.push(...tables.differences);
  checked += tables.checked;

  for (const [i, { iova, pa }] of file.translations.entries()) {
    const where = `translations[${i}] IOVA ${hex(iova)}`;
    const want = pa === null ? 'not mapped' : hex(pa);
    const got = domain.iovaToPhys(iova);
    if (got !== pa) differences.push({ where, want, got: got === null ? 'not mapped' : hex(got) });
    checked++;
    if (walker === undefined) continue;
    const walk = walkAnyAccess(walker, iova);
    if (walk.ok ? walk.pa !== pa : pa !== null) {
      differences.push({
        where: `${where}, by the walker`,
        want,
        got: walk.ok ? hex(walk.pa) : `a ${walk.fault.kind} fault at level ${walk.fault.level}`,
      });
    }
  }
  return { name: file.name, checked, differences };
}

/** RAM for tables from `root` on: as much as the 52-bit address space has there, up to 16 GiB. */
function memoryAt(root: bigint): PhysicalMemory {
  const left = (1n << 52n) - root;
  const most = 1n << 34n;
  return new PhysicalMemory({ base: root, size: left < most ? left : most });
}

/** Runs one operation: its return value must be the file's, and the walker must see what it did. */
function runOp(domain: IommuDomain, walker: Walker | undefined, op: GoldenOp, where: string): Difference[] {
  const { ret, error } = perform(domain, op);
  if (ret !== op.ret) {
    return [
      { where: `${where} ret`, want: showRet(op.ret), got: `${showRet(ret)}${error ? ` (${error})` : ''}` },
    ];
  }
  const seen = walker && witness(walker, domain.format.levels, op, ret);
  return seen === undefined ? [] : [{ where: `${where}, by the walker`, ...seen }];
}

function perform(domain: IommuDomain, op: GoldenOp): { ret: bigint; error?: string } {
  try {
    switch (op.op) {
      case 'map':
        domain.map(op.iova, op.paddr, op.size, protOf(op.prot));
        return { ret: 0n };
      case 'map_sg':
        return { ret: domain.mapSg(op.iova, scatterlistOf(op.sg), protOf(op.prot)) };
      case 'unmap':
        return { ret: domain.unmap(op.iova, op.size) };
      case 'iova_to_phys':
        return { ret: domain.iovaToPhys(op.iova) ?? 0n };
    }
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    return { ret: BigInt(error.errno), error: error.message };
  }
}

function witness(walker: Walker, levels: readonly Level[], op: GoldenOp, ret: bigint) {
  if (ret < 0n) return undefined;
  if (op.op === 'map') return disagreement(walker, levels, op.iova, op.size, op.paddr);
  if (op.op === 'unmap') return disagreement(walker, levels, op.iova, ret, null);
  if (op.op === 'iova_to_phys') return undefined;
  let iova = op.iova;
  for (const [phys, length] of op.sg) {
    const seen = disagreement(walker, levels, iova, length, phys);
    if (seen) return seen;
    iova += length;
  }
  return undefined;
}

export function protOf(names: readonly (keyof Prot)[]): Prot {
  return Object.fromEntries(names.map((name) => [name, true]));
}

export function scatterlistOf(sg: readonly (readonly [bigint, bigint])[]): Scatterlist {
  return Scatterlist.from(sg.map(([phys, length]) => ({ phys, length })));
}

function showRet(ret: bigint): string {
  return ret < 0n ? String(ret) : hex(ret);
}
