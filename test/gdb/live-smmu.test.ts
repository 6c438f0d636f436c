/** An SMMUv3 with a device behind it, read through QEMU's gdbstub: its registers from its pages, its tables from RAM. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { IommuDomain, PhysicalMemory } from '../../src/index.ts';
import { lpae } from '../cli/run.ts';
import { findQemu, SharedRam } from '../conformance/qemu/emulator.ts';
import { QtestMachine } from '../conformance/qemu/qtest.ts';
import { freePort } from './live-machine.ts';

const qemu = findQemu();

const SMMU = 0x905_0000;
const STREAM_TABLE = 0x4022_0000;
const CONTEXT = 0x4023_0000;
const TABLES = 0x4100_0000;
/** Of the device in slot 1 of bus 0. */
const STREAM = 8;

describe.runIf(qemu !== undefined)('an SMMUv3 that runs', () => {
  const ram = new SharedRam(0x1000_0000);
  let machine: QtestMachine;
  let gdb: string;

  beforeAll(async () => {
    const buffer = new ArrayBuffer(0x10_0000);
    const tables = new PhysicalMemory({ base: BigInt(TABLES), buffer });
    const domain = new IommuDomain(tables, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 39, oas: 44 });
    domain.map(0x1000_0000n, 0x4800_0000n, 0x20_0000n, { read: true, write: true, cache: true });
    domain.map(0x1040_0000n, 0x4900_0000n, 0x3000n, { read: true });
    const { ttbr0 = 0n, mair = 0n } = domain.registers.hardware.registers;
    ram.write(TABLES, new Uint8Array(buffer));
    // STE: V, Config 0b101 (stage 1). CD: T0SZ 25, write-back, inner shareable, EPD1, V, IPS 4 (44 bits), AA64, R, A, ASET.
    ram.writeWords64(STREAM_TABLE + STREAM * 64, [BigInt(CONTEXT) | 0xbn, 0n, 0n, 0n, 0n, 0n, 0n, 0n]);
    ram.writeWords64(CONTEXT, [0xe204_c000_3519n, ttbr0 & 0xffff_ffff_ffffn, 0n, mair, 0n, 0n, 0n, 0n]);
    const port = await freePort();
    gdb = `gdb://127.0.0.1:${port}`;
    const devices = ['-device', 'edu,addr=1', '-gdb', `tcp:127.0.0.1:${port}`];
    machine = new QtestMachine(qemu!, ram, 'iommu=smmuv3', devices, () => {});
    await machine.send(
      `writeq ${SMMU + 0x80} ${STREAM_TABLE}`,
      `writel ${SMMU + 0x88} 8`,
      `writel ${SMMU + 0x20} 1`,
    );
  });
  afterAll(async () => {
    await machine.dispose();
    ram.dispose();
  });

  test('says what its streams map, as the same memory in a file does', async () => {
    const live = await lpae(['dump', gdb, '--smmu', '0x0905_0000', '--sid', '8']);
    expect(live.code).toBe(0);
    expect(live.out).toContain('0x0010000000-0x00101fffff   2M  -> 0x48000000  2M     rw- rwx  WB ');
    expect(live.out).toContain('0x0010400000-0x0010402fff  12K  -> 0x49000000  4K ×3  r-x r-x  NC ');
    const identification = await machine.sendAll([0x0, 0x4, 0xc, 0x14].map((at) => `readl ${SMMU + at}`));
    const saved = await lpae([
      ...['dump', `${ram.path}@0x4000_0000`, '--strtab-base', `${STREAM_TABLE}`, '--strtab-cfg', '8'],
      ...['idr0', 'idr1', 'idr3', 'idr5'].flatMap((name, i) => [`--${name}`, `${identification[i]}`]),
      ...['--cr0', '1', '--sid', '8'],
    ]);
    expect(live.out).toBe(saved.out);
  });

  test('tells the only stream, and a walk through it', async () => {
    const { code, out, err } = await lpae(['walk', gdb, '0x1000_1234', '--smmu', '0x0905_0000']);
    expect(code).toBe(0);
    expect(err).toContain('StreamID 0x8: it is the only one');
    expect(out).toContain('0x48001234');
  });

  test('is not where there is none', async () => {
    const { code, err } = await lpae(['walk', gdb, '0x1000_1234', '--smmu', '0x30_0000_0000']);
    expect(code).toBe(3);
    expect(err).toContain('there is no SMMUv3 at 0x3000000000: SMMU_IDR0 and SMMU_IDR5 read 0');
  });
});
