/** Mutants of break-before-make: what may change in place, and what invalidation is owed. (DDI 0487 D8.17; IHI 0070 3.21.1.) */
import type { Mutant } from '../mutant.ts';

export const BBM: readonly Mutant[] = [
  {
    name: 'moved-copy-made-writable',
    file: 'src/bbm/change.ts',
    find: 'old.writable || next.writable ||',
    replace: 'old.writable ||',
    breaks: 'A read-only mapping may move to a copy that is writable.',
    tests: ['test/bbm/change.test.ts'],
  },
  {
    name: 'smmu-moves-copies',
    file: 'src/bbm/change.ts',
    find: "return machine === 'smmu' || old.writable",
    replace: 'return old.writable',
    breaks: 'An SMMU lets a read-only mapping move to a copy, as a PE does.',
    tests: ['test/bbm/change.test.ts'],
  },
  {
    name: 'global-to-non-global',
    file: 'src/bbm/change.ts',
    find: "!old.global && next.global && 'global'",
    replace: "old.global !== next.global && 'global'",
    breaks: 'A global entry may not become a non-global one in place.',
    tests: ['test/bbm/change.test.ts'],
  },
  {
    name: 'ha-caches-nothing',
    file: 'src/bbm/change.ts',
    find: '(accessFlag || ha === true)',
    replace: 'accessFlag',
    breaks: 'With hardware access flags an entry with AF = 0 is taken for one that faults.',
    tests: ['test/bbm/change.test.ts'],
  },
  {
    name: 'level-1-without-nt',
    file: 'src/bbm/change.ts',
    find: 'if (block.nT) return',
    replace: 'if (bbml === 1) return',
    breaks: 'FEAT_BBM level 1 lets a size change without nT.',
    tests: ['test/bbm/size.test.ts', 'test/bbm/rules.test.ts'],
  },
  {
    name: 'mair-not-looked-up',
    file: 'src/bbm/fields.ts',
    find: 'const named = byte === undefined ?',
    replace: 'const named = true ?',
    breaks: 'Two AttrIndx of the same memory type are a change of memory type.',
    tests: ['test/bbm/change.test.ts'],
  },
  {
    name: 'combined-entries-stay',
    file: 'src/bbm/needed.ts',
    find: "return [own, DSB, { operation: 'VMALLE1IS' }, DSB];",
    replace: 'return [own, DSB];',
    breaks: 'An invalidation by IPA is said to be enough for entries that combine both stages.',
    tests: ['test/bbm/needed.test.ts'],
  },
  {
    name: 'globals-by-asid',
    file: 'src/bbm/needed.ts',
    find: "range.global && unprivileged ? 'VAA' : 'VA'",
    replace: "'VA'",
    breaks: 'Global entries are said to go with an invalidation of one ASID.',
    tests: ['test/bbm/needed.test.ts'],
  },
];
