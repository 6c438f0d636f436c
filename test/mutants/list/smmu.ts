/** Mutants of SMMUv3 and SMMUv2: stream table entries, context descriptors, events, context banks. (IHI 0070, IHI 0062.) */
import type { Mutant } from '../mutant.ts';

export const SMMU: readonly Mutant[] = [
  {
    name: 'event-fetch-is-no-read',
    file: 'src/smmu/events.ts',
    find: "const read = context.access !== 'write';",
    replace: "const read = context.access === 'read';",
    breaks: 'RnW of an instruction fetch is 0 in an event record.',
    tests: ['test/smmu/events.test.ts'],
  },
  {
    name: 'event-update-is-a-read',
    file: 'src/smmu/events.ts',
    find: "fault.class === 'tt' && !fault.update;",
    replace: "fault.class === 'tt';",
    breaks: 'TTRnW is 1 where the write of a hardware update was refused.',
    tests: ['test/smmu/events.test.ts'],
  },
  {
    name: 'event-rnw-of-the-update',
    file: 'src/smmu/events.ts',
    find: "const read = context.access !== 'write';",
    replace: "const read = context.access !== 'write' && !('update' in fault);",
    breaks: 'RnW tells the write of a hardware update, not what the transaction asked for.',
    tests: ['test/smmu/events.test.ts'],
  },
  {
    name: 'asid16-in-el2',
    file: 'src/smmu/context-descriptor.ts',
    find: "if (world !== 'el2' && !features.asid16 && asid > 0xff)",
    replace: 'if (!features.asid16 && asid > 0xff)',
    breaks: 'ASID[15:8] makes a CD ILLEGAL in the EL2 world, where the field is ignored.',
    tests: ['test/smmu/stream.test.ts'],
  },
  {
    name: 'l1cd-low-bits',
    file: 'src/smmu/stream.ts',
    find: 'level1.descriptor & 0xff_ffff_ffff_f000n',
    replace: 'level1.descriptor & 0xff_ffff_ffff_ffc0n',
    breaks: 'L1CD bits [11:6] are taken for a part of L2Ptr.',
    tests: ['test/smmu/stream.test.ts'],
  },
];
