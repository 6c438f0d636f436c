/**
 * CPU pages of 4K, 16K and 64K against IOMMU pages of 4K, 16K and 64K, all nine: what each meaning of map_sg does with three kinds of lists, and why.
 * The tables of docs/granules.md are held to the same rows, cell by cell.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { IommuError, mapSgAs, Scatterlist, type SgSemantics } from '../../src/index.ts';
import { judgeSemantics } from '../../src/study/semantics.ts';
import { SIZES_4K, SIZES_16K, SIZES_64K } from '../support/configs.ts';
import { everyLeaf, machine } from '../support/machine.ts';

const BYTES: Readonly<Record<string, number>> = { '4K': 0x1000, '16K': 0x4000, '64K': 0x1_0000 };
const BITMAPS: Readonly<Record<string, bigint>> = { '4K': SIZES_4K, '16K': SIZES_16K, '64K': SIZES_64K };
const IOVA = 0x1000_0000n;

type ListName = 'scattered' | 'adjacent' | 'parts';

/** Entries by CPU page size: `[phys, length]`. */
const LISTS: Readonly<Record<ListName, (page: number) => [number, number][]>> = {
  // Four pages, each the second of its MiB.
  scattered: (page) => [0, 1, 2, 3].map((i) => [0x8000_0000 + i * 0x10_0000 + page, page]),
  // Sixteen pages behind each other.
  adjacent: (page) => Array.from({ length: 16 }, (_, i): [number, number] => [0x9000_0000 + i * page, page]),
  // The last 4K of the same four pages.
  parts: (page) => [0, 1, 2, 3].map((i) => [0x8000_0000 + i * 0x10_0000 + 2 * page - 0x1000, 0x1000]),
};

type Row = [cpu: string, iommu: string, exact: string, perEntry: string, pageAlign: string];

const MATRIX: Readonly<Record<ListName, readonly Row[]>> = {
  scattered: [
    ['4K', '4K', 'maps', 'maps', 'maps'],
    ['4K', '16K', ...thrice('refused at entry 0: PA 0x80001000, length 0x1000')],
    ['4K', '64K', ...thrice('refused at entry 0: PA 0x80001000, length 0x1000')],
    ['16K', '4K', 'maps', 'maps', 'maps'],
    ['16K', '16K', 'maps', 'maps', 'maps'],
    ['16K', '64K', ...thrice('refused at entry 0: PA 0x80004000, length 0x4000')],
    ['64K', '4K', 'maps', 'maps', 'maps'],
    ['64K', '16K', 'maps', 'maps', 'maps'],
    ['64K', '64K', 'maps', 'maps', 'maps'],
  ],
  adjacent: [
    ['4K', '4K', 'maps', 'maps', 'maps'],
    ['4K', '16K', 'maps', 'refused at entry 0: length 0x1000', 'refused at entry 0: length 0x1000'],
    ['4K', '64K', 'maps', 'refused at entry 0: length 0x1000', 'refused at entry 0: length 0x1000'],
    ['16K', '4K', 'maps', 'maps', 'maps'],
    ['16K', '16K', 'maps', 'maps', 'maps'],
    ['16K', '64K', 'maps', 'refused at entry 0: length 0x4000', 'refused at entry 0: length 0x4000'],
    ['64K', '4K', 'maps', 'maps', 'maps'],
    ['64K', '16K', 'maps', 'maps', 'maps'],
    ['64K', '64K', 'maps', 'maps', 'maps'],
  ],
  parts: [
    ['4K', '4K', 'maps', 'maps', 'maps'],
    ['4K', '16K', ...thrice('refused at entry 0: PA 0x80001000, length 0x1000')],
    ['4K', '64K', ...thrice('refused at entry 0: PA 0x80001000, length 0x1000')],
    ['16K', '4K', 'maps', 'maps', 'maps, 48K too much'],
    ['16K', '16K', ...twice('refused at entry 0: PA 0x80007000, length 0x1000'), 'maps, 48K too much'],
    [
      '16K',
      '64K',
      ...twice('refused at entry 0: PA 0x80007000, length 0x1000'),
      'refused at entry 0: PA 0x80004000, length 0x4000',
    ],
    ['64K', '4K', 'maps', 'maps', 'maps, 240K too much'],
    ['64K', '16K', ...twice('refused at entry 0: PA 0x8001f000, length 0x1000'), 'maps, 240K too much'],
    ['64K', '64K', ...twice('refused at entry 0: PA 0x8001f000, length 0x1000'), 'maps, 240K too much'],
  ],
};

