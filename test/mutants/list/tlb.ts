/** Mutants of the TLB: what finds an entry, what an invalidation takes, what two entries come to. (DDI 0487 D8.16, D8.17.) */
import type { Mutant } from '../mutant.ts';

export const TLB: readonly Mutant[] = [
  {
    name: 'asid-takes-globals',
    file: 'src/tlb/scope.ts',
    find: 'return tag.asid === undefined && global === true;',
    replace: 'return tag.asid === undefined;',
    breaks: 'TLBI ASIDE1 takes global entries.',
    tests: ['test/tlb/tlbi.test.ts'],
  },
  {
    name: 'last-level-takes-tables',
    file: 'src/tlb/scope.ts',
    find: 'if (table ? scope.lastLevel === true : scope.level',
    replace: 'if (table ? false : scope.level',
    breaks: 'A last-level invalidation takes table descriptors.',
    tests: ['test/tlb/tlbi.test.ts'],
  },
  {
    name: 'ipa-takes-combined',
    file: 'src/tlb/scope.ts',
    find: "if (scope.stages !== 'both' && (scope.stages === 'stage2') !== (tag.holds === 'stage2')) return false;",
    replace: "if (scope.stages === 'stage1' && tag.holds === 'stage2') return false;",
    breaks: 'TLBI IPAS2E1 takes entries that combine both stages.',
    tests: ['test/tlb/tlbi.test.ts', 'test/tlb/regimes.test.ts'],
  },
  {
    name: 'vmid-not-compared',
    file: 'src/tlb/entry.ts',
    find: 'tag.vmid === context.vmid &&',
    replace: '',
    breaks: 'An entry of one VM answers to another.',
    tests: ['test/tlb/tlb.test.ts', 'test/tlb/regimes.test.ts', 'test/tlb/reference.test.ts'],
  },
  {
    name: 'nt-cached',
    file: 'src/tlb/entry.ts',
    find: ' || leaves.some((step) => hasNt(step, context))',
    replace: '',
    breaks: 'A block with nT goes into the TLB.',
    tests: ['test/tlb/conflict.test.ts'],
  },
  {
    name: 'writable-clean-answers',
    file: 'src/tlb/entry.ts',
    find: "clean: access.access !== 'write' && leaves.some((step) => isClean(step, context)),",
    replace: 'clean: false,',
    breaks: 'The first write through a writable-clean entry does not walk, and makes nothing dirty.',
    tests: ['test/tlb/walks.test.ts'],
  },
  {
    name: 'range-scale',
    file: 'src/tlb/operands.ts',
    find: 'BigInt(num + 1) << BigInt(5 * scale + 1 + granuleLog2)',
    replace: 'BigInt(num + 1) << BigInt(5 * scale + granuleLog2)',
    breaks: 'A range operation covers half of (NUM + 1) * 2^(5 * SCALE + 1) granules.',
    tests: ['test/tlb/operands.test.ts'],
  },
  {
    name: 'bbml1-runs-unresolved',
    file: 'src/tlb/conflict.ts',
    find: "bbml >= 1 && only('contiguous')",
    replace: "bbml === 2 && only('contiguous')",
    breaks: 'At FEAT_BBM level 1 entries that differ in the Contiguous bit alone lose coherency.',
    tests: ['test/tlb/conflict.test.ts'],
  },
];
