/** A text read line by line: reports in progress, details that came before their report, records a word a line, heads of every source. */
import type { DecodedFault } from './decoded-fault.ts';
import {
  accessTextOf,
  EVENT_HEAD,
  eventTextOf,
  partialRecord,
  recordOf,
  sameEvent,
  wordOf,
} from './event-lines.ts';
import type { Evidence } from './evidence.ts';
import { decodeEvent } from './from-smmu.ts';
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

/** A fault, and the lines that report it, counted from 0. */
export interface PlacedFault {
  readonly fault: DecodedFault;
  readonly first: number;
  readonly last: number;
}

interface Found {
  item: { report: Report } | { fault: DecodedFault };
  readonly first: number;
  last: number;
}

/** Details of a report stand within so many lines of it: a register dump may come between. */
const REACH = 12;
/** A whole register dump may stand before the register that says a fault again. */
const DUMP_REACH = 60;
/** So many lines more may belong to the one that is read. */
const CONTINUED = 2;
/** Other lines between two words of a record. */
const BETWEEN_WORDS = 3;
/** Without the first words of a record nothing is known. */
const FEWEST_WORDS = 2;

const isPrimary = (key: Token['key']): key is PrimaryKey => (PRIMARY_KEYS as readonly string[]).includes(key);

export class Scanner {
  readonly #lines: readonly string[];
  readonly #evidence: Evidence;
  readonly #armv5: boolean;
  readonly #found: Found[] = [];
  readonly #pending = new Map<DetailKey, { value: bigint; line: number; el: number | undefined }>();
  #words: { readonly found: bigint[]; line: number; readonly first: number } | undefined;
  #line = 0;

  /** @param armv5 - the text shows the control register of a CPU before ARMv6. */
  constructor(lines: readonly string[], evidence: Evidence, armv5: boolean) {
    this.#lines = lines;
    this.#evidence = evidence;
    this.#armv5 = armv5;
  }

