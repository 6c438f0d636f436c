/** A random driver of an SMMUv3, for properties: two streams, two address spaces of three pages, some of the right commands and some wrong ones. */
import { PhysicalMemory } from '../../src/memory/index.ts';
import { parseCommand, SmmuDevice } from '../../src/smmu/index.ts';

const RAM = 0x4000_0000n;
const STRTAB = 0x4100_0000n;
const QUEUE = 0x4200_0000n;
const EVENTS = 0x4210_0000n;
const CDS = 0x4102_0000n;
const TABLES = [0x4300_0000n, 0x4301_0000n] as const;
/** Pages of the address spaces, and where data lies. */
export const PAGES = [0x8020_0000n, 0x8020_1000n, 0x8020_2000n] as const;
const DATA = 0x4400_0000n;
export const STREAMS = [8, 16] as const;
export const IDS = { idr0: 0xd44_101bn, idr1: 0x273_0010n, idr3: 0x1414n, idr5: 0x74n, aidr: 1n };

/** One thing that the driver does, made of small numbers. */
export interface Action {
  readonly kind: 'page' | 'ste' | 'cd' | 'barrier' | 'command' | 'access';
  readonly a: number;
  readonly b: number;
}

export class RandomDriver {
  readonly memory = new PhysicalMemory({ base: RAM, size: 0x800_0000n });
  readonly smmu = new SmmuDevice(this.memory, { ...IDS, streams: STREAMS });
  #written = 0;

  constructor() {
    for (const [i, table] of TABLES.entries()) {
      // Levels 1, 2 and 3 of 39 bits.
      this.#set(table + 2n * 8n, (table + 0x1000n) | 3n);
      this.#set(table + 0x1000n + 8n, (table + 0x2000n) | 3n);
      this.#set(CDS + BigInt(i * 64), 0x1_e204_c000_3519n | (BigInt(i + 1) << 48n));
      this.#set(CDS + BigInt(i * 64 + 8), table);
      this.#set(CDS + BigInt(i * 64 + 24), 0xffn);
      this.#page(i, 0, i + 1);
    }
    for (const [i, stream] of STREAMS.entries()) this.#ste(stream, i);
    this.smmu.barrier();
    this.smmu.mmioWrite('CR2', 2n);
    this.smmu.mmioWrite('STRTAB_BASE', STRTAB);
    this.smmu.mmioWrite('STRTAB_BASE_CFG', 5n);
    this.smmu.mmioWrite('CMDQ_BASE', QUEUE | 8n);
    this.smmu.mmioWrite('EVENTQ_BASE', EVENTS | 10n);
    this.smmu.mmioWrite('CR0', 13n);
  }

  /** Does all but accesses. */
  act({ kind, a, b }: Action): void {
    if (kind === 'page') this.#page(a % 2, b % 3, a % 5);
    else if (kind === 'ste') this.#ste(STREAMS[a % 2]!, b % 3);
    else if (kind === 'cd')
      this.#set(CDS + BigInt((a % 2) * 64), 0x1_e204_c000_3519n | (BigInt((b % 3) + 1) << 48n));
    else if (kind === 'barrier') this.smmu.barrier();
    else if (kind === 'command') this.commands([COMMANDS[(a * 7 + b) % COMMANDS.length]!]);
  }

  access({ a, b }: Action) {
    const access = a % 3 === 0 ? ('write' as const) : ('read' as const);
    return { streamId: STREAMS[a % 2]!, ia: PAGES[b % 3]! + 0x18n, access };
  }

  /** Commands as a careful driver gives them: barrier, producer index, and CMDQ_CONS read. `barrier` is no command. */
  commands(steps: readonly string[]): void {
    for (const step of steps) {
      if (step === 'barrier') continue;
      const at = QUEUE + BigInt((this.#written % 256) * 16);
      const [low, high] = parseCommand(step);
      this.#set(at, low);
      this.#set(at + 8n, high);
      this.#written = (this.#written + 1) % 512;
    }
    this.smmu.barrier();
    this.smmu.mmioWrite('CMDQ_PROD', BigInt(this.#written));
    this.smmu.mmioRead('CMDQ_CONS');
  }

  /** 0 unmaps; odd numbers are writable, even ones read-only. */
  #page(table: number, page: number, to: number): void {
    const at = TABLES[table]! + 0x2000n + BigInt(page * 8);
    const rights = to % 2 === 1 ? 0xf43n : 0xfc3n;
    this.#set(at, to === 0 ? 0n : (DATA + BigInt(to * 0x1000)) | rights);
  }

  /** Stage 1 with a CD, or (2) V = 0. */
  #ste(stream: number, what: number): void {
    const word = what === 2 ? 0n : (CDS + BigInt(what * 64)) | 0xbn;
    this.#set(STRTAB + BigInt(stream * 64), word);
  }

  #set(pa: bigint, value: bigint): void {
    this.smmu.write64(pa, value);
  }
}

const COMMANDS = [
  'TLBI_NH_VA vmid=0 asid=1 va=0x80200000 leaf=1',
  'TLBI_NH_VA vmid=0 asid=2 va=0x80201000 leaf=0',
  'TLBI_NH_ASID vmid=0 asid=2',
  'TLBI_NH_ALL vmid=0',
  'CFGI_STE sid=8 leaf=1',
  'CFGI_STE sid=16 leaf=1',
  'CFGI_CD sid=8 leaf=1',
  'CFGI_CD sid=16 leaf=1',
  'TLBI_NSNH_ALL',
  'CMD_SYNC',
  'CMD_SYNC',
] as const;
