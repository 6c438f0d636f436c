/** Map requests: what `lpae map` reads. The vocabulary is that of golden `ops` files, so that each of those is a request too. */
import { formatNamed, formats } from '../../../formats/index.ts';
import type { SgEntry, SgRange, SgSemantics } from '../../index.ts';
import { SG_SEMANTICS } from '../../iommu/sg-semantics.ts';
import {
  DEVICE_TYPES,
  EXECUTE,
  FEATURES,
  type FormatModule,
  type FormatRequest,
  PROT_EXTRAS,
  PROT_FLAGS,
  type Prot,
  QUIRKS,
  SHAREABILITY_DOMAINS,
} from '../../pagetable/format.ts';
import { PARTIAL_UNMAP, type PartialUnmap } from '../../pagetable/partial-unmap.ts';
import { inputError } from '../io.ts';
import { JsonPart } from './json-part.ts';

export interface MapRequest {
  readonly name: string | undefined;
  readonly format: FormatModule;
  readonly config: FormatRequest;
  /** The CPU's page size in bytes: what scatterlist entries are made of. */
  readonly cpuPageSize: bigint;
  /** What map_sg means, and what unmapping a part of a block does. */
  readonly semantics: SgSemantics;
  readonly partialUnmap: PartialUnmap;
  /** Where the tables lie. */
  readonly ram: { readonly base: bigint; readonly size: bigint };
  readonly ops: readonly RequestOp[];
}

/** `want` is what a golden file says the operation returns. */
export type RequestOp = { readonly iova: bigint; readonly want?: bigint } & (
  | { readonly op: 'map'; readonly paddr: bigint; readonly size: bigint; readonly prot: Prot }
  | { readonly op: 'map_sg'; readonly sg: readonly (SgEntry | SgRange)[]; readonly prot: Prot }
  | { readonly op: 'unmap'; readonly size: bigint }
  | { readonly op: 'iova_to_phys' }
);

const DEFAULT_RAM = { base: 0x8000_0000n, size: 1n << 30n };
const PA_END = 1n << 52n;

const ASKED = [
  'format',
  'config',
  'cpu_page_size',
  'semantics',
  'partial_unmap',
  'ram',
  'prot',
  'iova',
  'sg',
  'ranges',
  'ops',
] as const;
/** Members of golden files that are not part of the question. */
const ANSWERED = ['schema', 'kind', 'name', 'producer', 'note', 'result', 'tables', 'translations'] as const;

/** @throws CliError (input) that names the part which is not as it must be. */
export function parseRequest(json: unknown, source: string): MapRequest {
  const file = new JsonPart(json, source).allowKeys([...ASKED, ...ANSWERED]);
  const kind = file.get('kind');
  if (kind.isPresent) kind.oneOf(['ops']);
  const cpuPageSize = file.get('cpu_page_size').isPresent ? file.get('cpu_page_size').address() : 4096n;
  const prot = file.get('prot').isPresent ? parseProt(file.get('prot')) : { read: true, write: true };
  const ops: RequestOp[] = [];
  const [listed, ranges] = [file.get('ops'), file.get('ranges')];
  if (listed.isPresent) for (const op of listed.items()) ops.push(parseOp(op, prot));
  if (ranges.isPresent) {
    for (const range of ranges.items()) {
      range.allowKeys(['iova', 'paddr', 'size', 'prot']);
      ops.push({ op: 'map', ...parseMap(range, prot) });
    }
  }
  if (file.get('sg').isPresent) {
    ops.push({ op: 'map_sg', iova: file.get('iova').address(), sg: parseSg(file.get('sg')), prot });
  }
  if (ops.length === 0 && !listed.isPresent) {
    file.fail('asks for nothing: it needs ops, ranges, or iova and sg', 'lpae map --help shows examples');
  }
  const name = file.get('name');
  return {
    name: name.isPresent ? name.string() : undefined,
    format: parseFormat(file.get('format')),
    config: { ...parseConfig(file.get('config')), cpuPageSize },
    cpuPageSize,
    semantics: oneOf(file.get('semantics'), SG_SEMANTICS),
    partialUnmap: oneOf(file.get('partial_unmap'), PARTIAL_UNMAP),
    ram: parseRam(file),
    ops,
  };
}

function parseFormat(part: JsonPart): FormatModule {
  const name = part.string();
  const format = formatNamed(name);
  if (format) return format;
  throw inputError(
    `format ${name} is not supported`,
    `supported are ${formats.map((known) => known.name).join(', ')}`,
  );
}

function parseConfig(part: JsonPart): FormatRequest {
  part.allowKeys(['pgsize_bitmap', 'ias', 'oas', 'coherent_walk', 'quirks', 'features', 'mair']);
  const coherent = part.get('coherent_walk');
  const quirks = part.get('quirks');
  const features = part.get('features');
  const mair = part.get('mair');
  return {
    pgsizeBitmap: part.get('pgsize_bitmap').address(),
    ias: part.get('ias').integer(0, 64),
    oas: part.get('oas').integer(0, 64),
    ...(coherent.isPresent && { coherentWalk: coherent.boolean() }),
    ...(quirks.isPresent && { quirks: quirks.items().map((quirk) => quirk.oneOf(QUIRKS)) }),
    ...(features.isPresent && { features: features.items().map((one) => one.oneOf(FEATURES)) }),
    ...(mair.isPresent && { mair: mair.address() }),
  };
}

