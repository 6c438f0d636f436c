/** QEMU's SMMUv3 with one DMA-capable device behind it, on which the steps of a trace are done one after the other. */
import { SMMU_REGISTERS } from '../../src/arch/smmu/index.ts';
import type { SmmuTrace, SmmuTraceStep, TraceAccess } from '../../src/smmu/trace.ts';
import { type Qemu, RAM_BASE, SharedRam } from '../conformance/qemu/emulator.ts';
import { QtestMachine } from '../conformance/qemu/qtest.ts';

const SMMU = 0x905_0000;
const ECAM = 0x40_1000_0000;
const BAR = 0x1000_0000;
const RAM_BYTES = 0x800_0000;
/** A line of the trace that is this late does not come. */
const LIMIT_MS = 2000;

type Answer = { readonly kind: 'pa'; readonly pa: bigint } | { readonly kind: 'abort' } | readonly bigint[];

export class DriverMachine {
  readonly #ram = new SharedRam(RAM_BYTES);
  readonly #qtest: QtestMachine;
  #identification: readonly bigint[] = [];
  #line: Answer | undefined;

  private constructor(qemu: Qemu) {
    const names = ['success', 'abort', 'bypass', 'disable'];
    const traces = names.flatMap((name) => ['-trace', `smmuv3_translate_${name}`]);
    const devices = ['-device', 'edu,addr=1,dma_mask=0xffffffffffffffff'];
    this.#qtest = new QtestMachine(qemu, this.#ram, 'iommu=smmuv3', [...devices, ...traces], (line) => {
      const translated = /smmuv3_translate_success .*translated=(0x[0-9a-f]+)/.exec(line)?.[1];
      const passed = /smmuv3_translate_(?:bypass|disable) .*iova:(0x[0-9a-f]+)/.exec(line)?.[1];
      const pa = translated ?? passed;
      if (pa !== undefined) this.#line = { kind: 'pa', pa: BigInt(pa) };
      else if (line.includes('smmuv3_translate_abort ')) this.#line = { kind: 'abort' };
    });
  }

  static async start(qemu: Qemu): Promise<DriverMachine> {
    const machine = new DriverMachine(qemu);
    const config = ECAM + (1 << 15);
    await machine.#qtest.send(`writel ${config + 0x10} ${BAR}`, `writel ${config + 4} 6`);
    const offsets = [0x0, 0x4, 0xc, 0x14, 0x1c, 0x44];
    machine.#identification = await machine.#qtest.sendAll(offsets.map((offset) => `readl ${SMMU + offset}`));
    return machine;
  }

  /** The machine of a trace. */
  get atReset(): SmmuTrace['machine'] {
    const [idr0 = 0n, idr1 = 0n, idr3 = 0n, idr5 = 0n, aidr = 0n, gbpa = 0n] = this.#identification;
    const ram = { base: BigInt(RAM_BASE), size: BigInt(RAM_BYTES) };
    return { base: BigInt(SMMU), idr0, idr1, idr3, idr5, aidr, gbpa, sids: [8], ram };
  }

  /** Does the steps. @returns for each access where it went, an abort, or its event record. */
  async run({ memory, steps }: SmmuTrace): Promise<Map<number, Answer>> {
    // Words of the run before this one.
    const zero = [...this.#written].map((pa) => `writeq ${pa} 0`);
    this.#written.clear();
    const waiting = [...zero, ...memory.map(({ pa, value }) => this.#write(pa, value))];
    const answers = new Map<number, Answer>();
    for (const [number, step] of steps.entries()) {
      if (step.kind === 'access') {
        if (waiting.length > 0) await this.#qtest.send(...waiting.splice(0));
        const answer = await this.#access(step.access);
        if (answer !== undefined) answers.set(number, answer);
      } else waiting.push(...this.#commands(step));
    }
    await this.#qtest.send(...waiting, `writel ${SMMU + 0x20} 0`);
    return answers;
  }

  readonly #written = new Set<bigint>();

  #write(pa: bigint, value: bigint): string {
    this.#written.add(pa);
    return `writeq ${pa} ${value}`;
  }

  #commands(step: Exclude<SmmuTraceStep, { kind: 'access' }>): string[] {
    if (step.kind === 'write64') return [this.#write(step.pa, step.value)];
    if (step.kind === 'read64') return [`readq ${step.pa}`];
    if (step.kind === 'barrier' || step.kind === 'interrupt' || step.kind === 'resumed') return [];
    const { offset, bits } = SMMU_REGISTERS[step.register];
    const width = bits === 64 ? 'q' : 'l';
    return step.kind === 'mmio'
      ? [`write${width} ${SMMU + offset} ${step.value}`]
      : [`read${width} ${SMMU + offset}`];
  }

  /** The DMA of 4 bytes between memory and the device's own buffer. */
  async #access({ iova, rw }: TraceAccess): Promise<Answer | undefined> {
    this.#line = undefined;
    const producer = `readl ${SMMU + SMMU_REGISTERS.EVENTQ_PROD.offset}`;
    const [source, target, command] = rw === 'read' ? [iova, 0x4_0000n, 1] : [0x4_0000n, iova, 3];
    const before = await this.#qtest.send(producer);
    await this.#qtest.send(
      `writeq ${BAR + 0x80} ${source}`,
      `writeq ${BAR + 0x88} ${target}`,
      `writeq ${BAR + 0x90} 4`,
      `writeq ${BAR + 0x98} ${command}`,
    );
    while (((await this.#qtest.send(`readq ${BAR + 0x98}`)) & 1n) !== 0n);
    const [base = 0n, after = 0n] = await this.#qtest.sendAll([
      `readq ${SMMU + SMMU_REGISTERS.EVENTQ_BASE.offset}`,
      producer,
    ]);
    if (after !== before) {
      const record = (base & 0xff_ffff_ffff_ffe0n) + (before & ((1n << (base & 0x1fn)) - 1n)) * 32n;
      return await this.#qtest.sendAll([0n, 8n, 16n, 24n].map((at) => `readq ${record + at}`));
    }
    const limit = Date.now() + LIMIT_MS;
    while (this.#line === undefined && Date.now() < limit) await new Promise((next) => setImmediate(next));
    return this.#line;
  }

  async dispose(): Promise<void> {
    await this.#qtest.dispose();
    this.#ram.dispose();
  }
}
