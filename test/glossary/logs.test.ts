/** Log lines as kernels, hypervisors, firmware and emulators write them, and what they report. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countFaults, parseFaults } from '../../src/glossary/faults/parse.ts';

describe('arm-smmu', () => {
  test('the line of a context fault', () => {
    const text =
      'arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=0xff3cf000, fsynr=0x300003, cbfrsynra=0x409, cb=10';
    expect(parseFaults(text)).toMatchObject([
      {
        source: 'smmuv2',
        kind: 'translation',
        level: 3,
        address: 0xff3c_f000n,
        access: 'read',
        privileged: false,
        streamId: 0x409,
        contextBank: 10,
      },
    ]);
  });

  const newer = (
    bank: string,
  ) => `[    0.561287] arm-smmu 15000000.iommu: Unhandled context fault: fsr=0x402, iova=0x9c4b9000, fsynr=0x7c0020, cbfrsynra=0x800, cb=${bank}
[    0.561295] arm-smmu 15000000.iommu: FSR    = 00000402 [Format=2 TF], SID=0x800
[    0.561303] arm-smmu 15000000.iommu: FSYNR0 = 007c0020 [S1CBNDX=124 PNU PLVL=0]`;

  test('three lines of newer kernels are one fault', () => {
    const faults = parseFaults(newer('7'));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({
      address: 0x9c4b_9000n,
      privileged: true,
      streamId: 0x800,
      contextBank: 7,
      level: 0,
    });
  });

  test('FSR and FSYNR0 lines alone', () => {
    const text =
      'arm-smmu: FSR    = 00000402 [TF ], SID=0x19c3\narm-smmu: FSYNR0 = 00540013 [S1CBNDX=84 WNR PLVL=3]';
    expect(parseFaults(text)).toMatchObject([
      { kind: 'translation', streamId: 0x19c3, access: 'write', level: 3 },
    ]);
  });

  test('a fault that is reported again is counted', () => {
    const text = [newer('7'), newer('7'), newer('8'), newer('7')].join('\n');
    expect(countFaults(parseFaults(text)).map(({ count, fault }) => [count, fault.contextBank])).toEqual([
      [3, 7],
      [1, 8],
    ]);
  });

  test('a global fault', () => {
    const text =
      'arm-smmu 5000000.iommu: Unexpected global fault, this could be serious\n' +
      'arm-smmu 5000000.iommu: \tGFSR 0x80000002, GFSYNR0 0x00000002, GFSYNR1 0x00000404, GFSYNR2 0x00000000';
    expect(parseFaults(text)).toMatchObject([
      { source: 'smmuv2-global', kind: 'unknown_stream', streamId: 0x404, access: 'write' },
    ]);
  });
});

describe('arm-smmu-v3', () => {
  const at = '[   12.345678] arm-smmu-v3 2b400000.iommu:';
  const dump = `${at} event 0x10 received:
${at} \t0x0000000800000010
${at} \t0x0000020000000000
${at} \t0x00000000fff00000
${at} \t0x0000000000000000`;
  const words = `${at} event: F_TRANSLATION client: 0000:00:01.0 sid: 0x8 ssid: 0x0 iova: 0xfff00000 ipa: 0x0
${at} unpriv data write s1 "Input address caused fault" stag: 0x0`;
  const expected = {
    source: 'smmuv3',
    kind: 'translation',
    name: 'F_TRANSLATION',
    stage: 1,
    class: 'in',
    address: 0xfff0_0000n,
    access: 'write',
    privileged: false,
    streamId: 8,
    substreamId: undefined,
  };

  test('a record in four lines', () => {
    expect(parseFaults(dump)).toMatchObject([expected]);
  });

  test('in words, without the record', () => {
    expect(parseFaults(words)).toMatchObject([{ ...expected, device: '0000:00:01.0', registers: [] }]);
  });

  test('both of them are one fault', () => {
    expect(parseFaults(`${dump}\n${words}`)).toMatchObject([{ ...expected, device: '0000:00:01.0' }]);
    expect(parseFaults(`${dump}\n${words}\n${dump}\n${words}`)).toHaveLength(2);
  });

  test('stage 2, a walk, a stall, a PASID', () => {
    const text =
      'event: F_PERMISSION client: 0001:01:00.0 sid: 0x100 ssid: 0x5 iova: 0x7000 ipa: 0x80002000\n' +
      'priv inst read s2 "Stage 1 translation table fetch" ttd_read stall stag: 0x7';
    expect(parseFaults(text)).toMatchObject([
      {
        kind: 'permission',
        stage: 2,
        class: 'tt',
        ptw: true,
        ipa: 0x8000_2000n,
        access: 'execute',
        privileged: true,
        stalled: true,
        substreamId: 5,
      },
    ]);
  });

  test('events of the configuration', () => {
    const text = 'event: C_BAD_STE client: (unassigned sid) sid: 0x42 ssid: 0x0';
    expect(parseFaults(text)).toMatchObject([{ kind: 'c_bad_ste', streamId: 0x42, device: undefined }]);
    const fetch = 'event: F_CD_FETCH client: gpu sid: 0x42 ssid: 0x0 fetch_addr: 0xbb19000';
    expect(parseFaults(fetch)).toMatchObject([
      { kind: 'f_cd_fetch', fetchAddress: 0xbb1_9000n, device: 'gpu' },
    ]);
  });

  test.each([
    '0x0000000800000010 0x0000020000000000 0x00000000fff00000 0x0000000000000000',
    '0000000800000010, 0000020000000000, 00000000fff00000, 0000000000000000',
    'event: [0x0000000800000010 0x0000020000000000 0x00000000fff00000 0x0000000000000000]',
    '0x800000010 0x20000000000 0xfff00000 0x0',
    '0x00000010 0x00000008 0x00000000 0x00000200 0xfff00000 0x00000000 0x00000000 0x00000000',
    '00000010 00000008 00000000 00000200 fff00000 00000000 00000000 00000000',
  ])('a record in one line: %s', (text) => {
    expect(parseFaults(text)).toMatchObject([expected]);
  });

  test.each([
    // RES0 bits [10:8] are set, or there is no event of that number: words of a stack.
    'ffff800010d03710 ffff800010d03e58 0000000000000000 ffff0000c0a81d00',
    'ffff800010d038ff ffff800010d03e58 0000000000000000 ffff0000c0a81d00',
  ])('four other words are no record: %s', (text) => {
    expect(parseFaults(text)).toEqual([]);
  });
});

describe('CPUs', () => {
  const oops = `Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010
Mem abort info:
  ESR = 0x0000000096000006
  EC = 0x25: DABT (current EL), IL = 32 bits
  SET = 0, FnV = 0
  EA = 0, S1PTW = 0
  FSC = 0x06: level 2 translation fault
Data abort info:
  ISV = 0, ISS = 0x00000006, ISS2 = 0x00000000
  CM = 0, WnR = 0, TnD = 0, TagAccess = 0
user pgtable: 4k pages, 48-bit VAs, pgdp=0000000101234000
[0000000000000010] pgd=0800000102345003, p4d=0800000102345003, pud=0800000102346003, pmd=0000000000000000
Internal error: Oops: 0000000096000006 [#1] PREEMPT SMP
`;

  test("Linux's block of 64 bits is one fault, with the last descriptor of its walk", () => {
    const faults = parseFaults(oops);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({
      source: 'esr',
      kind: 'translation',
      level: 2,
      address: 0x10n,
      access: 'read',
      privileged: true,
      descriptor: 0n,
    });
    expect(parseFaults(`${oops}\n${oops}`)).toHaveLength(2);
  });

  test.each([
    [
      '"Synchronous Abort" handler, esr 0x96000005, far 0xf0000',
      { kind: 'translation', level: 1, address: 0xf_0000n },
    ],
    [
      '"Synchronous Abort" handler, esr 0x8600000d',
      { kind: 'permission', access: 'execute', address: undefined },
    ],
    [
      ' ESR 0x9600004F          FAR 0x00000000EBE08910\n\n ESR : EC 0x25  IL 0x1  ISS 0x0000004F',
      { kind: 'permission', level: 3, access: 'write', address: 0xebe0_8910n },
    ],
    [
      'prog[123]: unhandled level 3 translation fault (11) at 0x00001234, esr 0x92000007, in prog[400000+1000]',
      { kind: 'translation', level: 3, privileged: false, address: 0x1234n },
    ],
    [
      'Taking exception 4 [Data Abort] on CPU 0\n...from EL0 to EL1\n...with ESR 0x24/0x92000047\n...with FAR 0xffff0000',
      { kind: 'translation', access: 'write', privileged: false, address: 0xffff_0000n },
    ],
    [
      '(XEN) traps.c:1983:d0v0 HSR=0x93880006 pc=0x00800012345678 gva=0xffffff80080a0000 gpa=0x000000fee00000',
      { kind: 'translation', stage: 2, level: 2, ipa: 0xfee0_0000n, address: 0xffff_ff80_080a_0000n },
    ],
    ['esr_el2=0x93c08006 far_el2=0xffff800012345678 hpfar_el2=0x8000010', { stage: 2, ipa: 0x8_0000_1678n }],
    ['FAR_EL1: 0x1000\nESR_EL1: 0x9600000f', { kind: 'permission', address: 0x1000n }],
    [
      'kvm [1]: esr: 96000047, far: ffff800000001000',
      { kind: 'translation', address: 0xffff_8000_0000_1000n },
    ],
    [
      'Internal error: synchronous external abort: 0000000096000210 [#1] SMP',
      { kind: 'external', source: 'esr' },
    ],
    [
      'Unhandled fault: synchronous external abort (0x96000010) at 0xffffff8008',
      { kind: 'external', address: 0xff_ffff_8008n },
    ],
    [
      'esr_el1            = 0x0000000096000047\nfar_el1            = 0x0000000000001000\npar_el1 = 0x0',
      { kind: 'translation', address: 0x1000n },
    ],
    ['PAR_EL1 = 0x80b', { source: 'par', kind: 'translation', level: 1 }],
    ['0x96000047', { source: 'esr', kind: 'translation', level: 3, access: 'write' }],
  ])('%s', (text, expected) => {
    expect(parseFaults(text)).toMatchObject([expected]);
  });

  test('ARM32', () => {
    expect(
      parseFaults(
        'Unhandled fault: page domain fault (0x81b) at 0x00000000\nInternal error: : 81b [#1] SMP ARM',
      ),
    ).toMatchObject([{ source: 'dfsr', kind: 'domain', level: 2, domain: 1, access: 'write', address: 0n }]);
    const prefetch =
      'Unable to handle kernel paging request at virtual address bf000000\n[bf000000] *pgd=00000000\nInternal error: Oops: 80000005 [#1] SMP ARM';
    expect(parseFaults(prefetch)).toMatchObject([
      { source: 'ifsr', kind: 'translation', level: 1, address: 0xbf00_0000n },
    ]);
    expect(parseFaults('Internal error: Oops: 206 [#1] SMP ARM')).toMatchObject([
      { source: 'dfsr', level: 2, kind: 'translation' },
    ]);
    expect(parseFaults('DFSR=0x805 DFAR=0xbf000000')).toMatchObject([
      { kind: 'translation', access: 'write', address: 0xbf00_0000n },
    ]);
    expect(parseFaults('a.out: unhandled page fault (11) at 0x00000010, code 0x017')).toMatchObject([
      { kind: 'translation', level: 2, address: 0x10n },
    ]);
  });

  test('several faults keep their own addresses, whichever comes first', () => {
    const addresses = (text: string) => parseFaults(text).map(({ address }) => address);
    expect(addresses('FAR=0x1000 ESR=0x96000047\nFAR=0x2000 ESR=0x96000007')).toEqual([0x1000n, 0x2000n]);
    expect(addresses('ESR=0x96000047\nFAR=0x1000\nESR=0x96000007\nFAR=0x2000')).toEqual([0x1000n, 0x2000n]);
    expect(addresses('ESR=0x96000047 FAR=0x1000 PAR=0x80f')).toEqual([0x1000n, undefined]);
    const far = ['esr 0x96000047', ...Array.from({ length: 20 }, () => '-'), 'far 0x1000'].join('\n');
    expect(addresses(far)).toEqual([undefined]);
  });
});

test.each([
  '',
  'hello, as far as a fault goes',
  'esr',
  'ESR=0x0',
  'x0 : 0000000096000047',
  '0x1234',
  'iova=0x1000',
])('no fault: %s', (text) => {
  expect(parseFaults(text)).toEqual([]);
});

test('nothing makes it throw', () => {
  const name = fc.constantFrom(
    'esr',
    'far',
    'FSR',
    'par',
    'dfsr',
    'event 0x10 received:',
    'event: F_ACCESS client:',
    'sid:',
    'iova',
    'Internal error: Oops:',
    '[#1]',
    'unpriv data write s1 "CD fetch"',
    'Unhandled Page fault in AS1 at VA',
    'raw fault status:',
    'exception type',
    '*** gpu fault: iova',
    'GPU PAGE FAULT: addr =',
    'fault type=0x1 iova=0x1000 pa=0x0 larb=1 port=2',
    'Unhandled fault: status',
    'PAGE FAULT occurred at',
  );
  const value = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((v) => `0x${v.toString(16)}`);
  const piece = fc.oneof(
    name,
    value,
    fc.constantFrom('=', ': ', ' ', '\n', ','),
    fc.string({ maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      for (const { fault, count } of countFaults(parseFaults(pieces.join('')))) {
        expect(count).toBeGreaterThan(0);
        expect(fault.name).not.toBe('');
      }
    }),
    { numRuns: 500 },
  );
});
