/** Event records of SMMUs in a text: a record in one line, one word a line, or words for it. (IHI 0070 7.3.) */
import { readIn } from '../../arch/read.ts';
import { EVENT } from '../../arch/smmu/index.ts';
import {
  accessTextOf,
  EVENT_HEAD,
  eventAlone,
  eventTextOf,
  partialRecord,
  recordOf,
  sameEvent,
  wordOf,
} from './event-lines.ts';
import type { FoundFaults } from './found-faults.ts';
import { decodeEvent } from './from-smmu.ts';
import type { View } from './patterns.ts';

/** Other lines between two words of a record. */
const BETWEEN_WORDS = 3;
/** The event and its stream are in the first words: without them nothing is known. */
const FEWEST_WORDS = 2;

/** Reads the events of a text into the faults that were found. */
export class EventReader {
  readonly #lines: readonly string[];
  readonly #found: FoundFaults;
  /** A record that is printed one word a line. */
  #words:
    | { readonly said: number; readonly found: bigint[]; line: number; readonly first: number }
    | undefined;

  constructor(lines: readonly string[], found: FoundFaults) {
    this.#lines = lines;
    this.#found = found;
  }

  /** Whether the line belongs to an event. */
  read(view: View): boolean {
    const line = view.text.slice(0, view.own);
    const head = EVENT_HEAD.exec(view.text);
    if (head !== null && head.index < view.own) {
      this.end();
      this.#words = { said: Number(head[1]), found: [], line: this.#found.line, first: this.#found.line };
      return true;
    }
    if (this.#words !== undefined) {
      const word = wordOf(line);
      if (word !== undefined) {
        this.#words.found.push(word);
        this.#words.line = this.#found.line;
        if (this.#words.found.length === 4) this.end();
        return true;
      }
      if (this.#found.line - this.#words.line > BETWEEN_WORDS) this.end();
    }
    const record = recordOf(this.#lines, this.#found.line);
    if (record === undefined) return this.#readEventText(view);
    this.#found.push({ fault: decodeEvent(record) });
    return true;
  }

  /** What there is of a record: drivers' lines get lost, and some print fewer words. */
  end(): void {
    const words = this.#words;
    this.#words = undefined;
    if (words === undefined || words.found.length < FEWEST_WORDS) return;
    const fault = partialRecord(words.found);
    const agrees = readIn(words.found, EVENT.fields.Number) === words.said;
    this.#found.push({ fault: agrees ? fault : eventAlone(words.said) }, words.first, words.line);
  }

  #readEventText(view: View): boolean {
    const last = this.#found.lastFault();
    const event = eventTextOf(view);
    if (event !== undefined) {
      // The record before it says the same and more, all but the device's name.
      const again = last !== undefined && last.fault.registers.length > 0 && sameEvent(last.fault, event);
      if (again) this.#found.replace(last.found, { ...last.fault, device: event.device });
      else this.#found.push({ fault: event });
      return true;
    }
    const access = accessTextOf(view);
    if (access === undefined || last === undefined) return false;
    if (last.fault.registers.length === 0) this.#found.replace(last.found, { ...last.fault, ...access });
    return true;
  }
}
