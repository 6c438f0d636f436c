/** What may be cached of substreams: the level 1 descriptor of a table of CDs, and CDs by SubstreamID. (IHI 0070 3.21.3, 4.3.3, 5.3.) */
import { expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { outcomeText, parseCommand, SmmuDevice } from '../../src/smmu/index.ts';

const STRTAB = 0x4100_0000n;
const LEVEL1 = 0x4102_0000n;
const LEAF = 0x4102_1000n;
const TABLE = 0x4300_0000n;
const QUEUE = 0x4200_0000n;
/** Tables of CDs of two levels, 8 bits of SubstreamID. */
const IDS = { idr0: 0xd4c_101bn, idr1: 0x273_0210n, idr3: 0x1414n, idr5: 0x74n, streams: [8] };

test('an L1CD that becomes valid needs CMD_CFGI_CD with Leaf = 0', () => {
  const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x800_0000n });
  // IOVA 0x8020_0000 by 4K tables of 39 bits.
  memory.write64(TABLE + 16n, (TABLE + 0x1000n) | 3n);
  memory.write64(TABLE + 0x1008n, (TABLE + 0x2000n) | 3n);
  memory.write64(TABLE + 0x2000n, 0x4400_0f43n);
  for (const [i, word] of [0x1_e204_c000_3519n | (7n << 48n), TABLE, 0n, 0xffn].entries()) {
    memory.write64(LEAF + 3n * 64n + BigInt(i * 8), word);
  }
  // S1CDMax = 8, S1Fmt = 1, Config = stage 1, V; S1DSS = 2.
  memory.write64(STRTAB + 512n, (8n << 59n) | LEVEL1 | 0x1bn);
  memory.write64(STRTAB + 520n, 2n);
  const smmu = new SmmuDevice(memory, IDS);
  smmu.mmioWrite('STRTAB_BASE', STRTAB);
  smmu.mmioWrite('STRTAB_BASE_CFG', 5n);
  smmu.mmioWrite('CMDQ_BASE', QUEUE | 4n);
  smmu.mmioWrite('EVENTQ_BASE', 0x4201_0000n | 6n);
  smmu.mmioWrite('CR0', 13n);
  let written = 0;
  const commands = (...texts: string[]) => {
    for (const words of texts.map(parseCommand)) {
      for (const [i, word] of words.entries()) smmu.write64(QUEUE + BigInt(written * 16 + i * 8), word);
      written++;
    }
    smmu.barrier();
    smmu.mmioWrite('CMDQ_PROD', BigInt(written));
    smmu.mmioRead('CMDQ_CONS');
  };
  const said = (substreamId: number) => {
    const asked = { streamId: 8, substreamId, ia: 0x8020_0018n, access: 'read' } as const;
    return smmu.access(asked).answers.map(({ outcome: { by, ...outcome } }) => [outcomeText(outcome), by]);
  };
  expect(said(3)).toEqual([['C_BAD_SUBSTREAMID', undefined]]);
  smmu.write64(LEVEL1, LEAF | 1n);
  smmu.barrier();
  const both = [
    ['pa 0x44000018', undefined],
    ['C_BAD_SUBSTREAMID', ['cd']],
  ];
  expect(said(3)).toEqual(both);
  commands('CFGI_CD sid=8 ssid=3 leaf=1', 'CMD_SYNC');
  expect(said(3)).toEqual(both);
  commands('CFGI_CD sid=8 ssid=4 leaf=0', 'CMD_SYNC');
  expect(said(3)).toEqual(both);
  commands('CFGI_CD sid=8 ssid=3 leaf=0', 'CMD_SYNC');
  expect(said(3)).toEqual([['pa 0x44000018', undefined]]);
});
