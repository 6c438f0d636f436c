/** Every fault that a text reports: log lines of kernels, hypervisors and firmware, register values, event records. */
import { hex } from '../../text/numbers.ts';
import type { DecodedFault } from './decoded-fault.ts';
import {
  accessTextOf,
  EVENT_HEAD,
  type EventWords,
  eventTextOf,
  recordOf,
  sameEvent,
  wordOf,
} from './event-lines.ts';
import { decodeDfsr, decodeEsr, decodeIfsr, decodePar, isAbort } from './from-cpu.ts';
import { decodeContextFault, decodeEvent, decodeGlobalFault } from './from-smmu.ts';
import { type DetailKey, PRIMARY_KEYS, type PrimaryKey, type Token, tokensOf } from './patterns.ts';
import { socHeadOf, socMoreOf } from './soc-lines.ts';

/** A primary register and what goes with it, as they are found. */
interface Report {
  readonly key: PrimaryKey;
  readonly value: bigint;
  readonly el: number | undefined;
  readonly details: Map<DetailKey, bigint>;
  /** The last line that added to it. */
  line: number;
}

/** Lines of a log are short: what stands beyond is no part of one, and would be slow to search. */
const LONGEST = 2000;
/** Details of a report stand within so many lines of it: a register dump may come between. */
const REACH = 12;

const DETAILS: Readonly<Record<PrimaryKey, readonly DetailKey[]>> = {
  esr: ['far', 'hpfar', 'ipa', 'el', 'descriptor'],
  par: ['far'],
  dfsr: ['far'],
  ifsr: ['far'],
  fsr: ['iova', 'far', 'fsynr0', 'cbfrsynra', 'cb', 'ipa'],
  gfsr: ['gfsynr0', 'gfsynr1', 'iova', 'far'],
};

const isPrimary = (key: Token['key']): key is PrimaryKey => (PRIMARY_KEYS as readonly string[]).includes(key);

/** The faults of `text` in their order; none where it reports none. Never throws. */
export function parseFaults(text: string): DecodedFault[] {
  const scanner = new Scanner();
  for (const line of text.split(/\r?\n/)) scanner.read(line.slice(0, LONGEST));
  const faults = scanner.faults();
  return faults.length ? faults : bareSyndrome(text);
}

/** A number alone is an ESR when its class is that of an abort. */
function bareSyndrome(text: string): DecodedFault[] {
  if (!/^\s*0x[0-9a-f]{8,16}\s*$/i.test(text)) return [];
  const value = BigInt(text.trim());
  return isAbort(value) ? [decodeEsr(value)] : [];
}

/** Line by line: reports in progress, and details that came before their report. */
class Scanner {
  readonly #found: (Report | DecodedFault)[] = [];
  #pending = new Map<DetailKey, { value: bigint; line: number; el: number | undefined }>();
  /** Words of a record that is dumped a word a line. */
  #words: bigint[] | undefined;
  #line = 0;
  /** Where the last report of a GPU or IOMMU began. */
  #socLine = 0;

  read(line: string): void {
    this.#line++;
    if (this.#readSoc(line) || this.#readEvent(line)) return;
    const tokens = tokensOf(line);
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

  faults(): DecodedFault[] {
    return this.#found.map((found) => ('source' in found ? found : decodeReport(found)));
  }

  /** A report may stand in one line, or go on in those below it. */
  #readSoc(line: string): boolean {
    const head = socHeadOf(line);
    if (head !== undefined) {
      this.#found.push(head);
      this.#socLine = this.#line;
    }
    const last = this.#found.at(-1);
    if (last === undefined || !('source' in last) || this.#line - this.#socLine > REACH) return false;
    const more = socMoreOf(last, line);
    if (more !== undefined) this.#found[this.#found.length - 1] = more;
    return head !== undefined || more !== undefined;
  }

  #readEvent(line: string): boolean {
    if (EVENT_HEAD.test(line)) {
      this.#words = [];
      return true;
    }
    const word = this.#words === undefined ? undefined : wordOf(line);
    if (word !== undefined) {
      this.#words!.push(word);
      const [a, b, c, d] = this.#words!;
      if (d !== undefined) {
        this.#words = undefined;
        this.#pushRecord([a!, b!, c!, d]);
      }
      return true;
    }
    const record = recordOf(line);
    if (record !== undefined) {
      this.#pushRecord(record);
      return true;
    }
    return this.#readEventText(line);
  }

  #pushRecord(words: EventWords): void {
    this.#found.push(decodeEvent(words));
  }

