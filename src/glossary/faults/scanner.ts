/** A text read line by line: each line continues a report, begins one, or gives details of one. */
import type { DecodedFault } from './decoded-fault.ts';
import { EventReader } from './event-reader.ts';
import type { Evidence } from './evidence.ts';
import {
  DUMP_REACH,
  EarlyDetails,
  type Found,
  FoundFaults,
  type PlacedFault,
  REACH,
} from './found-faults.ts';
import { decodeEsr } from './from-esr.ts';
import { merged, sameSyndrome } from './merge.ts';
import {
  type DetailKey,
  PRIMARY_KEYS,
  type PrimaryKey,
  type Token,
  tokensOf,
  type View,
} from './patterns.ts';
import { DETAILS, decodeReport, isFaultPar, type Report } from './report.ts';
import { headOf, moreOf } from './sources.ts';
import { mayContinue } from './text/prefix.ts';

/** So many lines more may belong to the one that is read. */
const CONTINUED = 2;

/** What a head in words may have become, whose address comes later. */
const OF_WORDS: readonly DecodedFault['source'][] = ['esr', 'text', 'dfsr', 'ifsr'];

/** The registers that words above them may announce. */
const OF_CPUS: readonly PrimaryKey[] = ['esr', 'dfsr', 'ifsr'];

/** Whether a status is that of a report. An oops prints an IFSR without saying that it is one. */
function sameStatus(report: Report | undefined, key: PrimaryKey, value: bigint): boolean {
  return report?.value === value && (report.key === key || (report.key === 'ifsr' && key === 'dfsr'));
}

const isPrimary = (key: Token['key']): key is PrimaryKey => (PRIMARY_KEYS as readonly string[]).includes(key);

export class Scanner {
  readonly #lines: readonly string[];
  readonly #evidence: Evidence;
  readonly #armv5: boolean;
  readonly #found = new FoundFaults();
  readonly #early = new EarlyDetails();
  readonly #events: EventReader;

  /** @param armv5 - the text shows the control register of a CPU before ARMv6. */
  constructor(lines: readonly string[], evidence: Evidence, armv5: boolean) {
    this.#lines = lines;
    this.#events = new EventReader(lines, this.#found);
    this.#evidence = evidence;
    this.#armv5 = armv5;
  }

  scan(): PlacedFault[] {
    for (let line = 0; line < this.#lines.length; line++) {
      this.#found.line = line;
      this.#read();
    }
    this.#events.end();
    return this.#found.placed();
  }

