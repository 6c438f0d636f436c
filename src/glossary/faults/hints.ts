/** Causes that can be seen from an address alone: poison, null pointers, doorbells, patterns. (Poison: include/linux/poison.h; GITS_TRANSLATER: IHI 0069 12.10.) */
import { bitsIn, maskOf } from '../../arch/read.ts';
import { VA } from '../../arch/registers/address.ts';
import { hex } from '../../text/numbers.ts';
import { type DecodedFault, type DecodedKind, isOfDevice, isWalkable } from './decoded-fault.ts';

const NULL_PAGES = 0x1_0000n;
/** The faults that a wrong address can cause. */
const OF_ADDRESSES: readonly DecodedKind[] = [
  'translation',
  'permission',
  'domain',
  'access_flag',
  'unknown',
  'address_size',
];

/** A value that software writes so that its use is noticed, and who uses it. */
interface Poison {
  readonly value: bigint;
  readonly name: string;
  readonly meaning: string;
}

/** The largest offset from a poisoned pointer: a member of the structure that it should point at. */
const NEAR = 0x1000n;
/** The largest offset from list poison: prev or next of an entry. */
const NEAR_LIST = 0x22n;

const LISTS: readonly Poison[] = [
  {
    value: 0xdead_0000_0000_0100n,
    name: 'LIST_POISON1',
    meaning: 'list_del of an entry already deleted, or use of a deleted entry',
  },
  {
    value: 0xdead_0000_0000_0122n,
    name: 'LIST_POISON2',
    meaning: 'list_del of an entry already deleted, or use of a deleted entry',
  },
  {
    value: 0xdead_0000_0000_0200n,
    name: 'LIST_POISON2 (before Linux 4.15)',
    meaning: 'list_del of an entry already deleted',
  },
];

/** Fill patterns of memory, by the digits of the byte. */
const FILLS: Readonly<Record<string, string>> = {
  '6b': 'the fill of freed slab memory (POISON_FREE): use after free',
  a5: 'the end of slab poison (POISON_END): use after free, or an access beyond an object',
  '5a': 'the fill of slab memory that was never initialised (POISON_INUSE)',
  aa: 'the fill of freed pages, or of variables that were never initialised',
  cc: 'the fill of freed boot memory (POISON_FREE_INITMEM) or of stacks',
  fe: 'the fill of unused memory (0xfe)',
  cd: 'uninitialised memory of a debugging allocator (0xcd)',
  dd: 'freed memory of a debugging allocator (0xdd)',
  af: 'the fill of memory that EDK2 freed or never initialised (0xaf)',
  '55': 'a fill pattern (0x55)',
  ff: 'all ones: an error code used as a pointer, or the value that a bus returns where nothing answers',
};

const WORDS: Readonly<Record<string, string>> = {
  deadbeef: '0xdeadbeef, a mark of memory that is free or not initialised',
  baadf00d: '0xbaadf00d, uninitialised memory of a debugging allocator',
  deadc0de: '0xdeadc0de, a mark of memory that is free or not initialised',
  cafebabe: '0xcafebabe, a mark that some software writes',
  dead4ead: 'SPINLOCK_MAGIC, the debug mark of a spin lock: a pointer to something else',
};

/** Whether an address is in one of the two 48-bit TTBR ranges. */
const isCanonical = (address: bigint) => {
  const above = bitsIn(address, VA.fields.above48);
  return above === 0n || above === maskOf(VA.fields.above48);
};

/** Causes that the address of a fault shows, the surest first. */
export function addressHints(fault: DecodedFault): string[] {
  const { address, kind, source, short } = fault;
  if (address === undefined || !OF_ADDRESSES.includes(kind)) return [];
  const device = isOfDevice(source);
  const poison = poisonOf(address);
  if (poison !== undefined) return [poison];
  const small = address < NULL_PAGES;
  if (device) {
    return [
      ...(isDoorbell(fault) ? [DOORBELL(address)] : []),
      ...(small && kind !== 'permission'
        ? [
            `the device was given address ${hex(address)}: a descriptor ring that was never filled, or DMA before setup`,
          ]
        : []),
      ...(isDisplay(fault) ? [DISPLAY] : []),
    ];
  }
  if (small) {
    return [
      `a null pointer: ${hex(address)} is ${address === 0n ? 'NULL itself' : 'a member of a structure at NULL'}`,
    ];
  }
  const pattern = patternOf(address);
  const letters = kind === 'translation' ? lettersOf(address) : undefined;
  return [
    ...(letters === undefined
      ? []
      : [
          `the bytes of the address are text, "${letters}": a string was used as a pointer, or written over one`,
        ]),
    ...(pattern === undefined
      ? []
      : [`the address repeats ${pattern}: it is data that was used as a pointer`]),
    ...(kind === 'translation' && !short && isWalkable(source) && !isCanonical(address)
      ? [NOT_CANONICAL]
      : []),
  ];
}