  #readEventText(line: string): boolean {
    const last = this.#found.at(-1);
    const event = eventTextOf(line);
    if (event !== undefined) {
      // The record before it says the same and more, all but the device's name.
      const again =
        last !== undefined && 'source' in last && last.registers.length > 0 && sameEvent(last, event);
      if (again) this.#found[this.#found.length - 1] = { ...last, device: event.device };
      else this.#found.push(event);
      return true;
    }
    const access = accessTextOf(line);
    if (access === undefined || last === undefined || !('source' in last)) return false;
    if (last.registers.length === 0) this.#found[this.#found.length - 1] = { ...last, ...access };
    return true;
  }

  /** @param alone - the line names no address beside it. */
  #start(key: PrimaryKey, { value, el, repeats }: Token, alone: boolean): void {
    const last = this.#open();
    if (last?.key === key && last.value === value && (repeats || this.#repeatsFsr(last, alone))) {
      last.line = this.#line;
      return;
    }
    const report: Report = { key, value, el, details: new Map(), line: this.#line };
    for (const [detail, early] of this.#pending) {
      const fits = early.el === undefined || el === undefined || early.el === el;
      if (!fits || !DETAILS[key].includes(detail) || this.#line - early.line > REACH) continue;
      report.details.set(detail, early.value);
      this.#pending.delete(detail);
    }
    this.#found.push(report);
  }

  /** `FSR    = 00000402 [TF]` right below `Unhandled context fault: fsr=0x402, iova=…`. */
  #repeatsFsr(last: Report, alone: boolean): boolean {
    return last.key === 'fsr' && alone && last.details.has('iova') && this.#line - last.line === 1;
  }

  #add(key: DetailKey, { value, el }: Token, own: number | undefined): void {
    const last = this.#open();
    const fits =
      last !== undefined &&
      DETAILS[last.key].includes(key) &&
      !last.details.has(key) &&
      (el === undefined || last.el === undefined || el === last.el) &&
      (own === undefined || last.line === own);
    if (fits) {
      last.details.set(key, value);
      last.line = this.#line;
    } else if (last?.details.get(key) !== value) {
      this.#pending.set(key, { value, line: this.#line, el });
    }
  }

  #open(): Report | undefined {
    const last = this.#found.at(-1);
    return last !== undefined && !('source' in last) && this.#line - last.line <= REACH ? last : undefined;
  }
}

function decodeReport({ key, value, el, details }: Report): DecodedFault {
  const far = details.get('far');
  const iova = details.get('iova') ?? far;
  const ipa = details.get('ipa');
  switch (key) {
    case 'esr': {
      const level = el ?? (details.has('el') ? Number(details.get('el')) : undefined);
      const fault = decodeEsr(value, {
        far,
        ipa,
        hpfar: details.get('hpfar'),
        el: level as 1 | 2 | 3 | undefined,
      });
      const descriptor = fault.stage === 1 ? details.get('descriptor') : undefined;
      return descriptor === undefined ? fault : { ...fault, descriptor };
    }
    case 'par':
      return decodePar(value, { far });
    case 'dfsr':
      return decodeDfsr(value, { far });
    case 'ifsr':
      return decodeIfsr(value, { far });
    case 'fsr':
      return decodeContextFault({
        fsr: value,
        iova,
        ipa,
        fsynr0: details.get('fsynr0'),
        cbfrsynra: details.get('cbfrsynra'),
        cb: details.get('cb'),
      });
    case 'gfsr':
      return decodeGlobalFault({
        gfsr: value,
        iova,
        gfsynr0: details.get('gfsynr0'),
        gfsynr1: details.get('gfsynr1'),
      });
  }
}

/** A fault and how often it was reported. */
export interface CountedFault {
  readonly fault: DecodedFault;
  readonly count: number;
}

/** Identical faults once, in the order of their first report. */
export function countFaults(faults: readonly DecodedFault[]): CountedFault[] {
  const byText = new Map<string, CountedFault>();
  for (const fault of faults) {
    const text = JSON.stringify(fault, (_, v: unknown) => (typeof v === 'bigint' ? hex(v) : v));
    byText.set(text, { fault, count: (byText.get(text)?.count ?? 0) + 1 });
  }
  return [...byText.values()];
}
