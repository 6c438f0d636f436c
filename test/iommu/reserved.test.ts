/** Ranges that a domain reserves: no map may touch them, and no DMA mapper hands them out. */
import { describe, expect, test } from 'vitest';
import { formats } from '../../formats/index.ts';
import { DmaMapper } from '../../src/dma/index.ts';
import { IommuDomain, IommuError, PhysicalMemory, type ReservedRange, Scatterlist } from '../../src/index.ts';

const arm64 = formats.find(({ name }) => name === 'arm_64_lpae_s1')!;
const RW = { read: true, write: true };
/** Where machines of QEMU's have the doorbell of a GICv2m or ITS. */
const MSI = { iova: 0x800_0000n, size: 0x10_0000n, type: 'msi' } as const;

const domainOf = (reserved: readonly ReservedRange[]) =>
  new IommuDomain(new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n }), arm64, {
    pgsizeBitmap: 0x4020_1000n,
    ias: 32,
    oas: 40,
    reserved,
  });

function refused(run: () => unknown): IommuError {
  try {
    run();
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a reserved range', () => {
  test.each([
    ['all of it', 0x400_0000n, 0x800_0000n],
    ['its first page', 0x7ff_f000n, 0x2000n],
    ['its last page', 0x80f_f000n, 0x1000n],
  ])('is not mapped over: %s', (_, iova, size) => {
    const domain = domainOf([MSI]);
    const error = refused(() => domain.map(iova, iova, size, RW));
    expect([error.code, error.operands]).toEqual(['EINVAL', { iova: MSI.iova, size: MSI.size }]);
    expect(error.message).toMatch(
      /touches the MSI window \[0x8000000, \+0x100000\).* map below 0x8000000, or from 0x8100000 on/,
    );
    const sg = Scatterlist.from([{ phys: 0x9000_0000n, length: size }]);
    for (const map of [() => domain.mapSg(iova, sg, RW), () => domain.mapSgByMap(iova, sg, RW)]) {
      expect(refused(map).code).toBe('EINVAL');
    }
    expect(domain.tables().length).toBe(1);
  });

  test('leaves its neighbours to be mapped', () => {
    const domain = domainOf([MSI, { iova: 0n, size: 1n }]);
    domain.map(0x7ff_f000n, 0x9000_0000n, 0x1000n, RW);
    domain.map(0x810_0000n, 0x9000_0000n, 0x1000n, RW);
    expect(domain.iovaToPhys(0x810_0000n)).toBe(0x9000_0000n);
    expect(refused(() => domain.map(0n, 0n, 0x1000n, RW)).message).toMatch(
      /touches the reserved range \[0x0, \+0x1\)/,
    );
  });

  test('may end with the last of 64 bits, and not beyond', () => {
    const last = { iova: 0xffff_ffff_fff0_0000n, size: 0x10_0000n };
    expect(domainOf([last]).reserved).toEqual([last]);
    expect(refused(() => domainOf([{ ...last, size: 0x10_0001n }])).code).toBe('EINVAL');
  });

  test.each(['highest', 'lowest', 'tree', 'linux'] as const)(
    'is not handed out under the policy %s',
    (iova) => {
      const domain = domainOf([
        { iova: 0n, size: 0x800_0000n },
        { iova: 0x800_2000n, size: 0xf7ff_e000n },
      ]);
      const dma = new DmaMapper(domain, { iova });
      const page = () => dma.mapSingle(0x9000_0000n, 0x1000n, { direction: 'to-device' }).range.iova;
      expect([page(), page()].sort()).toEqual([0x800_0000n, 0x800_1000n]);
      expect(refused(page).code).toBe('ENOMEM');
    },
  );

  test.each([
    ['empty', { iova: 0x1000n, size: 0n }, /must have at least one byte/],
    ['beyond 64 bits', { iova: 0xffff_ffff_ffff_f000n, size: 0x1001n }, /end within 64 bits/],
    [
      'of another type',
      { iova: 0n, size: 1n, type: 'direct' as never },
      /must be one of reserved, msi, not direct/,
    ],
    ['no address', { iova: -1n, size: 1n }, /reserved iova must be/],
  ])('that is %s is refused', (_, range, message) => {
    expect(refused(() => domainOf([range])).message).toMatch(message);
  });
});