const NOT_CANONICAL =
  'bits [63:48] are neither all zeros nor all ones: the address is in the range of neither TTBR, or has a tag while TBI is off';

function poisonOf(address: bigint): string | undefined {
  const list = LISTS.find(({ value }) => address >= value && address - value < NEAR_LIST);
  if (list !== undefined) {
    const offset = address - list.value;
    return `${list.name}${offset === 0n ? '' : ` + ${offset}`}: ${list.meaning}`;
  }
  const digits = hex(address).slice(2);
  const word = Object.keys(WORDS).find((one) => {
    const value = BigInt(`0x${one}`);
    const low = BigInt.asUintN(32, address);
    return (address === low || digits.startsWith('dead')) && low >= value && low - value < NEAR;
  });
  if (word !== undefined) return `the pointer was ${WORDS[word]}`;
  const fill = /^(?:ff|00)?((..)\2{2,6})/.exec(digits.length % 2 === 0 ? digits : `0${digits}`);
  const whole = fill !== null && fill[1]!.length >= FILL_DIGITS && fill[2] !== '00' && fill[2] !== 'ff';
  if (!whole) return undefined;
  const known = FILLS[fill[2]!];
  return known === undefined ? undefined : `the pointer was ${known}`;
}

/** The fewest digits of a fill, out of the 8 or 16 of a pointer. The others are an offset. */
const FILL_DIGITS = 6;

/** A group of digits that repeats several times: `1800` in 0x1800180018000. */
function patternOf(address: bigint): string | undefined {
  const match = /([0-9a-f]{2,8})\1{2,}/.exec(hex(address).slice(2));
  return match === null || /^(.)\1*$/.test(match[1]!) ? undefined : `0x${match[1]!}`;
}

/** The bytes of an address as ASCII, the lowest first: four of a 32-bit pointer, or at least five. */
function lettersOf(address: bigint): string | undefined {
  const digits = hex(address).slice(2);
  if (digits.length % 2 !== 0) return undefined;
  const bytes = (digits.match(/../g) ?? []).map((two) => Number.parseInt(two, 16)).reverse();
  const word = bytes.length === 4 || bytes.length >= FEWEST_LETTERS;
  const text = String.fromCharCode(...bytes);
  return word && /^[\w ./:,=-]+$/.test(text) && /[a-z]{3}|[A-Z]{3}/i.test(text) ? text : undefined;
}

/** The fewest bytes of text in a 64-bit address. */
const FEWEST_LETTERS = 5;

/** GITS_TRANSLATER is at this offset of a 64K page. Linux maps it at 0x08000000 by default. */
const TRANSLATER = { offset: 0x40n, page: 0x1_0000n } as const;
const DOORBELL = (address: bigint) =>
  `${hex(address)} may be an MSI doorbell by its offset (GITS_TRANSLATER, 0x40 of its page): the device signals an interrupt, but the page of the ITS is not mapped for it`;

/** Linux gives the page of the ITS an IOVA of its own, which keeps only the offset in a page of 4K. Then a write must be what it was. */
function isDoorbell({ address, access, kind }: DecodedFault): boolean {
  if (address === undefined || address < TRANSLATER.page) return false;
  if (address % TRANSLATER.page === TRANSLATER.offset)
    return access === 'write' || (access === undefined && kind !== 'permission');
  return access === 'write' && address % SMALL_PAGE === TRANSLATER.offset;
}

const SMALL_PAGE = 0x1000n;

/** Names of display controllers, which firmware leaves running with a picture. */
const DISPLAYS =
  /decon|fimd|\bvop|dpu|mdss|mdp|lcdc|\bdisp|dcss|crtc|dispdma|simplefb|framebuffer|display|\bdc\b/i;
const DISPLAY =
  'a display that the boot loader left running: it scans out a buffer that nobody mapped for it (a reserved region with iommu-addresses, or a reset, ends it)';

function isDisplay({ device, kind, access }: DecodedFault): boolean {
  return device !== undefined && kind === 'translation' && access !== 'write' && DISPLAYS.test(device);
}
