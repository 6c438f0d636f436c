/** The bits of prots in a table, for each leaf size. They are computed once for each combination of flags. */
import { FormatError } from './errors.ts';
import { type LeafBits, leafBitsOf, PROT_EXTRAS, type Prot, type TableFormat } from './format.ts';
import type { TableLeaf } from './leaf-sizes.ts';

/** A prot in a table: whether it allows any access, and the bits of each leaf size, by its index in `leaves`. */
export interface ProtBits {
  readonly access: boolean;
  readonly leaves: readonly LeafBits[];
}

export class ProtTable {
  readonly #format: TableFormat;
  readonly #leaves: readonly TableLeaf[];
  /** By the flags of a prot as a number. */
  readonly #bits: (ProtBits | undefined)[] = new Array(64).fill(undefined);

  constructor(format: TableFormat, leaves: readonly TableLeaf[]) {
    this.#format = format;
    this.#leaves = leaves;
  }

  /** The bits of `prot` in this table, computed once for each combination of flags. @throws FormatError if the format can't express it. */
  bitsOf(prot: Prot): ProtBits {
    const { device, execute, shareability, mairIndex, poIndex, global, nonSecure } = prot;
    const extra = device ?? execute ?? shareability ?? mairIndex ?? poIndex ?? global ?? nonSecure;
    if (extra !== undefined) return this.#makeBits(prot);
    const key =
      (prot.read ? 1 : 0) |
      (prot.write ? 2 : 0) |
      (prot.cache ? 4 : 0) |
      (prot.noexec ? 8 : 0) |
      (prot.mmio ? 16 : 0) |
      (prot.priv ? 32 : 0);
    let bits = this.#bits[key];
    if (bits === undefined) {
      bits = this.#makeBits(prot);
      this.#bits[key] = bits;
    }
    return bits;
  }

  #makeBits(prot: Prot): ProtBits {
    const { name, protExtras = [], executeOnly = false } = this.#format;
    const unknown = PROT_EXTRAS.find((extra) => prot[extra] !== undefined && !protExtras.includes(extra));
    if (unknown !== undefined) {
      const can = protExtras.length
        ? `besides Linux's flags it has ${protExtras.join(', ')}`
        : "it has only Linux's flags";
      throw new FormatError(`${name} can't express ${unknown}; ${can}`);
    }
    const executes = prot.execute !== undefined && prot.execute !== 'none';
    return {
      access: prot.read === true || prot.write === true || (executeOnly && executes),
      leaves: this.#leaves.map((leaf) => leafBitsOf(this.#format.leafBits(prot, leaf), leaf)),
    };
  }
}
