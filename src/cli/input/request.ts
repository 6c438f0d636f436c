/** Map requests, which `lpae map` reads. Their operations are those of golden `ops` files, so each of those is a request too. */
import * as v from 'valibot';
import { formatNamed, formats } from '../../../formats/index.ts';
import { mairWith } from '../../../formats/lpae/mair.ts';
import type { DomainOptions, SgSemantics } from '../../index.ts';
import { RESERVED_TYPES, type ReservedRange } from '../../iommu/reserved.ts';
import { SG_SEMANTICS } from '../../iommu/sg-semantics.ts';
import {
  atLeast,
  isObject,
  isSaid,
  maybe,
  members,
  oneShapeOf,
  pair,
  present,
  whole,
} from '../../json/schemas.ts';
import {
  choicesBeside,
  choicesInConfig,
  contradiction,
  optionsIn,
  registersInConfig,
} from '../../operations/choices.ts';
import { type Operation, operationSchema, protFlags, trackedRange } from '../../operations/schema.ts';
import {
  DEVICE_TYPES,
  type DeviceType,
  EXECUTE,
  type FormatModule,
  PROT_EXTRAS,
  PROT_FLAGS,
  type Prot,
  QUIRKS,
  SHAREABILITY_DOMAINS,
  STAGE1_REGIMES,
} from '../../pagetable/format.ts';
import { inputError } from '../io.ts';
import { type DmaPart, dmaPart, dmaSchema } from './dma-request.ts';
import { ADDRESS, address, readDocument } from './json.ts';

export interface MapRequest {
  readonly name: string | undefined;
  readonly format: FormatModule;
  /** The options of the domain: the format's request, and what unmapping a part of a block does. */
  readonly options: DomainOptions;
  /** The CPU's page size in bytes, the unit of scatterlist entries. */
  readonly cpuPageSize: bigint;
  /** The meaning of map_sg. */
  readonly semantics: SgSemantics;
  /** Where the tables lie. */
  readonly ram: { readonly base: bigint; readonly size: bigint };
  readonly ops: readonly Operation[];
  /** What the DMA layer is asked for, after the operations. */
  readonly dma: DmaPart | undefined;
}

const DEFAULT_RAM = { base: 0x8000_0000n, size: 1n << 30n };
const DEFAULT_PROT: Prot = { read: true, write: true };
const PA_END = 1n << 52n;

/** Properties that Linux's flags can't express. */
const fullProt = v.pipe(
  members({
    ...v.entriesFromList(PROT_FLAGS, maybe(v.boolean())),
    device: maybe(v.picklist(DEVICE_TYPES)),
    execute: maybe(v.picklist(EXECUTE)),
    shareability: maybe(v.picklist(SHAREABILITY_DOMAINS)),
    mairIndex: maybe(whole(0, 15)),
    poIndex: maybe(whole(0, 7)),
    global: maybe(v.boolean()),
    nonSecure: maybe(v.boolean()),
  }),
  v.transform((prot): Prot => present(prot)),
);
const prot = maybe(
  oneShapeOf(
    [protFlags, fullProt],
    (json) => (Array.isArray(json) ? protFlags : isObject(json) ? fullProt : undefined),
    'must be a list of flags, or an object that has them',
  ),
);

const entryPair = pair({ phys: address, length: address });
const entryRange = members({ phys: address, length: address });
const entryPages = v.pipe(
  members({ page: address, offset: maybe(address), length: address }),
  v.transform(({ page, offset = 0n, length }) => ({ page, offset: Number(offset), length })),
);
const entry = oneShapeOf(
  [entryPair, entryRange, entryPages],
  (json) => {
    if (Array.isArray(json)) return entryPair;
    if (!isObject(json)) return undefined;
    return isSaid(json.phys) ? entryRange : entryPages;
  },
  'must be ["0x<phys>", "0x<length>"], { phys, length } or { page, offset, length }',
);
const sg = v.array(entry);
const trackedRanges = maybe(v.array(trackedRange(address)));

const errno = v.pipe(
  whole(-4095, -1),
  v.transform((code) => BigInt(code)),
);
/** Linux's return values: a negative errno as a number, bytes and addresses as strings. */
const ret = maybe(
  oneShapeOf([errno, address], (json) => (typeof json === 'number' && json < 0 ? errno : address), ADDRESS),
);

const configSchema = members({
  pgsize_bitmap: address,
  ias: whole(0, 64),
  oas: whole(0, 64),
  coherent_walk: maybe(v.boolean()),
  quirks: maybe(v.array(v.picklist(QUIRKS))),
  ...choicesInConfig,
  mair: maybe(address),
  granule: maybe(address),
  ...registersInConfig(address),
  regime: maybe(v.picklist(STAGE1_REGIMES)),
});

