/**
 * What a device's translation cache (ATC) may hold for one page: whatever a Translation Request may have been answered, from memory or from
 * what the SMMU itself had cached, at any time at which ATS was open to the stream. (IHI 0070 3.9.1, 4.5.1.)
 */
import type { Changes } from './changes.ts';
import type { Invalidation } from './invalidation.ts';
import { type Found, FROM, type Possible, STILL, Timeline, type Watch } from './timeline.ts';

/** A translation of a page, for reads or for writes. */
export interface AtcEntry {
  readonly access: 'read' | 'write';
  /** Of the page. */
  readonly pa: bigint;
}

/** Whose cache it is, and of what. */
export interface AtcPlace {
  readonly streamId: number;
  /** The PASID of requests. Undefined: they come without one. */
  readonly substreamId: number | undefined;
  /** The first address of the page. */
  readonly page: bigint;
}

/** Finds every translation that a request may get at a moment. */
export type AtcFill = (
  moment: number,
  access: AtcEntry['access'],
  watch: Watch,
) => readonly Possible<bigint>[];

const PAGE_BYTES = 0x1000n;

export class AtcTimeline extends Timeline<AtcEntry> {
  readonly #place: AtcPlace;
  readonly #fill: AtcFill;

  constructor(changes: Changes, place: AtcPlace, fill: AtcFill) {
    super(changes, FROM.atc);
    this.#place = place;
    this.#fill = fill;
  }

  protected explore(moment: number, _kept: readonly Possible<AtcEntry>[], watch: Watch): Found<AtcEntry>[] {
    watch.syncs = true;
    if (!this.changes.registersAt(moment).enabled) return [];
    return (['read', 'write'] as const).flatMap((access) =>
      this.#fill(moment, access, watch).map(({ item, last, until, mask }) => ({
        key: `${access} ${item}`,
        item: { access, pa: item },
        last: this.#refilledUntil(last, moment),
        until,
        mask,
      })),
    );
  }

  /**
   * A command that was consumed may be done late: until a CMD_SYNC behind it the SMMU may still answer a request from what the command is
   * for. So TLBI and CMD_SYNC go before CMD_ATC_INV. (3.9.1, 4.7.3.)
   */
  #refilledUntil(last: number, moment: number): number {
    if (last === STILL) return STILL;
    for (let at = last + 1; at <= moment; at++) {
      const change = this.changes.at(at);
      if (change.kind === 'command' && change.sync) return at;
    }
    return STILL;
  }

  protected covers(invalidation: Invalidation, _item: AtcEntry): boolean {
    if (invalidation.kind !== 'atc') return false;
    const { streamId, substreamId, page } = this.#place;
    const { substream, global, first, last } = invalidation;
    if (invalidation.streamId !== streamId || last < page || first >= page + PAGE_BYTES) return false;
    return global && substream !== undefined ? substreamId !== undefined : substream === substreamId;
  }
}
