/**
 * A plain reference of what an SMMU's caches permit, for one stage of 4K tables with 39 bits: after every event everything that can be read or filled is
 * found anew, and an item may be cached if a complete command has not come since it could last be made. (IHI 0070 3.17, 3.21, 4.3, 4.4, 4.8.)
 */
const V = 1n;
const CD_V = 1n << 31n;
const ADDRESS = 0xf_ffff_ffff_f000n;

/** What a command covers: the configuration of a stream, or TLB entries. Undefined: no limit. */
export type Scope =
  | { readonly of: 'ste' | 'cd'; readonly stream?: number }
  | { readonly of: 'tlb'; readonly asid?: bigint; readonly page?: bigint; readonly leaf?: boolean };

type Item =
  | { readonly kind: 'ste'; readonly stream: number; readonly value: bigint }
  | {
      readonly kind: 'cd';
      readonly stream: number;
      readonly at: bigint;
      readonly index: number;
      readonly value: bigint;
    }
  | {
      readonly kind: 'table' | 'leaf';
      readonly asid: bigint | undefined;
      readonly root: bigint;
      readonly path: readonly bigint[];
      readonly page: bigint;
    };

interface Context {
  readonly asid: bigint;
  readonly root: bigint;
}

const keyOf = (item: Item) => Object.values(item).join(' ');
const combinations = <A, B>(as: readonly A[], bs: readonly B[]) =>
  as.flatMap((a) => bs.map((b) => [a, b] as const));

export class Reference {
  readonly #words = new Map<bigint, bigint[]>();
  readonly #items = new Map<string, { readonly item: Item; last: number }>();
  readonly #strtab: bigint;
  readonly #streams: readonly number[];
  readonly #pages: readonly bigint[];
  #commands: { readonly at: number; readonly scope: Scope; complete: boolean }[] = [];
  #now = 0;
  #enabled = false;

  constructor(strtab: bigint, streams: readonly number[], pages: readonly bigint[]) {
    this.#strtab = strtab;
    this.#streams = streams;
    this.#pages = pages;
  }

  write(pa: bigint, value: bigint): void {
    const old = this.#words.get(pa) ?? [0n];
    this.#words.set(pa, [value, ...old.filter((one) => one !== value)]);
    this.#step();
  }