  get #line(): number {
    return this.#found.line;
  }

  #view(): View {
    const own = this.#lines[this.#line]!.trimEnd();
    const below: string[] = [];
    for (const line of this.#lines.slice(this.#line + 1, this.#line + 1 + CONTINUED)) {
      if (!mayContinue(line)) break;
      below.push(line.trim());
    }
    return { text: [own, ...below].join(' '), own: own.length, line: this.#line };
  }

  #read(): void {
    if (this.#lines[this.#line]!.trim() === '') return;
    const view = this.#view();
    if (this.#events.read(view) || this.#readMore(view) || this.#readHead(view)) return;
    this.#readTokens(view);
  }

  #readHead(view: View): boolean {
    const fault = headOf(view.text, view.own);
    if (fault === undefined) return false;
    const last = this.#found.lastFault();
    if (this.#isToldAgain(fault) || this.#isOfAnotherSystem(fault)) return false;
    const details = this.#early.take(['far'], this.#line);
    const far = details.get('far');
    const whole =
      far === undefined || fault.address !== undefined || fault.source !== 'esr'
        ? fault
        : { ...fault, address: far };
    if (last !== undefined && last.fault.source === 'text' && (fault.source !== 'text' || this.#says(last))) {
      this.#found.replace(last.found, merged(last.fault, whole));
    } else this.#found.push({ fault: whole });
    // The lines below it may stand in the same one.
    this.#readMore(view);
    return true;
  }

  /** Words, or parts of a syndrome, for what registers said already. */
  #isToldAgain({ source, kind, registers }: DecodedFault): boolean {
    const open = this.#found.open();
    if (source === 'text' && registers.length === 0) {
      const last = this.#found.lastFault();
      return open !== undefined || (last?.fault.source === 'esr' && last.fault.kind === kind);
    }
    if (source !== 'esr' || open?.report.key !== 'esr') return false;
    const whole = open.report.value;
    return registers.some(({ value }) => sameSyndrome(value, whole));
  }

  /** seL4 prints a status of 32-bit Arm in the same words as the error code of another 64-bit CPU. */
  #isOfAnotherSystem({ source }: DecodedFault): boolean {
    if (source !== 'dfsr' && source !== 'ifsr') return false;
    return this.#evidence.nearer(this.#line, 'cpu32', 'cpu64') === 'cpu64';
  }

  /** Whether the words above give nothing but the class of a fault, whose kind comes on the next lines. */
  #says({ found, fault }: { readonly found: Found; readonly fault: DecodedFault }): boolean {
    return fault.kind === 'unknown' && fault.address === undefined && this.#line - found.last <= CONTINUED;
  }

  #readMore(view: View): boolean {
    const last = this.#found.lastFault();
    if (last === undefined) return false;
    const more = moreOf(last.fault, view.text.slice(0, view.own)) ?? this.#wrappedMore(last.fault, view);
    if (more === undefined) return false;
    this.#found.replace(last.found, more);
    return true;
  }

  /** What a line and those below it say together, and those below do not say alone. */
  #wrappedMore(fault: DecodedFault, { text, own }: View): DecodedFault | undefined {
    if (text.length === own || moreOf(fault, text.slice(own)) !== undefined) return undefined;
    return moreOf(fault, text);
  }

  #readTokens(view: View): void {
    const all = tokensOf(view, this.#evidence);
    if (all.length > 0 && this.#evidence.askedFor(this.#line)) return;
    const tokens = all.filter((token) => !this.#isOldPar(token, all) && !this.#isOfLowerEl(token));
    // Where a line names a single report, all its details are that report's.
    const primaries = tokens.filter(({ key }) => isPrimary(key));
    const ordered =
      primaries.length === 1 ? [...primaries, ...tokens.filter((t) => t !== primaries[0])] : tokens;
    const own = primaries.length === 1 ? this.#line : undefined;
    const alone = !tokens.some(({ key }) => key === 'iova' || key === 'far');
    for (const token of ordered) {
      if (isPrimary(token.key)) this.#start(token.key, token, alone);
      else this.#add(token.key, token, own);
    }
  }

  /** PAR in a dump of registers, where it holds no fault: what some earlier translation left. */
  #isOldPar({ key, value, wide = false }: Token, all: readonly Token[]): boolean {
    if (key !== 'par' || (isFaultPar(value) && !wide)) return false;
    return (
      this.#found.open() !== undefined ||
      this.#found.lastFault() !== undefined ||
      all.some((one) => one.key === 'esr')
    );
  }

  /** ESRs of lower levels in the crash dump of EL3: what older exceptions left. */
  #isOfLowerEl({ key, el }: Token): boolean {
    const found = this.#found.last();
    if (key !== 'esr' || el === undefined || found === undefined || !('report' in found.item)) return false;
    const { report } = found.item;
    return report.key === 'esr' && report.el === 3 && el < 3 && this.#line - found.last <= DUMP_REACH;
  }

  /** @param alone - the line names no address beside it. */
  #start(key: PrimaryKey, token: Token, alone: boolean): void {
    const { value, el, repeats = false, ambiguous = false, wide = false, words } = token;
    const last = this.#found.open();
    const same =
      (repeats && sameStatus(last?.report, key, value)) || this.#repeatsFsr(last, key, value, alone);
    if (last !== undefined && same) {
      last.found.last = this.#line;
      return;
    }
    if (this.#isOfSameDump(key, value, el)) return;
    if (OF_CPUS.includes(key) && this.#completes(key, value)) return;
    const report: Report = {
      key,
      value,
      el,
      details: this.#early.take(DETAILS[key], this.#line, el),
      ambiguous,
      wide,
      words,
      armv5: this.#armv5,
    };
    this.#found.push({ report });
  }

  /** Words of a fault, and below them its syndrome; or the syndrome again that a head has said. */
  #completes(key: PrimaryKey, value: bigint): boolean {
    const last = this.#found.lastFault(DUMP_REACH);
    if (last === undefined) return false;
    const { fault, found } = last;
    if (
      key === 'esr' &&
      fault.source === 'esr' &&
      fault.registers.some((register) => sameSyndrome(register.value, value, fault.privileged === undefined))
    ) {
      if (fault.privileged === undefined) {
        const { privileged, registers } = decodeEsr(value);
        this.#found.replace(found, { ...fault, privileged, registers });
      }
      found.last = this.#line;
      return true;
    }
    if (fault.source !== 'text' || fault.registers.length > 0 || this.#line - found.last > REACH)
      return false;
    const details = new Map<DetailKey, bigint>();
    if (fault.address !== undefined) details.set('far', fault.address);
    if (fault.ipa !== undefined) details.set('ipa', fault.ipa);
    const report: Report = {
      // The words know that it was a fetch; whose status it is, only they can tell.
      key: key === 'dfsr' && fault.access === 'execute' ? 'ifsr' : key,
      value,
      el: fault.el,
      details,
      ambiguous: false,
      wide: false,
      words: undefined,
      armv5: this.#armv5,
    };
    this.#found.replace(found, merged(fault, decodeReport(report)));
    return true;
  }

  /** `FSR    = 00000402 [TF]` right below `Unhandled context fault: fsr=0x402, iova=…`. */
  #repeatsFsr(
    last: { report: Report; found: Found } | undefined,
    key: PrimaryKey,
    value: bigint,
    alone: boolean,
  ): boolean {
    if (last === undefined || key !== 'fsr' || last.report.key !== key || last.report.value !== value)
      return false;
    return alone && last.report.details.has('iova') && this.#line - last.found.last <= 1;
  }

  /** TF-A: the syndrome in a sentence, then all registers, with the same syndrome under its name. */
  #isOfSameDump(key: PrimaryKey, value: bigint, el: number | undefined): boolean {
    const last = this.#found.open(DUMP_REACH);
    if (key !== 'esr' || el === undefined || last === undefined) return false;
    const { report, found } = last;
    if (report.key !== key || report.value !== value || report.details.has('far')) return false;
    if (report.el !== undefined && report.el !== el) return false;
    found.item = { report: { ...report, el } };
    found.last = this.#line;
    return true;
  }

  #add(key: DetailKey, { value, el }: Token, own: number | undefined): void {
    const last = this.#found.open();
    if (last === undefined) {
      if (!this.#addToHead(key, value)) this.#early.note(key, { value, line: this.#line, el });
      return;
    }
    const { report, found } = last;
    const fits =
      DETAILS[report.key].includes(key) &&
      !report.details.has(key) &&
      (el === undefined || report.el === undefined || el === report.el) &&
      (own === undefined || found.last === own);
    if (fits) {
      report.details.set(key, value);
      found.last = this.#line;
    } else if (report.details.get(key) !== value) this.#early.note(key, { value, line: this.#line, el });
  }

  /** A fault that a head told without its address. */
  #addToHead(key: DetailKey, value: bigint): boolean {
    const last = this.#found.lastFault();
    if (last === undefined || key !== 'far') return false;
    const { fault, found } = last;
    if (!OF_WORDS.includes(fault.source)) return false;
    if (fault.address !== undefined) return fault.address === value;
    if (fault.kind === 'serror') return false;
    this.#found.replace(found, { ...fault, address: value });
    return true;
  }
}