/** `ram` as in golden images; else where a golden file's own tables lie, else 1 GiB at 0x8000_0000. */
function parseRam(file: JsonPart): { base: bigint; size: bigint } {
  const ram = file.get('ram');
  if (ram.isPresent) {
    ram.allowKeys(['base', 'size']);
    return { base: ram.get('base').address(), size: ram.get('size').address() };
  }
  const tables = file.get('tables');
  const [root] = tables.isPresent ? tables.items() : [];
  if (root === undefined) return DEFAULT_RAM;
  const base = root.get('pa').address();
  const size = PA_END - base < DEFAULT_RAM.size ? PA_END - base : DEFAULT_RAM.size;
  return { base, size };
}

function parseOp(part: JsonPart, prot: Prot): RequestOp {
  const op = part.get('op').oneOf(['map', 'map_sg', 'unmap', 'iova_to_phys']);
  const iova = part.get('iova').address();
  const want = parseWanted(part.get('ret'));
  switch (op) {
    case 'map':
      part.allowKeys(['op', 'iova', 'paddr', 'size', 'prot', 'ret']);
      return { op, ...parseMap(part, prot), ...want };
    case 'map_sg': {
      part.allowKeys(['op', 'iova', 'sg', 'prot', 'ret']);
      return { op, iova, sg: parseSg(part.get('sg')), prot: protOf(part, prot), ...want };
    }
    case 'unmap':
      part.allowKeys(['op', 'iova', 'size', 'ret']);
      return { op, iova, size: part.get('size').address(), ...want };
    case 'iova_to_phys':
      part.allowKeys(['op', 'iova', 'ret']);
      return { op, iova, ...want };
  }
}

function parseMap(part: JsonPart, prot: Prot) {
  return {
    iova: part.get('iova').address(),
    paddr: part.get('paddr').address(),
    size: part.get('size').address(),
    prot: protOf(part, prot),
  };
}

/** Linux's return values: a negative errno as a number, bytes and addresses as strings. */
function parseWanted(part: JsonPart): { want?: bigint } {
  if (!part.isPresent) return {};
  if (typeof part.value === 'number' && part.value < 0) return { want: BigInt(part.integer(-4095, 0)) };
  return { want: part.address() };
}

function protOf(part: JsonPart, otherwise: Prot): Prot {
  return part.get('prot').isPresent ? parseProt(part.get('prot')) : otherwise;
}

/** The first of `names` where nothing is said. */
function oneOf<T extends string>(part: JsonPart, names: readonly [T, ...T[]]): T {
  return part.isPresent ? part.oneOf(names) : names[0];
}

/** Linux's flags as a list of names, or an object of them that can say more. */
function parseProt(part: JsonPart): Prot {
  if (part.isObject) return parseFullProt(part);
  return Object.fromEntries(part.items().map((flag) => [flag.oneOf(PROT_FLAGS), true]));
}

function parseFullProt(part: JsonPart): Prot {
  part.allowKeys([...PROT_FLAGS, ...PROT_EXTRAS]);
  const flags = PROT_FLAGS.filter((flag) => part.get(flag).isPresent);
  const [device, execute, shareability, index] = PROT_EXTRAS.map((name) => part.get(name));
  return {
    ...Object.fromEntries(flags.map((flag) => [flag, part.get(flag).boolean()])),
    ...(device!.isPresent && { device: device!.oneOf(DEVICE_TYPES) }),
    ...(execute!.isPresent && { execute: execute!.oneOf(EXECUTE) }),
    ...(shareability!.isPresent && { shareability: shareability!.oneOf(SHAREABILITY_DOMAINS) }),
    ...(index!.isPresent && { mairIndex: index!.integer(0, 7) }),
  };
}

/** Entries as `["0xphys", "0xlength"]`, `{ phys, length }` or `{ page, offset, length }`. */
function parseSg(part: JsonPart): (SgEntry | SgRange)[] {
  return part.items().map((entry) => {
    if (entry.isArray) {
      const [phys, length, ...more] = entry.items();
      if (phys === undefined || length === undefined || more.length) {
        return entry.fail('must be a pair: ["0x<phys>", "0x<length>"]');
      }
      return { phys: phys.address(), length: length.address() };
    }
    if (entry.get('phys').isPresent) {
      entry.allowKeys(['phys', 'length']);
      return { phys: entry.get('phys').address(), length: entry.get('length').address() };
    }
    entry.allowKeys(['page', 'offset', 'length']);
    const offset = entry.get('offset');
    return {
      page: entry.get('page').address(),
      offset: offset.isPresent ? Number(offset.address()) : 0,
      length: entry.get('length').address(),
    };
  });
}

/** `read write cache`, `read device=GRE`. */
export function protText(prot: Prot): string {
  const extras = PROT_EXTRAS.filter((name) => prot[name] !== undefined);
  const said = [
    ...PROT_FLAGS.filter((name) => prot[name]),
    ...extras.map((name) => `${name}=${String(prot[name])}`),
  ];
  return said.join(' ') || 'no access';
}