/** A member of golden files that requests ignore. */
const answered = maybe(v.unknown());

const reservedPair = pair({ iova: address, size: address });
const reservedRange = members({ iova: address, size: address, type: maybe(v.picklist(RESERVED_TYPES)) });
const reserved = v.pipe(
  v.array(
    oneShapeOf(
      [reservedPair, reservedRange],
      (json) => (Array.isArray(json) ? reservedPair : isObject(json) ? reservedRange : undefined),
      'must be ["0x<iova>", "0x<size>"] or { iova, size, type }',
    ),
  ),
  v.transform((ranges) => ranges.map((range) => present(range) as ReservedRange)),
);

/** The error for a request without an operation, or for another kind of file. */
function asksForNothing({
  kind,
  ops,
  ranges,
  sg,
  dma,
}: Readonly<Record<string, unknown>>): string | undefined {
  const ranged = isSaid(ranges) && !(Array.isArray(ranges) && ranges.length === 0);
  if ((isSaid(kind) && kind !== 'ops') || isSaid(ops) || ranged || isSaid(sg) || isSaid(dma))
    return undefined;
  return 'asks for nothing: it needs ops, ranges, iova and sg, or dma (lpae map --help shows examples)';
}

/** The JSON of a map request. */
export const requestSchema = members(
  {
    kind: maybe(v.literal('ops')),
    format: v.string(),
    config: configSchema,
    cpu_page_size: maybe(address),
    semantics: maybe(v.picklist(SG_SEMANTICS)),
    ...choicesBeside,
    ram: maybe(members({ base: address, size: address })),
    prot,
    iova: maybe(address),
    sg: maybe(sg),
    reserved: maybe(reserved),
    dma: maybe(dmaSchema(entry)),
    ranges: maybe(v.array(members({ iova: address, paddr: address, size: address, prot }))),
    ops: maybe(v.array(operationSchema({ address, prot, entry, ranges: trackedRanges, ret }))),
    name: maybe(v.string()),
    tables: maybe(v.array(atLeast({ pa: address }))),
    schema: answered,
    producer: answered,
    note: answered,
    result: answered,
    translations: answered,
  },
  asksForNothing,
);
type RequestFile = v.InferOutput<typeof requestSchema>;

/** @throws CliError (input) that names the part which is not as it must be. */
export function parseRequest(json: unknown, source: string): MapRequest {
  const file = readDocument(requestSchema, json, source);
  const cpuPageSize = file.cpu_page_size ?? 4096n;
  const problem = contradiction(file.config, file);
  if (problem !== undefined) throw inputError(`${source}: ${problem}`);
  const format = formatOf(file.format);
  const ops = opsOf(file, source);
  const mair = format.stage === 1 && file.config.mair === undefined ? mairWith(devicesOf(ops)) : undefined;
  return {
    name: file.name,
    format,
    options: {
      ...optionsIn(file.config, file),
      cpuPageSize,
      ...present({ reserved: file.reserved, mair }),
    },
    cpuPageSize,
    semantics: file.semantics ?? SG_SEMANTICS[0],
    ram: file.ram ?? ramOf(file.tables),
    ops,
    dma: file.dma && dmaPart(file.dma, source),
  };
}

/** The Device types that prots ask for. */
function devicesOf(ops: readonly Operation[]): DeviceType[] {
  return ops.flatMap((op) => ('prot' in op && op.prot?.device !== undefined ? [op.prot.device] : []));
}

function formatOf(name: string): FormatModule {
  const format = formatNamed(name);
  if (format) return format;
  throw inputError(
    `format ${name} is not supported`,
    `supported are ${formats.map((known) => known.name).join(', ')}`,
  );
}

/** Listed operations, then ranges, then the one scatterlist. */
function opsOf(file: RequestFile, source: string): Operation[] {
  const { ops, ranges, sg, iova, prot = DEFAULT_PROT } = file;
  if (sg !== undefined && iova === undefined) {
    throw inputError(`${source}: iova ${ADDRESS}, but is missing`, 'it says where sg is mapped');
  }
  return [
    ...(ops ?? []).map((op) => ('prot' in op ? { ...op, prot: op.prot ?? prot } : op)),
    ...(ranges ?? []).map((range) => ({ op: 'map' as const, ...range, prot: range.prot ?? prot })),
    ...(sg !== undefined && iova !== undefined ? [{ op: 'map_sg' as const, iova, sg, prot }] : []),
  ];
}

/** The RAM of a golden file's own tables, or else 1 GiB at 0x8000_0000. */
function ramOf(tables: RequestFile['tables']): { base: bigint; size: bigint } {
  const base = tables?.[0]?.pa;
  if (base === undefined) return DEFAULT_RAM;
  return { base, size: PA_END - base < DEFAULT_RAM.size ? PA_END - base : DEFAULT_RAM.size };
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
