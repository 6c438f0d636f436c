/**
 * A trace while a reader or a recorder makes it: steps as JSON (`pgtable-trace/1`), and what the source does not say. What is made is checked as a file would be.
 */
import { SMMU_PAGES_SIZE, SMMU_REGISTERS, type SmmuRegisterName } from '../arch/smmu/index.ts';
import { hex } from '../memory/hex.ts';
import type { InterruptSource, RegisterHalf, SmmuTrace } from '../smmu/trace.ts';
import { parseSmmuTrace } from './parse.ts';
import { TRACE_SCHEMA } from './schema.ts';

/** What a source's machine is, as far as the caller knows. */
export interface DraftMachine {
  readonly name: string;
  /** Physical address of the SMMU's register page 0. */
  readonly base?: bigint;
  /** Default: as much memory as the steps name. */
  readonly ram?: { readonly base: bigint; readonly size: bigint };
  /** ID registers and GBPA at reset, where the source does not read them. */
  readonly identification?: Partial<
    Readonly<Record<'idr0' | 'idr1' | 'idr3' | 'idr5' | 'aidr' | 'gbpa', bigint>>
  >;
}

/** A trace that was read from another source. */
export interface ReadTrace {
  readonly trace: SmmuTrace;
  /** The same as a document of `pgtable-trace/1`. */
  readonly json: object;
  /** In words: what the source does not say, and what was taken instead. */
  readonly notes: readonly string[];
}

/** A register at an offset from the base, or half of one. */
export interface RegisterAt {
  readonly register: SmmuRegisterName;
  readonly half?: RegisterHalf;
}

/** Undefined: no register that is known here begins there. (IHI 0070 6.2.) */
export function registerAt(offset: number, bytes: number): RegisterAt | undefined {
  for (const [name, { offset: at, bits, alias }] of Object.entries<Place>(SMMU_REGISTERS)) {
    const register = name as SmmuRegisterName;
    if (bytes * 8 === bits && (offset === at || offset === alias)) return { register };
    if (bits === 64 && bytes === 4 && offset === at) return { register, half: 'low' };
    if (bits === 64 && bytes === 4 && offset === at + 4) return { register, half: 'high' };
  }
  return undefined;
}

type Place = { readonly offset: number; readonly bits: number; readonly alias?: number };

const HALF_TEXT = { low: '[31:0]', high: '[63:32]' } as const;
const nameOf = ({ register, half }: RegisterAt) => `${register}${half === undefined ? '' : HALF_TEXT[half]}`;

/** Memory is counted in pages where the caller does not say how much there is. */
const PAGE = 0x1000n;
const IDENTIFICATION: Partial<Record<SmmuRegisterName, string>> = {
  IDR0: 'idr0',
  IDR1: 'idr1',
  IDR3: 'idr3',
  IDR5: 'idr5',
  AIDR: 'aidr',
};

export class TraceDraft {
  readonly #machine: DraftMachine;
  readonly #steps: object[] = [];
  readonly #notes = new Map<string, number>();
  readonly #read = new Map<string, bigint>();
  readonly #initial = new Map<bigint, bigint>();
  #lowest: bigint | undefined;
  #highest = 0n;

  constructor(machine: DraftMachine) {
    this.#machine = machine;
  }

  /** How many steps there are. */
  get length(): number {
    return this.#steps.length;
  }

  /** A word that was there before the first step. The first one counts. */
  initial(pa: bigint, value: bigint): void {
    this.#cover(pa);
    if (value !== 0n && !this.#initial.has(pa)) this.#initial.set(pa, value);
  }

  write64(pa: bigint, value: bigint, note?: string): void {
    this.#cover(pa);
    this.#push({ write64: hex(pa), value: hex(value) }, note);
  }

  mmio(at: RegisterAt, value: bigint, note?: string): void {
    this.#push({ mmio: nameOf(at), value: hex(value) }, note);
  }

  read(at: RegisterAt, got: bigint, note?: string): void {
    const identification = at.half === undefined ? IDENTIFICATION[at.register] : undefined;
    if (identification !== undefined && !this.#read.has(identification)) this.#read.set(identification, got);
    this.#push({ read: nameOf(at), got: hex(got) }, note);
  }

  read64(pa: bigint, got: bigint, note?: string): void {
    this.#cover(pa);
    this.#push({ read64: hex(pa), got: hex(got) }, note);
  }

  interrupt(source: InterruptSource, note?: string): void {
    this.#push({ interrupt: source }, note);
  }

  barrier(note?: string): void {
    this.#push({ barrier: true }, note);
  }

  /** @param got - the outcome as JSON has it. */
  access(access: object, got?: object, note?: string): void {
    this.#push({ access, ...(got && { got }) }, note);
  }

  /** Something that the source does not say. Said once, with how often. */
  note(text: string): void {
    this.#notes.set(text, (this.#notes.get(text) ?? 0) + 1);
  }

  /** @throws SmmuTraceError where the steps can't have happened. */
  finish(): ReadTrace {
    const { name, base, identification = {} } = this.#machine;
    const known: Record<string, bigint> = { ...identification, ...Object.fromEntries(this.#read) };
    const missing = ['idr0', 'idr1', 'idr3', 'idr5', 'aidr'].filter((one) => known[one] === undefined);
    if (missing.length > 0) this.note(`${missing.join(', ')} not read: assumed to be 0`);
    const machine = {
      ...(base !== undefined && { base: hex(base) }),
      ...Object.fromEntries(
        ['idr0', 'idr1', 'idr3', 'idr5', 'aidr', 'gbpa'].map((one) => [one, hex(known[one] ?? 0n)]),
      ),
      ram: this.#ram(),
    };
    const memory = [...this.#initial].map(([pa, value]) => ({ pa: hex(pa), words64: { 0: hex(value) } }));
    const notes = [...this.#notes].map(([text, times]) => (times === 1 ? text : `${text} (${times} times)`));
    const json = {
      schema: TRACE_SCHEMA,
      kind: 'smmuv3',
      name,
      ...(notes.length > 0 && { note: notes.join('; ') }),
      machine,
      memory,
      steps: this.#steps,
    };
    return { trace: parseSmmuTrace(json), json, notes };
  }

  #ram(): object {
    const { ram } = this.#machine;
    if (ram !== undefined) return { base: hex(ram.base), size: hex(ram.size) };
    const first = (this.#lowest ?? BigInt(SMMU_PAGES_SIZE)) & ~(PAGE - 1n);
    const end = (this.#highest & ~(PAGE - 1n)) + PAGE;
    return { base: hex(first), size: hex(end > first ? end - first : PAGE) };
  }

  #cover(pa: bigint): void {
    if (this.#lowest === undefined || pa < this.#lowest) this.#lowest = pa;
    if (pa > this.#highest) this.#highest = pa;
  }

  #push(step: object, note: string | undefined): void {
    this.#steps.push(note === undefined ? step : { ...step, note });
  }
}
