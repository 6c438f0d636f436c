/** Break-before-make, change by change and level by level: literal descriptors. (DDI 0487 D8.17.1, D8.17.2; IHI 0070 3.21.1.) */
import { describe, expect, test } from 'vitest';
import { type BbmContext, bbm } from '../../src/bbm/index.ts';

const page = { stage: 1, level: 3, granuleLog2: 12, bbml: 0 } as const;
const block = { stage: 1, level: 2, granuleLog2: 12, bbml: 0 } as const;
const s2 = { stage: 2, level: 3, granuleLog2: 12, bbml: 0 } as const;

const PAGE = 0x8000_0703n; // AF, SH 3, AttrIndx 0, AP 00, global
const BLOCK = 0x8000_0701n;
const TABLE = 0x4000_3003n;
const NT = 1n << 16n;
const DBM = 1n << 51n;
const READ_ONLY = 0x80n;

interface Row {
  readonly name: string;
  readonly before: bigint;
  readonly after: bigint;
  readonly context: BbmContext;
  readonly legal: boolean;
  readonly changes: readonly string[];
  readonly invalidate?: boolean;
}

const NS = 0x20n;
const NSE = 0x800n;
const S2_NS = 1n << 55n;

const rows: readonly Row[] = [
  {
    name: 'NS: another physical address space (D8.17.1 IWZRHR)',
    before: PAGE,
    after: PAGE | NS,
    context: page,
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'NS in Non-secure state, where it is RES0',
    before: PAGE,
    after: PAGE | NS,
    context: { ...page, security: 'non-secure' },
    legal: true,
    changes: ['other'],
  },
  {
    name: 'NS in EL1&0 of Realm state, where it is RES0 (D8.3.1.2)',
    before: PAGE,
    after: PAGE | NS,
    context: { ...page, security: 'realm' },
    legal: true,
    changes: ['other'],
  },
  {
    name: 'NS in EL2 of Realm state',
    before: PAGE,
    after: PAGE | NS,
    context: { ...page, regime: 'el2', security: 'realm' },
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'NSE in Root state: from Secure to Root (Table D8-88)',
    before: PAGE,
    after: PAGE | NSE,
    context: { ...page, regime: 'el3', security: 'root' },
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'bit 11 in EL3 of Secure state, which has no ASID: RES0',
    before: PAGE | NSE,
    after: PAGE,
    context: { ...page, regime: 'el3', security: 'secure' },
    legal: true,
    changes: ['other'],
  },
  {
    name: 'stage 2 of Realm state: NS is bit 55 (D8.3.1.2)',
    before: PAGE,
    after: PAGE | S2_NS,
    context: { ...s2, security: 'realm' },
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'bit 55 at stage 2 of Secure state, which is free for software',
    before: PAGE,
    after: PAGE | S2_NS,
    context: { ...s2, security: 'secure' },
    legal: true,
    changes: ['other'],
  },
  {
    name: 'bit 5 at stage 2, which is MemAttr',
    before: PAGE,
    after: PAGE | NS,
    context: s2,
    legal: false,
    changes: ['memory'],
  },
  { name: 'nothing', before: PAGE, after: PAGE, context: page, legal: true, changes: [], invalidate: false },
  {
    name: 'invalid to valid',
    before: 0n,
    after: PAGE,
    context: page,
    legal: true,
    changes: ['made_valid'],
    invalidate: false,
  },
  {
    name: '0b01 at level 3 is invalid',
    before: 0x8000_0701n,
    after: PAGE,
    context: page,
    legal: true,
    changes: ['made_valid'],
    invalidate: false,
  },
  {
    name: 'a block at level 0 is invalid',
    before: BLOCK,
    after: TABLE,
    context: { ...block, level: 0 },
    legal: true,
    changes: ['made_valid'],
    invalidate: false,
  },
  {
    name: 'AF 0 to 1',
    before: PAGE & ~0x400n,
    after: PAGE,
    context: page,
    legal: true,
    changes: ['made_valid'],
    invalidate: false,
  },
  {
    name: 'AF 0 with hardware AF may be cached',
    before: PAGE & ~0x400n,
    after: 0x9000_0703n,
    context: { ...page, ha: true },
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'valid to invalid',
    before: PAGE,
    after: 0n,
    context: page,
    legal: true,
    changes: ['made_invalid'],
  },
  { name: 'OA, writable', before: PAGE, after: 0x9000_0703n, context: page, legal: false, changes: ['oa'] },
  {
    name: 'OA, writable, same contents',
    before: PAGE,
    after: 0x9000_0703n,
    context: { ...page, sameContents: true },
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'OA, read-only',
    before: PAGE | READ_ONLY,
    after: 0x9000_0783n,
    context: page,
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'OA, read-only, same contents',
    before: PAGE | READ_ONLY,
    after: 0x9000_0783n,
    context: { ...page, sameContents: true },
    legal: true,
    changes: ['other'],
  },
  {
    name: 'OA, read-only to writable, same contents',
    before: PAGE | READ_ONLY,
    after: 0x9000_0703n,
    context: { ...page, sameContents: true },
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'OA, writable to read-only, same contents',
    before: PAGE,
    after: 0x9000_0783n,
    context: { ...page, sameContents: true },
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'OA, read-only to DBM without hardware updates, same contents',
    before: PAGE | READ_ONLY,
    after: 0x9000_0783n | DBM,
    context: { ...page, sameContents: true },
    legal: true,
    changes: ['other'],
  },
  {
    name: 'OA, read-only to DBM, same contents',
    before: PAGE | READ_ONLY,
    after: 0x9000_0783n | DBM,
    context: { ...page, sameContents: true, hd: true },
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'OA, read-only but DBM',
    before: PAGE | READ_ONLY | DBM,
    after: 0x9000_0783n,
    context: { ...page, sameContents: true, hd: true },
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'OA, read-only, same contents, SMMU',
    before: PAGE | READ_ONLY,
    after: 0x9000_0783n,
    context: { ...page, sameContents: true, machine: 'smmu' },
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'OA[51:48] of 64K',
    before: PAGE,
    after: PAGE | 0xf000n,
    context: { ...page, granuleLog2: 16, oa52: true },
    legal: false,
    changes: ['oa'],
  },
  {
    name: 'bits [15:12] of 64K without them',
    before: PAGE,
    after: PAGE | 0xf000n,
    context: { ...page, granuleLog2: 16 },
    legal: true,
    changes: ['other'],
  },
  {
    name: 'OA[51:50] in [9:8]',
    before: PAGE & ~0x300n,
    after: PAGE,
    context: { ...page, oa52: true },
    legal: false,
    changes: ['oa'],
  },
  { name: 'SH', before: PAGE & ~0x300n, after: PAGE, context: page, legal: false, changes: ['memory'] },
  { name: 'AttrIndx', before: PAGE, after: PAGE | 4n, context: page, legal: false, changes: ['memory'] },
  {
    name: 'AttrIndx of the same MAIR byte',
    before: PAGE,
    after: PAGE | 4n,
    context: { ...page, mair: 0xffffn },
    legal: true,
    changes: ['other'],
  },
  {
    name: 'AttrIndx of another MAIR byte',
    before: PAGE,
    after: PAGE | 4n,
    context: { ...page, mair: 0x04ffn },
    legal: false,
    changes: ['memory'],
  },
  {
    name: 'MemAttr',
    before: 0x8000_07ffn,
    after: 0x8000_07c7n,
    context: s2,
    legal: false,
    changes: ['memory'],
  },
  { name: 'S2AP', before: 0x8000_07ffn, after: 0x8000_077fn, context: s2, legal: true, changes: ['other'] },
  {
    name: 'stage 2, OA, S2AP read-only, same contents',
    before: 0x8000_077fn,
    after: 0x9000_077fn,
    context: { ...s2, sameContents: true },
    legal: true,
    changes: ['other'],
  },
  {
    name: 'AP, XN, software bits',
    before: PAGE,
    after: PAGE | READ_ONLY | (0xfn << 53n),
    context: page,
    legal: true,
    changes: ['other'],
  },
  {
    name: 'non-global to global',
    before: PAGE | 0x800n,
    after: PAGE,
    context: page,
    legal: false,
    changes: ['global'],
  },
  {
    name: 'global to non-global',
    before: PAGE,
    after: PAGE | 0x800n,
    context: page,
    legal: true,
    changes: ['other'],
  },
  {
    name: 'bit 11 of stage 2 is no nG',
    before: 0x8000_0fffn,
    after: 0x8000_07ffn,
    context: s2,
    legal: true,
    changes: ['other'],
  },
  {
    name: 'table to another table',
    before: TABLE,
    after: 0x4000_4003n,
    context: block,
    legal: true,
    changes: ['table'],
  },
  {
    name: 'APTable',
    before: TABLE,
    after: TABLE | (1n << 62n),
    context: block,
    legal: true,
    changes: ['other'],
  },
  {
    name: 'nT at level 0 is RES0',
    before: BLOCK,
    after: BLOCK | NT,
    context: block,
    legal: true,
    changes: ['other'],
  },
  {
    name: 'nT at level 1',
    before: BLOCK,
    after: BLOCK | NT,
    context: { ...block, bbml: 1 },
    legal: true,
    changes: ['nt'],
  },
];

describe('one change', () => {
  test.each(rows)('$name: $legal', ({ before, after, context, legal, changes, invalidate = true }) => {
    expect(bbm(before, after, context)).toMatchObject({ legal, changes, invalidate, conflict: false });
  });
});
