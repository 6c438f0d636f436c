/** A range of input addresses. */

/** Input addresses from `first` to `last`, both inclusive. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}
