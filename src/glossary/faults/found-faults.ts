/** What was found in a text so far: faults, reports in progress, and details that came before their report. */
import type { DecodedFault } from './decoded-fault.ts';
import type { DetailKey } from './patterns.ts';
import { decodeReport, type Report } from './report.ts';

/** A fault, and the lines that report it, counted from 0. */
export interface PlacedFault {
  readonly fault: DecodedFault;
  readonly first: number;
  readonly last: number;
}

/** A fault that is decoded, or the report of one that still collects its details. */
export interface Found {
  item: { report: Report } | { fault: DecodedFault };
  readonly first: number;
  last: number;
}

/** The details of a report stand within this many lines of it: a register dump may come between. */
export const REACH = 12;
/** A whole register dump may stand before the register that says a fault again. */
export const DUMP_REACH = 60;

/** The faults that were found, in the order of the text. */
export class FoundFaults {
  /** The line that is read. */
  line = 0;
  readonly #found: Found[] = [];

  push(item: Found['item'], first = this.line, last = this.line): void {
    this.#found.push({ item, first, last });
  }

  last(): Found | undefined {
    return this.#found.at(-1);
  }

  /** The last fault that is decoded, where it is near. */
  lastFault(reach = REACH): { readonly found: Found; readonly fault: DecodedFault } | undefined {
    const found = this.#found.at(-1);
    if (found === undefined || !('fault' in found.item) || this.line - found.last > reach) return undefined;
    return { found, fault: found.item.fault };
  }

  replace(found: Found, fault: DecodedFault): void {
    found.item = { fault };
    found.last = this.line;
  }

  /** The report that still collects details, if it is near. */
  open(reach = REACH): { readonly report: Report; readonly found: Found } | undefined {
    const found = this.#found.at(-1);
    if (found === undefined || !('report' in found.item) || this.line - found.last > reach) return undefined;
    return { report: found.item.report, found };
  }

  /** All faults, decoded. */
  placed(): PlacedFault[] {
    return this.#found.map(({ item, first, last }) => ({
      fault: 'fault' in item ? item.fault : decodeReport(item.report),
      first,
      last,
    }));
  }
}

interface EarlyDetail {
  readonly value: bigint;
  readonly line: number;
  readonly el: number | undefined;
}

/** Details that stand before the report that they belong to. */
export class EarlyDetails {
  readonly #details = new Map<DetailKey, EarlyDetail>();

  note(key: DetailKey, detail: EarlyDetail): void {
    this.#details.set(key, detail);
  }

  /** Takes those that stand near `line`, and are not of another exception level than `el`. */
  take(keys: readonly DetailKey[], line: number, el?: number): Map<DetailKey, bigint> {
    const taken = new Map<DetailKey, bigint>();
    for (const [detail, early] of this.#details) {
      const fits = early.el === undefined || el === undefined || early.el === el;
      if (!fits || !keys.includes(detail) || line - early.line > REACH) continue;
      taken.set(detail, early.value);
      this.#details.delete(detail);
    }
    return taken;
  }
}