function twice(cell: string): [string, string] {
  return [cell, cell];
}

function thrice(cell: string): [string, string, string] {
  return [cell, cell, cell];
}

function cellOf(list: ListName, cpu: string, iommu: string, semantics: SgSemantics): string {
  const cpuPageSize = BYTES[cpu]!;
  const page = BYTES[iommu]!;
  const ranges = LISTS[list](cpuPageSize).map(([phys, length]) => ({ phys: BigInt(phys), length }));
  const sg = Scatterlist.from(ranges, { cpuPageSize });
  const workload = { name: list, question: '?', cpuPageSize, requests: [{ iova: IOVA, sg }] };
  const judged = judgeSemantics(workload, semantics, page);
  const m = machine(arm64LpaeS1, { pgsizeBitmap: BITMAPS[iommu]!, ias: 39, oas: 48 });
  try {
    const { overMapped, mappedBytes } = mapSgAs(m.domain, IOVA, sg, { read: true, write: true }, semantics);
    const seen = everyLeaf(m).reduce((sum, { leaf }) => sum + leaf.size, 0n);
    expect([seen, judged.maps, judged.overMapped]).toEqual([mappedBytes, true, overMapped]);
    return overMapped === 0n ? 'maps' : `maps, ${overMapped / 1024n}K too much`;
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    expect([error.code, everyLeaf(m), judged.maps]).toEqual(['EINVAL', [], false]);
    const { entry, alignment } = error.operands;
    expect([judged.first?.entry, alignment]).toEqual([entry, BigInt(page)]);
    const [, values] = / ((?:(?:IOVA|PA|length) 0x[0-9a-f]+(?: and )?)+) must be /.exec(error.message)!;
    return `refused at entry ${entry}: ${values!.replaceAll(' and ', ', ')}`;
  }
}

/** The rows of a Markdown table below a heading, without its head. */
function tableBelow(heading: string): string[][] {
  const text = readFileSync(resolve(import.meta.dirname, '../../docs/granules.md'), 'utf8');
  const [, part] = text.split(`\n## ${heading}\n`);
  const [, table] = /\n(\|(?:.+)\|\n\|(?:[-| ]+)\|\n(?:\|.+\|\n)+)/.exec(part!)!;
  const rows = table!.trim().split('\n').slice(2);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const HEADINGS: Readonly<Record<ListName, string>> = {
  scattered: 'Single CPU pages, scattered',
  adjacent: 'CPU pages that are adjacent',
  parts: 'Parts of CPU pages',
};

describe.each(['scattered', 'adjacent', 'parts'] as const)('%s', (list) => {
  test('has nine cells', () => {
    expect(new Set(MATRIX[list].map(([cpu, iommu]) => `${cpu} ${iommu}`)).size).toBe(9);
  });

  test.each(MATRIX[list])('CPU %s, IOMMU %s', (cpu, iommu, ...cells) => {
    const found = (['exact', 'per-entry', 'page-align'] as const).map((semantics) =>
      cellOf(list, cpu, iommu, semantics),
    );
    expect(found).toEqual(cells);
  });

  test('stands like that in docs/granules.md', () => {
    expect(tableBelow(HEADINGS[list])).toEqual(MATRIX[list]);
  });
});