  barrier(): void {
    for (const [pa, [newest]] of this.#words) this.#words.set(pa, [newest!]);
    this.#step();
  }

  enable(): void {
    this.#enabled = true;
    this.#step();
  }

  command(scope: Scope): void {
    this.#commands.push({ at: this.#now, scope, complete: false });
    this.#step();
  }

  /** CMD_SYNC was consumed, and the driver knows. */
  sync(): void {
    this.#commands = this.#commands.map((one) => ({ ...one, complete: true }));
    this.#step();
  }

  /** Every outcome of a transaction. */
  outcomes(stream: number, ia: bigint, write: boolean): Set<string> {
    const found = new Set<string>();
    const page = ia & ~0xfffn;
    const leaf = (word: bigint) =>
      write && (word & 0x80n) !== 0n
        ? 'F_PERMISSION'
        : `pa ${((word & ADDRESS) + (ia & 0xfffn)).toString(16)}`;
    const cached = [...this.#items.values()].map(({ item }) => item).filter((item) => this.#mayHold(item));
    for (const ste of this.#stes(stream, false)) {
      if ((ste & V) === 0n) found.add('C_BAD_STE');
      else {
        for (const context of this.#contexts(stream, ste, false)) {
          if (context === undefined) {
            found.add('C_BAD_CD');
            continue;
          }
          const starts: (readonly [root: bigint, path: readonly bigint[]])[] = [[context.root, []]];
          for (const item of cached) {
            if ((item.kind !== 'leaf' && item.kind !== 'table') || item.page !== page) continue;
            if (item.kind === 'leaf' && (item.asid ?? context.asid) === context.asid)
              found.add(leaf(item.path.at(-1)!));
            if (item.kind === 'table' && item.asid === context.asid) starts.push([item.root, item.path]);
          }
          for (const [root, path] of starts) {
            for (const whole of this.#walks(root, path, page)) {
              const last = whole.at(-1)!;
              if (whole.length < 3 || (last & 3n) !== 3n) found.add('F_TRANSLATION');
              else if ((last & 0x400n) === 0n) found.add('F_ACCESS');
              else found.add(leaf(last));
            }
          }
        }
      }
    }
    return found;
  }

  /** Time passes: whatever can be read is read. */
  #step(): void {
    this.#now++;
    if (!this.#enabled) return;
    for (let size = -1; size !== this.#fresh; ) {
      size = this.#fresh;
      this.#fill();
    }
  }

  get #fresh(): number {
    return [...this.#items.values()].filter(({ last }) => last === this.#now).length;
  }

  #fill(): void {
    const contexts = new Map<string, Context>();
    for (const stream of this.#streams) {
      for (const value of this.#read(this.#steAt(stream))) this.#insert({ kind: 'ste', stream, value });
      for (const ste of this.#stes(stream, true)) {
        if ((ste & V) === 0n) continue;
        const at = (ste & ADDRESS & ~0x3fn) | (ste & 0xfc0n);
        for (const index of [0, 1])
          for (const value of this.#read(at + BigInt(index * 8)))
            this.#insert({ kind: 'cd', stream, at, index, value });
        for (const one of this.#contexts(stream, ste, true))
          if (one) contexts.set(`${one.asid} ${one.root}`, one);
      }
    }
    for (const { asid, root } of contexts.values()) {
      for (const page of this.#pages) {
        this.#note(asid, root, [], page, true);
        for (const { item } of [...this.#items.values()])
          if (item.kind === 'table' && item.page === page && item.asid === asid && this.#mayServe(item))
            this.#note(asid, item.root, item.path, page, false);
      }
    }
  }

  /** Everything that walks from a start on leave. */
  #note(asid: bigint, root: bigint, path: readonly bigint[], page: bigint, own: boolean): void {
    if (own) this.#insert({ kind: 'table', asid, root, path, page });
    for (const whole of this.#walks(root, path, page)) {
      for (let i = path.length + 1; i <= whole.length; i++) {
        const word = whole[i - 1]!;
        if ((word & 3n) !== 3n) break;
        if (i < 3) this.#insert({ kind: 'table', asid, root, path: whole.slice(0, i), page });
        else if ((word & 0x400n) !== 0n)
          this.#insert({
            kind: 'leaf',
            asid: (word & 0x800n) === 0n ? undefined : asid,
            root,
            path: whole,
            page,
          });
      }
    }
  }

  /** Walks as far as table descriptors lead. */
  #walks(root: bigint, path: readonly bigint[], page: bigint): readonly (readonly bigint[])[] {
    if (path.length === 3) return [path];
    const last = path.at(-1);
    if (last !== undefined && (last & 3n) !== 3n) return [path];
    const table = last === undefined ? root : last & ADDRESS;
    const index = (page >> BigInt(30 - 9 * path.length)) & 0x1ffn;
    return this.#read(table + index * 8n).flatMap((word) => this.#walks(root, [...path, word], page));
  }

  #steAt = (stream: number) => this.#strtab + BigInt(stream * 64);

  #read(pa: bigint): readonly bigint[] {
    return this.#words.get(pa) ?? [0n];
  }

  #stes(stream: number, serving: boolean): readonly bigint[] {
    const kept = this.#kept(serving).flatMap((item) =>
      item.kind === 'ste' && item.stream === stream ? [item.value] : [],
    );
    return [...new Set([...this.#read(this.#steAt(stream)), ...kept])];
  }

  /** The contexts of a stream behind an STE; undefined: a CD that is not valid. */
  #contexts(stream: number, ste: bigint, serving: boolean): readonly (Context | undefined)[] {
    const at = ste & 0xf_ffff_ffff_ffc0n;
    const kept = this.#kept(serving);
    const words = (index: number) => [
      ...new Set([
        ...this.#read(at + BigInt(index * 8)),
        ...kept.flatMap((item) =>
          item.kind === 'cd' && item.stream === stream && item.at === at && item.index === index
            ? [item.value]
            : [],
        ),
      ]),
    ];
    return combinations(words(0), words(1)).map(([low, root]) =>
      (low & CD_V) === 0n ? undefined : { asid: low >> 48n, root: root & ADDRESS },
    );
  }

  #kept(serving: boolean): readonly Item[] {
    return [...this.#items.values()]
      .map(({ item }) => item)
      .filter((item) => (serving ? this.#mayServe(item) : this.#mayHold(item)));
  }

  #insert(item: Item): void {
    const key = keyOf(item);
    const known = this.#items.get(key);
    if (known === undefined) this.#items.set(key, { item, last: this.#now });
    else known.last = this.#now;
  }

  /** No complete command for it has come since it could last be made. */
  #mayHold(item: Item): boolean {
    const { last } = this.#items.get(keyOf(item))!;
    return !this.#commands.some(({ at, scope, complete }) => complete && at >= last && covers(scope, item));
  }

  /** It may be used for reading more until a command for it is consumed. */
  #mayServe(item: Item): boolean {
    const { last } = this.#items.get(keyOf(item))!;
    return !this.#commands.some(({ at, scope }) => at >= last && covers(scope, item));
  }
}

function covers(scope: Scope, item: Item): boolean {
  if (scope.of === 'tlb') {
    if (item.kind === 'ste' || item.kind === 'cd') return false;
    if (scope.leaf && item.kind === 'table') return false;
    if (scope.page !== undefined && item.kind === 'leaf' && item.page !== scope.page) return false;
    if (
      scope.page !== undefined &&
      item.kind === 'table' &&
      item.path.length === 2 &&
      item.page >> 21n !== scope.page >> 21n
    )
      return false;
    if (scope.asid === undefined || item.asid === scope.asid) return true;
    return item.asid === undefined && scope.page !== undefined;
  }
  if (item.kind !== 'ste' && item.kind !== 'cd') return false;
  if (scope.stream !== undefined && scope.stream !== item.stream) return false;
  return scope.of === 'ste' || item.kind === 'cd';
}
