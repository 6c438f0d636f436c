/** The whole path: a domain makes tables, the SMMU reads them, a device does I/O; and a fault of the driver at each step is found. */
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { recordWrites } from '../../src/bbm/index.ts';
import { DmaMapper, type DmaMapping } from '../../src/dma/index.ts';
import { IommuDomain, Scatterlist } from '../../src/index.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { needsOf, outcomeText, parseCommand, SmmuDevice } from '../../src/smmu/index.ts';

const STRTAB = 0x4700_0000n;
const CD = 0x4701_0000n;
const QUEUE = 0x4702_0000n;
const IDS = { idr0: 0xd44_101bn, idr1: 0x273_0010n, idr3: 0x1414n, idr5: 0x74n };
const STREAM = 8;
const ASID = 5n;

/** What the driver does wrong: a command that it leaves out, or an invalidation before the unmap. */
type Mistake = 'tlbi' | 'sync' | 'cfgi' | 'early';

/** A driver with one device behind an SMMU. */
function system(mistake?: Mistake) {
  const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x800_0000n });
  const smmu = new SmmuDevice(memory, { ...IDS, streams: [STREAM] });
  const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x1000n, ias: 39, oas: 44 });
  const dma = new DmaMapper(domain, { limit: 0xffff_ffffn });
  const recording = recordWrites(memory);
  let told = 0;
  let written = 0;
  /** The SMMU hears of what the domain wrote. */
  const tell = () => {
    const old = new Map<bigint, bigint>();
    const steps = recording.steps;
    for (const [i, step] of steps.entries()) {
      if (!('write' in step)) continue;
      const before = old.get(step.write) ?? recording.initial(step.write);
      old.set(step.write, step.value);
      if (i >= told) smmu.written64(step.write, step.value, before);
    }
    told = steps.length;
  };
  const commands = (...texts: string[]) => {
    for (const text of texts) {
      const [low, high] = parseCommand(text);
      smmu.write64(QUEUE + BigInt((written % 256) * 16), low);
      smmu.write64(QUEUE + BigInt((written % 256) * 16 + 8), high);
      written = (written + 1) % 512;
    }
    told = recording.steps.length;
    smmu.barrier();
    smmu.mmioWrite('CMDQ_PROD', BigInt(written));
    smmu.mmioRead('CMDQ_CONS');
  };
  const attach = () => {
    const { ttbr } = domain.registers.cfg;
    const root = BigInt(ttbr as bigint);
    tell();
    // T0SZ = 25, 4K, EPD1, 44-bit output, V, AA64, A, R.
    for (const [i, word] of [0x1_e204_c000_3519n | (ASID << 48n), root, 0n, 0xffn].entries()) {
      smmu.write64(CD + BigInt(i * 8), word);
    }
    // A CD must be observable before an STE that leads to it is.
    smmu.barrier();
    smmu.write64(STRTAB + BigInt(STREAM * 64), CD | 0xbn);
    told = recording.steps.length;
    smmu.barrier();
    commands(...(mistake === 'cfgi' ? [] : [`CFGI_STE sid=${STREAM} leaf=1`]), 'CMD_SYNC');
  };
  const unmap = (mapping: DmaMapping) => {
    const va = `0x${mapping.range.iova.toString(16)}`;
    const invalidate = () => {
      const tlbi = mistake === 'tlbi' ? [] : [`TLBI_NH_VA vmid=0 asid=${ASID} va=${va} leaf=1`];
      commands(...tlbi, ...(mistake === 'sync' ? [] : ['CMD_SYNC']));
    };
    if (mistake === 'early') invalidate();
    dma.unmapSg(mapping);
    tell();
    smmu.barrier();
    if (mistake !== 'early') invalidate();
  };
  smmu.mmioWrite('STRTAB_BASE', STRTAB);
  smmu.mmioWrite('STRTAB_BASE_CFG', 5n);
  smmu.mmioWrite('CMDQ_BASE', QUEUE | 8n);
  smmu.mmioWrite('EVENTQ_BASE', 0x4703_0000n | 8n);
  smmu.mmioWrite('CR0', 13n);
  return { smmu, dma, tell, attach, unmap };
}

/** Maps a buffer, does I/O, unmaps it, and does the same I/O again. */
function run(mistake?: Mistake) {
  const { smmu, dma, tell, attach, unmap } = system(mistake);
  const buffer = 0x4500_0000n;
  const mapping = dma.mapSg(Scatterlist.from([{ phys: buffer, length: 0x1000n }]), {
    direction: 'to-device',
  });
  tell();
  attach();
  const asked = { streamId: STREAM, ia: mapping.range.iova + 0x18n, access: 'read' } as const;
  const said = () => smmu.access(asked).answers.map(({ outcome }) => outcomeText(outcome));
  const mapped = said();
  const needsMapped = mapped.length > 1 ? needsOf(smmu, asked) : undefined;
  unmap(mapping);
  const unmapped = said();
  const needsUnmapped = unmapped.length > 1 ? needsOf(smmu, asked) : undefined;
  return { mapped, needsMapped, unmapped, needsUnmapped, ia: asked.ia - 0x18n };
}

describe('map, I/O, unmap, invalidate', () => {
  const there = 'pa 0x45000018';
  const gone = 'F_TRANSLATION s2=0 class=in';

  test('by a careful driver: one answer at each step', () => {
    expect(run()).toMatchObject({ mapped: [there], unmapped: [expect.stringContaining(gone)] });
  });

  test('CMD_CFGI_STE forgotten', () => {
    const { mapped, needsMapped } = run('cfgi');
    expect(mapped[0]).toBe(there);
    expect(mapped[1]).toContain('C_BAD_STE');
    expect(needsMapped).toEqual(['CFGI_STE sid=8 leaf=1', 'CMD_SYNC']);
  });

  test.each(['tlbi', 'early'] as const)('the device reaches freed memory: %s', (mistake) => {
    const { mapped, unmapped, needsUnmapped, ia } = run(mistake);
    expect(mapped).toEqual([there]);
    expect(unmapped).toEqual([expect.stringContaining(gone), there]);
    expect(needsUnmapped).toEqual([`TLBI_NH_VA vmid=0 asid=5 va=0x${ia.toString(16)} leaf=1`, 'CMD_SYNC']);
  });

  test('CMD_SYNC forgotten', () => {
    expect(run('sync')).toMatchObject({
      unmapped: [expect.stringContaining(gone), there],
      needsUnmapped: ['CMD_SYNC'],
    });
  });
});
