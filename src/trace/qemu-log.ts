/**
 * Reads the log that QEMU writes with `-trace 'smmu*'`: registers, commands as far as it names their operands, descriptors that walks read, and transactions.
 * With the guest's memory, structures and commands are taken from there.
 */
import { EVENTS } from '../arch/smmu/index.ts';
import { encodeCommand, parseCommand } from '../smmu/commands.ts';
import type { CommandWords } from '../smmu/index.ts';
import { type DraftMachine, type ReadTrace, registerAt, TraceDraft } from './draft.ts';

/** The word at a PA (a multiple of 8), as an image of the guest's memory has it; undefined outside it. */
export type ReadWord = (pa: bigint) => bigint | undefined;

/** What the caller knows of the machine, and its memory. */
export interface QemuLogOptions extends Partial<DraftMachine> {
  /** The guest's memory after the run. */
  readonly memory?: ReadWord;
}

/** Whether a text has lines of QEMU's SMMUv3. */
export function isQemuSmmuLog(text: string): boolean {
  return /^(?:\d+@[\d.]+:)?smmuv3_(?:read|write)_mmio addr: /m.test(text);
}

/**
 * Reads a log. What it does not say is said in `notes`, and with the step.
 * @throws SmmuTraceError for a log that no run can have left.
 */
export function parseQemuLog(text: string, options: QemuLogOptions = {}): ReadTrace {
  const reader = new QemuLogReader(options);
  for (const line of text.split('\n')) reader.line(line.trim());
  return reader.finish();
}

/** A command that was consumed: its place in the queue, and what the log says of it. */
interface Consumed {
  readonly index: number;
  readonly name: string;
  operands: string | undefined;
}

const COMMAND_BYTES = 16n;
const STRUCTURE_WORDS = 8;
const BASE_ADDR = (1n << 56n) - 32n;
const LOG2SIZE = 0x1fn;
const UNSAID: Readonly<Record<string, string>> = {
  CFGI_STE: 'Leaf is not in the log: 1 is taken, the narrower',
  CFGI_CD: 'Leaf is not in the log: 1 is taken, the narrower',
};

class QemuLogReader {
  readonly #draft: TraceDraft;
  readonly #memory: ReadWord | undefined;
  /** Words as the trace has them so far. */
  readonly #known = new Map<bigint, bigint>();
  #queue: { readonly base: bigint; readonly size: bigint } | undefined;
  #cons = 0;
  #consumed: Consumed[] = [];
  /** The page of the last lookup, which is all that the log says of an access that faulted. */
  #page: bigint | undefined;
  /** Descriptors were shown that a walk has read, so the SMMU observed them. */
  #shown = false;