  scan(): PlacedFault[] {
    for (this.#line = 0; this.#line < this.#lines.length; this.#line++) this.#read();
    this.#endRecord();
    return this.#found.map(({ item, first, last }) => ({
      fault: 'fault' in item ? item.fault : decodeReport(item.report),
      first,
      last,
    }));
  }

  #view(): View {
    const own = this.#lines[this.#line]!;
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
    if (this.#readEvent(view) || this.#readMore(view) || this.#readHead(view)) return;
    this.#readTokens(view);
  }

  #push(item: Found['item']): void {
    this.#found.push({ item, first: this.#line, last: this.#line });
  }

  /** The last fault that is decoded, where it is near. */
  #lastFault(reach = REACH): { readonly found: Found; readonly fault: DecodedFault } | undefined {
    const found = this.#found.at(-1);
    if (found === undefined || !('fault' in found.item) || this.#line - found.last > reach) return undefined;
    return { found, fault: found.item.fault };
  }

  #replace(found: Found, fault: DecodedFault): void {
    found.item = { fault };
    found.last = this.#line;
  }

  #readHead(view: View): boolean {
    const fault = headOf(view.text, view.own);
    if (fault === undefined) return false;
    const last = this.#lastFault();
    // Words for what registers said already.
    if (fault.source === 'text' && fault.registers.length === 0 && this.#open() !== undefined) return false;
    const details = this.#takePending(['far']);
    const far = details.get('far');
    const whole =
      far === undefined || fault.address !== undefined || fault.source !== 'esr'
        ? fault
        : { ...fault, address: far };
    if (last !== undefined && last.fault.source === 'text' && fault.source !== 'text') {
      this.#replace(last.found, merged(last.fault, whole));
    } else this.#push({ fault: whole });
    // The lines below it may stand in the same one.
    this.#readMore(view);
    return true;
  }

  #readMore(view: View): boolean {
    const last = this.#lastFault();
    if (last === undefined) return false;
    const more = moreOf(last.fault, view.text.slice(0, view.own)) ?? this.#wrappedMore(last.fault, view);
    if (more === undefined) return false;
    this.#replace(last.found, more);
    return true;
  }

  /** What a line and those below it say together, and those below do not say alone. */
  #wrappedMore(fault: DecodedFault, { text, own }: View): DecodedFault | undefined {
    if (text.length === own || moreOf(fault, text.slice(own)) !== undefined) return undefined;
    return moreOf(fault, text);
  }

  #readEvent(view: View): boolean {
    const line = view.text.slice(0, view.own);
    const head = EVENT_HEAD.exec(view.text);
    if (head !== null && head.index < view.own) {
      this.#endRecord();
      this.#words = { found: [], line: this.#line, first: this.#line };
      return true;
    }
    if (this.#words !== undefined) {
      const word = wordOf(line);
      if (word !== undefined) {
        this.#words.found.push(word);
        this.#words.line = this.#line;
        if (this.#words.found.length === 4) this.#endRecord();
        return true;
      }
      if (this.#line - this.#words.line > BETWEEN_WORDS) this.#endRecord();
    }
    const record = recordOf(this.#lines, this.#line);
    if (record === undefined) return this.#readEventText(view);
    this.#push({ fault: decodeEvent(record) });
    return true;
  }

  /** What there is of a record: drivers' lines get lost, and some print fewer words. */
  #endRecord(): void {
    const words = this.#words;
    this.#words = undefined;
    if (words === undefined || words.found.length < FEWEST_WORDS) return;
    this.#found.push({ item: { fault: partialRecord(words.found) }, first: words.first, last: words.line });
  }

  #readEventText(view: View): boolean {
    const last = this.#lastFault();
    const event = eventTextOf(view);
    if (event !== undefined) {
      // The record before it says the same and more, all but the device's name.
      const again = last !== undefined && last.fault.registers.length > 0 && sameEvent(last.fault, event);
      if (again) this.#replace(last.found, { ...last.fault, device: event.device });
      else this.#push({ fault: event });
      return true;
    }
    const access = accessTextOf(view);
    if (access === undefined || last === undefined) return false;
    if (last.fault.registers.length === 0) this.#replace(last.found, { ...last.fault, ...access });
    return true;
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
      this.#open() !== undefined || this.#lastFault() !== undefined || all.some((one) => one.key === 'esr')
    );
  }

  /** ESRs of lower levels in the crash dump of EL3: what older exceptions left. */
  #isOfLowerEl({ key, el }: Token): boolean {
    const found = this.#found.at(-1);
    if (key !== 'esr' || el === undefined || found === undefined || !('report' in found.item)) return false;
    const { report } = found.item;
    return report.key === 'esr' && report.el === 3 && el < 3 && this.#line - found.last <= DUMP_REACH;
  }

  #takePending(keys: readonly DetailKey[], el?: number): Map<DetailKey, bigint> {
    const taken = new Map<DetailKey, bigint>();
    for (const [detail, early] of this.#pending) {
      const fits = early.el === undefined || el === undefined || early.el === el;
      if (!fits || !keys.includes(detail) || this.#line - early.line > REACH) continue;
      taken.set(detail, early.value);
      this.#pending.delete(detail);
    }
    return taken;
  }

  /** @param alone - the line names no address beside it. */
  #start(key: PrimaryKey, token: Token, alone: boolean): void {
    const { value, el, repeats = false, ambiguous = false, wide = false, words } = token;
    const last = this.#open();
    if (
      last?.report.key === key &&
      last.report.value === value &&
      (repeats || this.#repeatsFsr(last, alone))
    ) {
      last.found.last = this.#line;
      return;
    }
    if (key === 'esr' && this.#completes(value)) return;
    const report: Report = {
      key,
      value,
      el,
      details: this.#takePending(DETAILS[key], el),
      ambiguous,
      wide,
      words,
      armv5: this.#armv5,
    };
    this.#push({ report });
  }

  /** Words of a fault, and below them its syndrome; or the syndrome again that a head has said. */
  #completes(value: bigint): boolean {
    const last = this.#lastFault(DUMP_REACH);
    if (last === undefined) return false;
    const { fault, found } = last;
    if (fault.source === 'esr' && fault.registers.some((register) => sameSyndrome(register.value, value))) {
      found.last = this.#line;
      return true;
    }
    if (fault.source !== 'text' || fault.registers.length > 0 || this.#line - found.last > REACH)
      return false;
    const details = new Map<DetailKey, bigint>();
    if (fault.address !== undefined) details.set('far', fault.address);
    if (fault.ipa !== undefined) details.set('ipa', fault.ipa);
    const report: Report = {
      key: 'esr',
      value,
      el: fault.el,
      details,
      ambiguous: false,
      wide: false,
      words: undefined,
      armv5: false,
    };
    this.#replace(found, merged(fault, decodeReport(report)));
    return true;
  }

  /** `FSR    = 00000402 [TF]` right below `Unhandled context fault: fsr=0x402, iova=…`. */
  #repeatsFsr({ report, found }: { report: Report; found: Found }, alone: boolean): boolean {
    return report.key === 'fsr' && alone && report.details.has('iova') && this.#line - found.last <= 1;
  }

  #add(key: DetailKey, { value, el }: Token, own: number | undefined): void {
    const last = this.#open();
    if (last === undefined) {
      if (!this.#addToHead(key, value)) this.#pending.set(key, { value, line: this.#line, el });
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
    } else if (report.details.get(key) !== value) this.#pending.set(key, { value, line: this.#line, el });
  }

  /** A fault that a head told without its address. */
  #addToHead(key: DetailKey, value: bigint): boolean {
    const last = this.#lastFault();
    if (last === undefined || key !== 'far') return false;
    const { fault, found } = last;
    if (fault.source !== 'esr' && fault.source !== 'text') return false;
    if (fault.address !== undefined) return fault.address === value;
    if (fault.kind === 'serror') return false;
    this.#replace(found, { ...fault, address: value });
    return true;
  }

  #open(): { readonly report: Report; readonly found: Found } | undefined {
    const found = this.#found.at(-1);
    if (found === undefined || !('report' in found.item) || this.#line - found.last > REACH) return undefined;
    return { report: found.item.report, found };
  }
}
