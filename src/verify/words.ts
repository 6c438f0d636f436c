/** The words for what is wanted of a leaf, in any order and any case: `r-x`, `WB`, `nGnRE`, `ISH`, `global`, `pas=secure`, `AF=1`. */
import { securityNamed } from '../arch/security.ts';
import { nearest } from '../memory/near-names.ts';
import { readAddress } from '../text/addresses.ts';
import type { Cacheability, DeviceType } from '../walker/index.ts';
import type { WantedField, WantedMemory, WantedRights, WantedTerms } from './intent.ts';

/** Reports what can't be understood. */
export type Complain = (message: string, hint?: string) => void;

type Policy = Cacheability['policy'];

const POLICIES: Readonly<Record<string, Policy>> = {
  wb: 'write-back',
  'write-back': 'write-back',
  writeback: 'write-back',
  wt: 'write-through',
  'write-through': 'write-through',
  writethrough: 'write-through',
  nc: 'non-cacheable',
  'non-cacheable': 'non-cacheable',
  noncacheable: 'non-cacheable',
  uncached: 'non-cacheable',
  uncacheable: 'non-cacheable',
  imp: 'implementation-defined',
};

const DEVICES: Readonly<Record<string, DeviceType>> = {
  ngnrne: 'nGnRnE',
  ngnre: 'nGnRE',
  ngre: 'nGRE',
  gre: 'GRE',
};

/** The meaning of one word. */
const WORDS: Readonly<Record<string, WantedTerms>> = {
  nsh: { shareability: 'non' },
  'non-shareable': { shareability: 'non' },
  osh: { shareability: 'outer' },
  'outer-shareable': { shareability: 'outer' },
  ish: { shareability: 'inner' },
  'inner-shareable': { shareability: 'inner' },
  global: { global: true },
  ng: { global: false },
  'non-global': { global: false },
  nonglobal: { global: false },
  'not-global': { global: false },
  c: { contiguous: true },
  cont: { contiguous: true },
  contiguous: { contiguous: true },
  'not-contiguous': { contiguous: false },
  gp: { guarded: true },
  guarded: { guarded: true },
  'not-guarded': { guarded: false },
  block: { kind: 'block' },
  section: { kind: 'block' },
  page: { kind: 'page' },
  l0: { level: 0 },
  l1: { level: 1 },
  l2: { level: 2 },
  l3: { level: 3 },
  'l-1': { level: -1 },
  ns: { pas: 'non-secure' },
  xn: { privileged: { execute: false }, unprivileged: { execute: false } },
  nx: { privileged: { execute: false }, unprivileged: { execute: false } },
  noexec: { privileged: { execute: false }, unprivileged: { execute: false } },
  pxn: { privileged: { execute: false } },
  uxn: { unprivileged: { execute: false } },
  af: { fields: [{ name: 'AF', value: 1n }] },
  dbm: { fields: [{ name: 'DBM', value: 1n }] },
};

/** Names of sets of rights other than their letters. */
const RIGHTS: Readonly<Record<string, string>> = { none: '', ro: 'r', wo: 'w', xo: 'x', rox: 'rx' };

const PRIVILEGED = /^(?:p|priv|privileged|el1|el2|el3|kernel):(.*)$/;
const UNPRIVILEGED = /^(?:u|unpriv|unprivileged|el0|user):(.*)$/;

/** `rw-`, `rw`, `ro`, `---`: all three rights of a level. */
export function rightsNamed(word: string): Required<WantedRights> | undefined {
  const letters = RIGHTS[word] ?? word;
  if (!/^(?:[r-][w-][x-]|r?w?x?)$/.test(letters) || (letters === '' && word === '')) return undefined;
  return { read: letters.includes('r'), write: letters.includes('w'), execute: letters.includes('x') };
}

/** `WB`, `device`, `WB/NC` (inner and outer), `normal-nc`, `device-nGnRE`. */
export function memoryNamed(word: string): WantedMemory | undefined {
  if (word === 'device' || word === 'dev' || word === 'mmio') return { type: 'device' };
  if (word === 'normal') return { type: 'normal' };
  if (word === 'strongly-ordered') return { type: 'device', device: 'nGnRnE' };
  if (word === 'tagged') return { type: 'normal', tagged: true };
  const device = DEVICES[word.replace(/^dev(?:ice)?[-_:]/, '')];
  if (device !== undefined) return { type: 'device', device };
  const [inner = '', outer = inner, ...more] = word
    .replace(/^normal[-_:]/, '')
    .split('/')
    .map((one) => POLICIES[one]);
  if (inner === '' || outer === '' || more.length > 0) return undefined;
  return { type: 'normal', inner, outer };
}

/** Numbers as in addresses, and `0b101`. */
function numberOf(text: string): bigint | undefined {
  return /^0b[01]{1,64}$/.test(text) ? BigInt(text) : readAddress(text);
}

const KEYS = ['attr', 'attrindx', 'leaf', 'level', 'pas'] as const;

/** `key=value`. Undefined: `key` is the name of a field, not a term. */
function valueTerm(key: string, value: string): WantedTerms | string | undefined {
  const number = numberOf(value);
  switch (key) {
    case 'attr':
      return number === undefined || number > 0xffn
        ? 'attr is a byte of MAIR: attr=0xff'
        : { memory: { attr: Number(number) } };
    case 'attrindx':
      return number === undefined || number > 15n
        ? 'attrindx is 0 to 15'
        : { memory: { attrIndx: Number(number) } };
    case 'leaf':
      return number === undefined || number === 0n
        ? 'leaf is the size of a block or page: leaf=2M'
        : { leafSize: number };
    case 'level':
      return /^(?:-1|[0-3])$/.test(value) ? { level: Number(value) } : "Arm's levels are -1 to 3: level=2";
    case 'pas': {
      const pas = securityNamed({ s: 'secure', ns: 'nonsecure' }[value] ?? value);
      return pas === undefined ? 'pas is secure, nonsecure, realm or root' : { pas };
    }
    default:
      return undefined;
  }
}