  constructor({ memory, ...machine }: QemuLogOptions) {
    this.#draft = new TraceDraft({ name: 'a log of QEMU', ...machine });
    this.#memory = memory;
    this.#draft.note('where barriers were is not in the log: one is taken before each write of CMDQ_PROD');
    this.#draft.note(
      'when memory was written is not in the log: words stand before the step that first shows them',
    );
  }

  line(line: string): void {
    const [, event = '', rest = ''] = /^(?:\d+@[\d.]+:)?(smmu\w*)\s*(.*)$/.exec(line) ?? [];
    if (event === '') return;
    const read = READERS.find(([name]) => name === event);
    if (read === undefined) {
      if (!QUIET.test(event)) this.#draft.note(`a line of ${event} is not read here`);
      return;
    }
    const [, pattern, handle] = read;
    const found = pattern.exec(rest);
    if (found === null) this.#draft.note(`a line of ${event} has another form than is known here`);
    else
      handle(
        this,
        found.slice(1).map((one) => one ?? ''),
      );
  }

  finish(): ReadTrace {
    return this.#draft.finish();
  }

  registerWritten(offset: number, value: bigint, bytes: number): void {
    this.#submit();
    const at = registerAt(offset, bytes);
    if (at === undefined) {
      this.#draft.note(
        `a write to offset 0x${offset.toString(16)}, where no register is known here, is left out`,
      );
      return;
    }
    if (at.register === 'CMDQ_BASE' && at.half === undefined) {
      this.#queue = { base: value & BASE_ADDR, size: 1n << (value & LOG2SIZE) };
    }
    if (at.register === 'CMDQ_PROD') this.#draft.barrier('not in the log');
    this.#draft.mmio(at, value);
  }

  registerRead(offset: number, value: bigint, bytes: number): void {
    const at = registerAt(offset, bytes);
    if (at !== undefined) this.#draft.read(at, value);
    else
      this.#draft.note(
        `a read at offset 0x${offset.toString(16)}, where no register is known here, is left out`,
      );
  }

  /** QEMU consumes commands while the register is written, and logs the write afterwards. */
  consumes(index: number): void {
    this.#cons = index;
  }

  command(name: string): void {
    this.#consumed.push({ index: this.#cons, name, operands: undefined });
  }

  operands(text: string): void {
    const last = this.#consumed.at(-1);
    if (last !== undefined) last.operands ??= text;
  }

  descriptor(pa: bigint, value: bigint): void {
    this.#show(pa, value, 'a walk read it; when it was written is not in the log');
  }

  structure(pa: bigint, what: string, words = STRUCTURE_WORDS): void {
    if (this.#memory === undefined) {
      this.#draft.note(`what ${what}s hold is not in the log: give the guest's memory too`);
      return;
    }
    for (let i = 0n; i < words; i++) {
      const at = pa + 8n * i;
      const value = this.#memory(at);
      if (value === undefined) this.#draft.note(`the image has no memory where ${what}s lie`);
      else if (!this.#known.has(at)) {
        this.#known.set(at, value);
        this.#draft.initial(at, value);
        this.#draft.note(`${what}s are taken from the image, as if they had never changed`);
      }
    }
  }

  lookup(page: bigint): void {
    this.#page = page;
  }

  access(sid: number, iova: bigint, rw: 'read' | 'write' | undefined, got: object): void {
    this.#draft.note('how many bytes an access has is not in the log');
    if (rw === undefined)
      this.#draft.note('whether a translated access reads or writes is not in the log: read is given');
    if (this.#shown) this.#draft.barrier('not in the log: a walk saw the words before it');
    this.#shown = false;
    this.#draft.access({ sid, iova: `0x${iova.toString(16)}`, rw: rw ?? 'read', size: 0 }, got);
    this.#page = undefined;
  }

  event(name: string, sid: number): void {
    const fault = Object.keys(EVENTS).find((known) => known === name);
    if (fault === undefined) this.#draft.note(`${name} is no event of an SMMUv3`);
    else if (this.#page === undefined) {
      this.#draft.note(`an event ${name} of StreamID ${sid} is left out: its address is not in the log`);
    } else {
      this.#draft.note('of an access that faults the log has the page alone: its first byte is given');
      this.access(sid, this.#page, undefined, { fault });
    }
  }

  /** Puts the commands that were consumed into the queue, before the register write that started them. */
  #submit(): void {
    const commands = this.#consumed;
    this.#consumed = [];
    if (commands.length === 0) return;
    const queue = this.#queue;
    if (queue === undefined) {
      this.#draft.note('commands are left out: where the queue lies was not logged (SMMU_CMDQ_BASE)');
      return;
    }
    for (const command of commands) {
      const pa = queue.base + (BigInt(command.index) % queue.size) * COMMAND_BYTES;
      const { words, note } = wordsOf(command);
      if (words === undefined) {
        this.#draft.note(`${command.name}: what it names is not in the log; it is left out`);
        continue;
      }
      this.#draft.write64(pa, words[0], note);
      this.#draft.write64(pa + 8n, words[1]);
    }
  }

  #show(pa: bigint, value: bigint, note: string): void {
    if (this.#known.get(pa) === value) return;
    this.#known.set(pa, value);
    this.#draft.write64(pa, value, note);
    this.#shown = true;
  }
}

/** A command with the operands that were logged. */
function wordsOf({ name, operands }: Consumed): { words?: CommandWords; note?: string } {
  if (name === 'SYNC') return { words: encodeCommand('SYNC'), note: 'CS and the MSI are not in the log' };
  const text =
    operands ?? (/^(TLBI_NSNH_ALL|TLBI_EL2_ALL|PREFETCH_CONFIG|PREFETCH_ADDR)$/.test(name) ? '' : undefined);
  if (text === undefined) return {};
  const unsaid = UNSAID[name];
  return {
    words: parseCommand(`${name} ${text}${unsaid === undefined ? '' : ' Leaf=1'}`),
    ...(unsaid && { note: unsaid }),
  };
}

/** `SMMU_IDR3.RIL`'s fields for a number of pages: the log has their product alone. */
function rangeOperands(pages: bigint, tg: string): string {
  if (tg === '0') return '';
  let scale = 0n;
  while (pages >> scale > 32n) scale++;
  return ` TG=${tg} SCALE=${scale} NUM=${((pages + (1n << scale) - 1n) >> scale) - 1n}`;
}

type Handler = (reader: QemuLogReader, found: readonly string[]) => void;
const N = (text = '') => Number(text);
const B = (text = '') => BigInt(text);

