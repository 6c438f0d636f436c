/** Links: they keep their meaning, and what is no link is told. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PRESETS } from '../../src/explore/presets.ts';
import { LinkError, linkOf, type PageState, stateOf } from '../../src/explore/share.ts';
import { question } from './questions.ts';

const LINK =
  'v=1&cpu=64K&granule=4K&sizes=blocks&stage=s1&means=exact&iova=10000000&sg=900000000*10000.940000000*200000&view=words&at=80001000&flips=80001000*7.80001008*63&walk=10001234*write*el0';
const STATE: PageState = {
  playground: {
    cpuPage: 0x1_0000,
    granule: 0x1000,
    sizes: 'blocks',
    stage: 's1',
    semantics: 'exact',
    iova: 0x1000_0000n,
    sg: [
      { phys: 0x9_0000_0000n, length: 0x1_0000n },
      { phys: 0x9_4000_0000n, length: 0x20_0000n },
    ],
  },
  view: 'words',
  at: 0x8000_1000n,
  flips: [
    { pa: 0x8000_1000n, bit: 7 },
    { pa: 0x8000_1008n, bit: 63 },
  ],
  walk: { va: 0x1000_1234n, access: 'write', privileged: false },
};

test('a link of version 1 means this, for ever', () => {
  expect(stateOf(`#${LINK}`)).toEqual(STATE);
  expect(linkOf(STATE)).toBe(LINK);
});

test('every state comes back from its link', () => {
  const address = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const flips = fc.array(fc.record({ pa: address, bit: fc.nat(63) }), { maxLength: 4 });
  const view = fc.constantFrom('map', 'words', 'walk');
  const walk = fc.record({
    va: address,
    access: fc.constantFrom('read', 'write', 'execute'),
    privileged: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.record(
        { playground: question, view, flips, at: address, walk },
        { requiredKeys: ['playground', 'view', 'flips'] },
      ),
      (state) => {
        expect(stateOf(linkOf(state as PageState))).toEqual(state);
      },
    ),
    { numRuns: 200 },
  );
});

test('a link with a map request: any text, and a moment', () => {
  const base = { playground: PRESETS[0]!.playground, view: 'time', flips: [] } as const;
  const link = linkOf({ ...base, request: '{"a":"ü"}', step: 3 });
  expect(link).toBe('v=1&request=eyJhIjoiw7wifQ&view=time&step=3');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(1e6), (request, step) => {
      const state = { ...base, request, step };
      expect(stateOf(linkOf(state))).toEqual(state);
    }),
  );
});

describe('what is no link', () => {
  const wrong: [string, string, RegExp][] = [
    ['another version', LINK.replace('v=1', 'v=2'), /^v=2: this program knows links of version 1$/],
    ['an unknown part', `${LINK}&wibble=1`, /^wibble is not part/],
    ['a part twice', `${LINK}&v=1`, /^v is in the link twice$/],
    ['a missing part', LINK.replace('&granule=4K', ''), /^the link has no granule$/],
    ['another page size', LINK.replace('cpu=64K', 'cpu=8K'), /^cpu=8K: must be one of 4K, 16K, 64K$/],
    ['an address that is none', LINK.replace('iova=10000000', 'iova=xyz'), /^iova: xyz is not a number/],
    [
      'an address of 17 digits',
      LINK.replace('iova=10000000', `iova=${'1'.repeat(17)}`),
      /^iova: 1{17} is no/,
    ],
    [
      'an entry without length',
      LINK.replace('900000000*10000', '900000000'),
      /^sg: 900000000 must be two numbers/,
    ],
    ['bit 64', LINK.replace('*63', '*64'), /^flips: 64 is not a bit from 0 to 63$/],
    ['an access', LINK.replace('*write*', '*jump*'), /^walk=jump: must be one of read, write, execute$/],
    [
      'too many entries',
      LINK.replace(/sg=[^&]*/, `sg=${Array(4097).fill('1*1').join('.')}`),
      /^sg has 4097 entries/,
    ],
    ['a request that is no base64url', 'v=1&request=a+b', /^request is not text in base64url$/],
    ['a request that is no UTF-8', 'v=1&request=_w', /^request is not text in base64url$/],
    ['a step that is no number', `${LINK}&step=-1`, /^step=-1 is not a number of operations$/],
    ['nothing', '', /must be name=value/],
  ];
  test.each(wrong)('%s', (_, link, message) => {
    expect(() => stateOf(link)).toThrow(LinkError);
    expect(() => stateOf(link)).toThrow(message);
  });
});
