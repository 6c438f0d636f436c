/**
 * Reads Linux's trace events `rwmmio:*` and `iommu:*` as ftrace prints them: register accesses of the SMMUv3 driver, and what was mapped. What the driver
 * wrote to memory is in neither.
 */
import { SMMU_REGISTERS } from '../arch/smmu/index.ts';
import { hex } from '../memory/hex.ts';
import { SmmuTraceError } from '../smmu/trace.ts';
import { type DraftMachine, type ReadTrace, registerAt, TraceDraft } from './draft.ts';

/** What the caller knows of the machine. */
export interface LinuxEventsOptions extends Partial<DraftMachine> {
  /** Where the kernel maps register page 0, a virtual address. Default: the lowest address that a function of arm_smmu uses. */
  readonly virtualBase?: bigint;
  /** Where it maps page 1, if not 64K above. Default: looked for among the addresses. */
  readonly virtualPage1?: bigint;
}

/** A call of the IOMMU API, or a fault that was reported. */
export interface IommuEvent {
  /** Number of the step that follows it. */
  readonly step: number;
  readonly kind: 'map' | 'unmap' | 'fault';
  readonly iova: bigint;
  /** In bytes; undefined for a fault. */
  readonly size: bigint | undefined;
  /** Of a map. */
  readonly pa: bigint | undefined;
}

/** The trace, and the calls of the IOMMU API between its steps. */
export interface LinuxEvents extends ReadTrace {
  readonly events: readonly IommuEvent[];
}

interface Access {
  readonly write: boolean;
  readonly address: bigint;
  readonly value: bigint;
  /** Bytes. */
  readonly width: number;
  /** The functions that it is from. */
  readonly callers: string;
}

const RWMMIO = /\brwmmio_(write|post_read): (.*?)width=(\d+) val=(0x[0-9a-f]+|0) addr=(0x[0-9a-f]+)/;
const MAP = /\bmap: IOMMU: iova=(0x[0-9a-f]+)(?: - 0x[0-9a-f]+)? paddr=(0x[0-9a-f]+) size=(\d+|0x[0-9a-f]+)/;
const UNMAP = /\bunmap: IOMMU: iova=(0x[0-9a-f]+)(?: - 0x[0-9a-f]+)? size=(\d+|0x[0-9a-f]+)/;
const FAULT = /\bio_page_fault: IOMMU:.* iova=(0x[0-9a-f]+) flags=(0x[0-9a-f]+)/;

/** Whether a text has lines of these events. */
export function isLinuxEvents(text: string): boolean {
  return /\brwmmio_(write|read|post_write|post_read): |\b(un)?map: IOMMU: /.test(text);
}

/**
 * Reads the events. What they don't say is said in `notes`.
 * @throws SmmuTraceError where it can't be told which addresses are the SMMU's.
 */
export function parseLinuxEvents(text: string, options: LinuxEventsOptions = {}): LinuxEvents {
  const lines = text.split('\n');
  const accesses = lines.map(accessIn);
  const pages = pagesOf(
    accesses.filter((one) => one !== undefined),
    options,
  );
  const draft = new TraceDraft({ name: 'events of Linux', ...options });
  const events: IommuEvent[] = [];
  for (const [i, access] of accesses.entries()) {
    if (access !== undefined) addAccess(draft, access, pages);
    else addEvent(lines[i]!, draft.length, events);
  }
  draft.note('these events do not have what the driver wrote to memory: no table, no STE, no command');
  draft.note('these events have no barriers');
  if (pages.guessed) draft.note(`register page 0 is taken to be mapped at ${hex(pages.base)}`);
  if (events.length > 0) draft.note('these events do not say which device a map or unmap is for');
  return { ...draft.finish(), events };
}

function accessIn(line: string): Access | undefined {
  const [, kind, callers = '', width, value = '', address = ''] = RWMMIO.exec(line) ?? [];
  if (kind === undefined) return undefined;
  return {
    write: kind === 'write',
    address: BigInt(address),
    value: BigInt(value),
    width: Number(width) / 8,
    callers,
  };
}

interface Pages {
  readonly base: bigint;
  readonly page1: bigint | undefined;
  readonly guessed: boolean;
}

/** A mapping begins at a page. Registers of page 1 that lie in a mapping of their own are told by their offsets. */
const MAPPED = 0x1000n;
const PAGE_1 = 0x1_0000n;
const PAGE_1_OFFSETS = [SMMU_REGISTERS.EVENTQ_PROD, SMMU_REGISTERS.EVENTQ_CONS].map(
  ({ offset }) => BigInt(offset) - PAGE_1,
);

function pagesOf(accesses: readonly Access[], { virtualBase, virtualPage1 }: LinuxEventsOptions): Pages {
  const own = accesses.filter(({ callers }) => /\barm_smmu_/.test(callers)).map(({ address }) => address);
  const lowest = own.reduce<bigint | undefined>(
    (least, one) => (least === undefined || one < least ? one : least),
    undefined,
  );
  const base = virtualBase ?? (lowest === undefined ? undefined : lowest & ~(MAPPED - 1n));
  if (base === undefined) {
    throw new SmmuTraceError(
      "no access is from a function arm_smmu_*: which addresses are the SMMU's is not known; say where its registers are mapped (virtualBase)",
    );
  }
  const elsewhere = own
    .map((address) => address & ~(MAPPED - 1n))
    .find((page, i) => page !== base && page !== base + PAGE_1 && PAGE_1_OFFSETS.includes(own[i]! - page));
  return { base, page1: virtualPage1 ?? elsewhere, guessed: virtualBase === undefined };
}

/** Addresses that are not the SMMU's belong to other devices. */
function addAccess(
  draft: TraceDraft,
  { write, address, value, width, callers }: Access,
  { base, page1 }: Pages,
): void {
  const inPage1 = page1 !== undefined && address >= page1 && address < page1 + MAPPED;
  const offset = inPage1 ? address - page1 + PAGE_1 : address - base;
  if (offset < 0n || offset >= 2n * PAGE_1) {
    if (/\barm_smmu_/.test(callers))
      draft.note(`an access at ${hex(address)} is in no known register page, and is left out`);
    return;
  }
  const at = registerAt(Number(offset), width);
  if (at === undefined)
    draft.note(
      `an access of ${width} bytes to offset ${hex(offset)}, where no known register is, is left out`,
    );
  else if (write) draft.mmio(at, value);
  else draft.read(at, value);
}

function addEvent(line: string, step: number, events: IommuEvent[]): void {
  const unmapped = UNMAP.exec(line);
  const mapped = unmapped === null ? MAP.exec(line) : null;
  const fault = FAULT.exec(line);
  if (unmapped !== null) {
    events.push({
      step,
      kind: 'unmap',
      iova: BigInt(unmapped[1]!),
      size: BigInt(unmapped[2]!),
      pa: undefined,
    });
  } else if (mapped !== null) {
    events.push({
      step,
      kind: 'map',
      iova: BigInt(mapped[1]!),
      size: BigInt(mapped[3]!),
      pa: BigInt(mapped[2]!),
    });
  } else if (fault !== null) {
    events.push({ step, kind: 'fault', iova: BigInt(fault[1]!), size: undefined, pa: undefined });
  }
}