/** Lines by event: their form, and what they say. */
const READERS: readonly (readonly [event: string, form: RegExp, handle: Handler])[] = [
  [
    'smmuv3_write_mmio',
    /^addr: (0x\w+) val:(0x\w+) size: (0x\w+)/,
    (to, [a, v, n]) => to.registerWritten(N(a), B(v), N(n)),
  ],
  [
    'smmuv3_read_mmio',
    /^addr: (0x\w+) val:(0x\w+) size: (0x\w+)/,
    (to, [a, v, n]) => to.registerRead(N(a), B(v), N(n)),
  ],
  ['smmuv3_cmdq_consume', /cons=(\d+)/, (to, [index]) => to.consumes(N(index))],
  ['smmuv3_cmdq_opcode', /SMMU_CMD_(\w+)/, (to, [name]) => to.command(name ?? '')],
  ['smmuv3_cmdq_cfgi_ste', /^streamid= ?(0x\w+|\d+)/, (to, [sid]) => to.operands(`StreamID=${sid}`)],
  [
    'smmuv3_cmdq_cfgi_ste_range',
    /^start=(0x\w+) - end=(0x\w+)/,
    (to, [from, end]) => to.operands(streams(N(from), N(end))),
  ],
  ['smmuv3_cmdq_cfgi_cd', /^streamid= ?(0x\w+|\d+)/, (to, [sid]) => to.operands(`StreamID=${sid}`)],
  [
    'smmu_iotlb_inv_asid_vmid',
    /asid=(\d+) vmid=(\d+)/,
    (to, [asid, vmid]) => to.operands(`ASID=${asid} VMID=${vmid}`),
  ],
  ['smmu_iotlb_inv_vmid', /vmid=(\d+)/, (to, [vmid]) => to.operands(`VMID=${vmid}`)],
  ['smmu_iotlb_inv_vmid_s1', /vmid=(\d+)/, (to, [vmid]) => to.operands(`VMID=${vmid}`)],
  ['smmuv3_range_inval', RANGE(), invalidation],
  // Before QEMU 8.1.
  ['smmuv3_s1_range_inval', RANGE(), invalidation],
  ['smmu_iotlb_inv_asid', /asid=(\d+)/, (to, [asid]) => to.operands(`ASID=${asid} VMID=0`)],
  ['smmuv3_find_ste_2lvl', /l1ptr:(0x\w+)/, (to, [pa]) => to.structure(B(pa), 'L1STD', 1)],
  ['smmuv3_get_ste', /(0x\w+)/, (to, [pa]) => to.structure(B(pa), 'STE')],
  ['smmuv3_get_cd', /(0x\w+)/, (to, [pa]) => to.structure(B(pa), 'CD')],
  ['smmu_get_pte', /pteaddr=(0x\w+), pte=(0x\w+)/, (to, [pa, value]) => to.descriptor(B(pa), B(value))],
  ['smmu_iotlb_lookup_hit', /addr=(0x\w+)/, (to, [page]) => to.lookup(B(page))],
  ['smmu_iotlb_lookup_miss', /addr=(0x\w+)/, (to, [page]) => to.lookup(B(page))],
  [
    'smmuv3_translate_success',
    /sid=(0x\w+|\d+) iova=(0x\w+) translated=(0x\w+)/,
    (to, [sid, iova, pa]) => to.access(N(sid), B(iova), undefined, { pa }),
  ],
  [
    'smmuv3_translate_bypass',
    ACCESS(),
    (to, [sid, iova, write]) => to.access(N(sid), B(iova), rwOf(write), { pa: iova, bypass: true }),
  ],
  [
    'smmuv3_translate_disable',
    ACCESS(),
    (to, [sid, iova, write]) => to.access(N(sid), B(iova), rwOf(write), { pa: iova, bypass: true }),
  ],
  [
    'smmuv3_translate_abort',
    ACCESS(),
    (to, [sid, iova, write]) => to.access(N(sid), B(iova), rwOf(write), { abort: true }),
  ],
  [
    'smmuv3_record_event',
    /(?:SMMU_EVT_)?(\w+) sid=(0x\w+|\d+)/,
    (to, [name, sid]) => to.event(name ?? '', N(sid)),
  ],
];

/** Lines that add nothing to these. */
const QUIET =
  /^smmu_(add_mr|reset_exit|configs_inv_sid_range|config_cache_inv|iotlb_insert|iotlb_inv_all|iotlb_inv_iova|iotlb_inv_s1_iova|ptw_\w+|inv_notifiers_\w+)$|^smmuv3_(cmdq_consume_out|cmdq_tlbi_\w+|config_cache_(hit|miss)|decode_cd(_tt)?|find_ste|inv_notifiers_\w+|write_gerror|write_gerrorn|trigger_irq|unhandled_cmd|notify_flag_(add|del))$/;

function RANGE(): RegExp {
  return /^vmid=(\d+) asid=(-?\d+) addr=(0x\w+) tg=(\d) num_pages=(0x\w+) ttl=(\d) leaf=(\d)(?: stage=(\d))?/;
}

function invalidation(to: QemuLogReader, found: readonly string[]): void {
  const [vmid, asid, address, tg = '0', pages, ttl, leaf, stage] = found;
  const tags = `VMID=${vmid}${stage !== '2' && N(asid) >= 0 ? ` ASID=${asid}` : ''}`;
  const level = tg === '0' ? '' : ` TTL=${ttl}`;
  to.operands(`${tags} Addr=${address} Leaf=${leaf}${level}${rangeOperands(B(pages), tg)}`);
}

function ACCESS(): RegExp {
  return /sid=(0x\w+|\d+) .*?iova:(0x\w+) is_write=(\d)/;
}

function rwOf(write: string | undefined): 'read' | 'write' {
  return write === '1' ? 'write' : 'read';
}

/** CFGI_STE_RANGE: 2^(Range + 1) StreamIDs from `from` to `end`. */
function streams(from: number, end: number): string {
  return `StreamID=${from} Range=${Math.log2(end - from + 1) - 1}`;
}
