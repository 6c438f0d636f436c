/** The SMMU's sets against a plain reference that finds everything anew after every event. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { outcomeText, parseCommand, SmmuDevice } from '../../src/smmu/index.ts';
import { Reference, type Scope } from './cache-reference.ts';

const STRTAB = 0x4100_0000n;
const CDS = 0x4102_0000n;
const QUEUE = 0x4200_0000n;
const TABLES = [0x4300_0000n, 0x4310_0000n] as const;
const STREAMS = [8, 16];
/** Two pages below one table of level 3, one below another. */
const PAGES = [0x8020_0000n, 0x8020_1000n, 0x8040_0000n];

const COMMANDS: readonly (readonly [string, Scope])[] = [
  ['TLBI_NH_VA vmid=0 asid=1 va=0x80200000 leaf=1', { of: 'tlb', asid: 1n, page: 0x8020_0000n, leaf: true }],
  ['TLBI_NH_VA vmid=0 asid=2 va=0x80201000 leaf=0', { of: 'tlb', asid: 2n, page: 0x8020_1000n }],
  ['TLBI_NH_VAA vmid=0 va=0x80400000 leaf=0', { of: 'tlb', page: 0x8040_0000n }],
  ['TLBI_NH_ASID vmid=0 asid=1', { of: 'tlb', asid: 1n }],
  ['TLBI_NH_ASID vmid=0 asid=2', { of: 'tlb', asid: 2n }],
  ['TLBI_NSNH_ALL', { of: 'tlb' }],
  ['CFGI_STE sid=8 leaf=1', { of: 'ste', stream: 8 }],
  ['CFGI_STE sid=16 leaf=1', { of: 'ste', stream: 16 }],
  ['CFGI_CD sid=8 leaf=1', { of: 'cd', stream: 8 }],
  ['CFGI_CD sid=16 leaf=1', { of: 'cd', stream: 16 }],
  ['CFGI_ALL', { of: 'ste' }],
];

/** A driver in front of both. */
class Both {
  readonly memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x800_0000n });
  readonly smmu = new SmmuDevice(this.memory, {
    idr0: 0xd44_101bn,
    idr1: 0x273_0010n,
    idr3: 0x1414n,
    idr5: 0x74n,
    streams: STREAMS,
  });
  readonly reference = new Reference(STRTAB, STREAMS, PAGES);
  #written = 0;

  constructor() {
    for (const [i, table] of TABLES.entries()) {
      this.write(table + 16n, (table + 0x1000n) | 3n);
      this.write(table + 0x1008n, (table + 0x2000n) | 3n);
      this.write(table + 0x1010n, (table + 0x3000n) | 3n);
      this.write(CDS + BigInt(i * 64), 0x1_e204_c000_3519n | (BigInt(i + 1) << 48n));
      this.write(CDS + BigInt(i * 64 + 8), table);
      this.page(i, 0, i + 1);
      this.write(STRTAB + BigInt(STREAMS[i]! * 64), (CDS + BigInt(i * 64)) | 0xbn);
    }
    this.barrier();
    this.smmu.mmioWrite('CR2', 2n);
    this.smmu.mmioWrite('STRTAB_BASE', STRTAB);
    this.smmu.mmioWrite('STRTAB_BASE_CFG', 5n);
    this.smmu.mmioWrite('CMDQ_BASE', QUEUE | 8n);
    this.smmu.mmioWrite('EVENTQ_BASE', 0x4210_000an);
    this.smmu.mmioWrite('CR0', 13n);
    this.reference.enable();
  }

  write(pa: bigint, value: bigint): void {
    this.smmu.write64(pa, value);
    this.reference.write(pa, value);
  }

  barrier(): void {
    this.smmu.barrier();
    this.reference.barrier();
  }

  /** 0: empty; then writable or read-only, global or not, and (5) without AF. */
  page(table: number, page: number, to: number): void {
    const at = TABLES[table]! + [0x2000n, 0x2008n, 0x3000n][page]!;
    const kinds = [0n, 0xf43n, 0xfc3n, 0x743n, 0x7c3n, 0xb43n];
    this.write(at, to === 0 ? 0n : (0x4400_0000n + BigInt(to * 0x1000)) | kinds[to]!);
  }

  /** Commands in one write of CMDQ_PROD; the driver reads CMDQ_CONS, so that a CMD_SYNC counts. */
  commands(numbers: readonly number[], sync: boolean): void {
    const chosen = numbers.map((n) => COMMANDS[n % COMMANDS.length]!);
    for (const text of [...chosen.map(([one]) => one), ...(sync ? ['CMD_SYNC'] : [])]) {
      const at = QUEUE + BigInt((this.#written % 256) * 16);
      for (const [i, word] of parseCommand(text).entries()) this.smmu.write64(at + BigInt(i * 8), word);
      this.#written = (this.#written + 1) % 512;
    }
    this.barrier();
    this.smmu.mmioWrite('CMDQ_PROD', BigInt(this.#written));
    for (const [, scope] of chosen) this.reference.command(scope);
    this.smmu.mmioRead('CMDQ_CONS');
    if (sync) this.reference.sync();
  }

  compare(stream: number, page: number, write: boolean): number {
    const ia = PAGES[page]! + 0x18n;
    const { answers } = this.smmu.access({ streamId: stream, ia, access: write ? 'write' : 'read' });
    const device = answers
      .map(({ outcome }) => outcomeText(outcome).replace('0x', '').split(' s2')[0]!)
      .map((one) => one.replace(' not recorded', ''));
    const wanted = [...this.reference.outcomes(stream, ia, write)];
    expect([...new Set(device)].sort()).toEqual(wanted.sort());
    return answers.length;
  }
}

const number = fc.nat(59);
const action = fc.record({
  kind: fc.constantFrom(
    'page',
    'page',
    'table',
    'ste',
    'cd',
    'root',
    'barrier',
    'command',
    'command',
    'sync',
    'access',
    'access',
  ),
  a: number,
  b: number,
  c: number,
});

test('the permitted sets are those of a plain reference', () => {
  let several = 0;
  fc.assert(
    fc.property(fc.array(action, { minLength: 14, maxLength: 18 }), (actions) => {
      const both = new Both();
      for (const { kind, a, b, c } of actions) {
        if (kind === 'page') both.page(a % 2, b % 3, c % 6);
        else if (kind === 'table')
          both.write(TABLES[a % 2]! + 0x1008n, c % 3 === 0 ? 0n : (TABLES[c % 2]! + 0x2000n) | 3n);
        else if (kind === 'ste')
          both.write(
            STRTAB + BigInt(STREAMS[a % 2]! * 64),
            c % 3 === 2 ? 0n : (CDS + BigInt((c % 3) * 64)) | 0xbn,
          );
        else if (kind === 'cd')
          both.write(
            CDS + BigInt((a % 2) * 64),
            (c % 5 === 0 ? 0xe204_4000_3519n : 0xe204_c000_3519n) | (BigInt((b % 2) + 1) << 48n),
          );
        else if (kind === 'root') both.write(CDS + BigInt((a % 2) * 64 + 8), TABLES[b % 2]!);
        else if (kind === 'barrier') both.barrier();
        else if (kind === 'command') both.commands([a, b].slice(0, 1 + (c % 2)), c % 3 === 0);
        else if (kind === 'sync') both.commands([], true);
        else if (both.compare(STREAMS[a % 2]!, b % 3, c % 4 === 0) > 1) several++;
      }
    }),
    { numRuns: 8, seed: 20 },
  );
  expect(several).toBeGreaterThan(3);
});