/** `AF=0`, `bit55=1`, `bits[58:55]=0x3`, `SW=1`. */
function fieldTerm(name: string, text: string, complain: Complain): WantedField | undefined {
  const value = numberOf(text);
  if (value === undefined) {
    complain(`${name}=${text}: '${text}' is no number`);
    return undefined;
  }
  const [, one, high, low] = /^bits?(?:\[?(\d+)\]?|\[(\d+):(\d+)\])$/i.exec(name) ?? [];
  if (one === undefined && high === undefined) return { name, value };
  const bits = [Number(high ?? one), Number(low ?? one)] as const;
  if (bits[0] > 63 || bits[1] > bits[0]) {
    complain(`${name}: bits of a descriptor are 63 to 0, the higher one first`, 'bits[58:55]=0x3');
    return undefined;
  }
  return { name, bits, value };
}

/** Collects terms, and reports contradictions. */
export class TermCollector {
  readonly #complain: Complain;
  #terms: WantedTerms = {};
  #levels = 0;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  get terms(): WantedTerms {
    return this.#terms;
  }

  /** One word, as it was written. The first set of rights is for privileged accesses, the second for accesses from EL0. */
  add(written: string): void {
    const word = written.toLowerCase();
    const rights = rightsNamed(word);
    if (rights !== undefined) {
      const level = (['privileged', 'unprivileged'] as const)[this.#levels++];
      if (level === undefined) this.#complain(`'${written}': there are rights for EL1 and for EL0 already`);
      else this.#merge({ [level]: rights }, written);
      return;
    }
    const terms = this.#termsOf(word, written);
    if (terms !== undefined) this.#merge(terms, written);
  }

  #termsOf(word: string, written: string): WantedTerms | undefined {
    const known = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    if (known !== undefined) return known;
    const negated = negatedTerms(word);
    if (negated !== undefined) return negated;
    for (const [pattern, level] of [
      [PRIVILEGED, 'privileged'],
      [UNPRIVILEGED, 'unprivileged'],
    ] as const) {
      const rights = rightsNamed(pattern.exec(word)?.[1] ?? '');
      if (rights !== undefined) return { [level]: rights };
    }
    const memory = memoryNamed(word);
    if (memory !== undefined) return { memory };
    const pas = securityNamed(word);
    if (pas !== undefined) return { pas };
    const [, name, value] = /^([^=]+)=(.+)$/.exec(written) ?? [];
    if (name !== undefined && value !== undefined) return this.#assigned(name, value);
    this.#complain(`'${written}' is not understood`, hintFor(word));
    return undefined;
  }

  #assigned(name: string, value: string): WantedTerms | undefined {
    const found = valueTerm(name.toLowerCase(), value.toLowerCase());
    if (typeof found === 'string') this.#complain(`${name}=${value}: ${found}`);
    if (found !== undefined) return typeof found === 'string' ? undefined : found;
    const field = fieldTerm(name, value, this.#complain);
    return field && { fields: [field] };
  }

  /** Adds terms that were read elsewhere. */
  merge(terms: WantedTerms): void {
    this.#merge(terms, '');
  }

  #merge(terms: WantedTerms, written: string): void {
    const before = this.#terms as Record<string, unknown>;
    const merged: Record<string, unknown> = { ...before };
    for (const [key, value] of Object.entries(terms)) {
      const old = before[key];
      if (key === 'fields') {
        merged[key] = [...((old as readonly WantedField[] | undefined) ?? []), ...(value as WantedField[])];
      } else if (isObject(value)) {
        const known = (old ?? {}) as Record<string, unknown>;
        if (Object.entries(value).some(([part, one]) => known[part] !== undefined && known[part] !== one))
          this.#contradicts(written);
        merged[key] = { ...known, ...value };
      } else {
        if (old !== undefined && old !== value) this.#contradicts(written);
        merged[key] = value;
      }
    }
    this.#terms = merged;
  }

  #contradicts(written: string): void {
    this.#complain(`'${written}' contradicts what stands before it`);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** `noC`, `not-guarded`, `!AF`: a flag that must not be set. */
function negatedTerms(word: string): WantedTerms | undefined {
  const [, flag] = /^(?:!|no-?|not-)(.+)$/.exec(word) ?? [];
  if (flag === undefined) return undefined;
  const { contiguous, guarded, global, fields } =
    (Object.hasOwn(WORDS, flag) ? WORDS[flag] : undefined) ?? ({} as WantedTerms);
  if (contiguous) return { contiguous: false };
  if (guarded) return { guarded: false };
  if (global !== undefined) return { global: !global };
  if (flag === 'tagged') return { memory: { tagged: false } };
  return fields && { fields: fields.map((field) => ({ ...field, value: 0n })) };
}

const KNOWN = [
  ...Object.keys(WORDS),
  ...Object.keys(POLICIES),
  ...Object.values(DEVICES),
  ...['device', 'normal', 'secure', 'nonsecure', 'realm', 'root', 'tagged', 'identity', 'unmapped'],
  ...['rounded', 'mapped', 'any'],
  ...KEYS,
];

function hintFor(word: string): string {
  const near = nearest(word, KNOWN);
  if (near !== undefined) return `did you mean ${near}?`;
  return 'known are rights (r-x rw-), memory (device nGnRE normal WB NC …), ISH OSH NSH, global nG contiguous GP, block page level=2 leaf=2M, pas=secure, fields (AF=1)';
}
