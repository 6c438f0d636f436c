/**
 * An SMMUv3 with DMA-capable PCI devices behind it, one a stream: QEMU's `virt` machine with `edu` devices, whose DMA engine
 * reads or writes at any address. (IHI 0070 6.3 for the registers, 4.3 and 4.4 for commands, 7.3 for events.)
 */
import { type Qemu, RAM_BASE, SharedRam } from './emulator.ts';
import { QtestMachine } from './qtest.ts';

const SMMU = 0x905_0000;
const ECAM = 0x40_1000_0000;
const BAR_BASE = 0x1000_0000;
const BAR_SIZE = 0x10_0000;

/** Where the SMMU's own structures are; tables come behind. */
const COMMANDS = RAM_BASE + 0x20_0000;
const EVENTS = RAM_BASE + 0x21_0000;
export const STREAM_TABLE = RAM_BASE + 0x22_0000;
export const SMMU_TABLES_BASE = RAM_BASE + 0x100_0000;
export const SMMU_RAM_BYTES = 0x4000_0000;
const COMMANDS_LOG2 = 8;
const EVENTS_LOG2 = 7;
const STREAMS_LOG2 = 8;

/** Devices, in slots 1 to DEVICES: StreamID 8 * slot. */
export const DEVICES = 24;
export const streamOf = (device: number): number => (device + 1) * 8;

/** A line of the trace that is this late does not come. */
const TRACE_LIMIT_MS = 2000;

export interface SmmuProbe {
  readonly iova: bigint;
  readonly access: 'read' | 'write';
  /** Neither an address nor an event is expected: it is not waited for one. */
  readonly silent?: boolean;
}

/** What became of a transaction: the address it went out with, an event, or neither. */
export interface SmmuAnswer {
  readonly pa?: bigint;
  readonly event?: readonly bigint[];
}

export class SmmuMachine {
  readonly ram: SharedRam;
  readonly #qtest: QtestMachine;
  /** Output addresses of this round, by StreamID and input address. */
  readonly #translated = new Map<string, bigint>();
  #commands = 0;
  #events = 0;

  private constructor(qemu: Qemu) {
    this.ram = new SharedRam(SMMU_RAM_BYTES);
    const devices = Array.from({ length: DEVICES }, (_, i) => [
      '-device',
      `edu,addr=${(i + 1).toString(16)},dma_mask=0xffffffffffffffff`,
    ]).flat();
    const trace = ['-trace', 'smmuv3_translate_success'];
    this.#qtest = new QtestMachine(qemu, this.ram, 'iommu=smmuv3', [...devices, ...trace], (line) => {
      const found =
        /smmuv3_translate_success .*sid=0x([0-9a-f]+) iova=(0x[0-9a-f]+) translated=(0x[0-9a-f]+)/.exec(line);
      if (found?.[1] && found[2] && found[3])
        this.#translated.set(`${found[1]} ${BigInt(found[2])}`, BigInt(found[3]));
    });
  }

  /** Starts QEMU, places the devices and switches the SMMU on. */
  static async start(qemu: Qemu): Promise<SmmuMachine> {
    const machine = new SmmuMachine(qemu);
    try {
      await machine.#setUp();
    } catch (error) {
      await machine.dispose();
      throw error;
    }
    return machine;
  }

  /** SMMU_IDR0, 1, 3 and 5. */
  async identification(): Promise<Record<'idr0' | 'idr1' | 'idr3' | 'idr5', bigint>> {
    const [idr0 = 0n, idr1 = 0n, idr3 = 0n, idr5 = 0n] = await this.#qtest.sendAll(
      [0x0, 0x4, 0xc, 0x14].map((offset) => `readl ${SMMU + offset}`),
    );
    return { idr0, idr1, idr3, idr5 };
  }

  /** One transaction of each device at most, after everything the SMMU had cached is forgotten. */
  async round(probes: readonly (SmmuProbe | undefined)[]): Promise<(SmmuAnswer | undefined)[]> {
    this.#translated.clear();
    const active = probes.flatMap((probe, device) => (probe ? [{ probe, device }] : []));
    await this.#qtest.send(
      this.#invalidate(),
      ...active.flatMap(({ probe, device }) => start(device, probe)),
    );
    const busy = active.map(({ device }) => `readq ${BAR_BASE + device * BAR_SIZE + 0x98}`);
    while ((await this.#qtest.sendAll(busy)).some((command) => (command & 1n) !== 0n)) await nextTurn();
    const events = await this.#takeEvents();
    // What QEMU traced before it answered has been read by then, but for what is still in the pipe.
    const answers = active.map(({ probe, device }) => ({
      device,
      probe,
      event: events.get(streamOf(device)),
    }));
    await this.#until(() =>
      answers.every(
        ({ device, probe, event }) =>
          probe.silent || event !== undefined || this.#output(device, probe) !== undefined,
      ),
    );
    const result: (SmmuAnswer | undefined)[] = probes.map(() => undefined);
    for (const { device, probe, event } of answers) {
      const pa = this.#output(device, probe);
      result[device] = event ? { event } : pa === undefined ? {} : { pa };
    }
    return result;
  }

  async dispose(): Promise<void> {
    await this.#qtest.dispose();
    this.ram.dispose();
  }

  #output(device: number, { iova }: SmmuProbe): bigint | undefined {
    return this.#translated.get(`${streamOf(device).toString(16)} ${iova}`);
  }

  /** Waits for what is on its way through the pipe of the trace. */
  async #until(done: () => boolean): Promise<void> {
    const limit = Date.now() + TRACE_LIMIT_MS;
    while (!done() && Date.now() < limit) await nextTurn();
  }

  /** CMDQ_PROD of another turn of CFGI_ALL, TLBI_NSNH_ALL and CMD_SYNC, which fill the whole queue. */
  #invalidate(): string {
    this.#commands = (this.#commands + 4) % 2 ** (COMMANDS_LOG2 + 1);
    return `writel ${SMMU + 0x98} ${this.#commands}`;
  }

  async #takeEvents(): Promise<Map<number, readonly bigint[]>> {
    const prod = Number(await this.#qtest.send(`readl ${SMMU + 0x1_00a8}`)) % 2 ** (EVENTS_LOG2 + 1);
    const found = new Map<number, readonly bigint[]>();
    const all = new BigUint64Array(this.ram.read(EVENTS, 32 * 2 ** EVENTS_LOG2));
    while (this.#events !== prod) {
      const at = (this.#events % 2 ** EVENTS_LOG2) * 4;
      const words = [...all.subarray(at, at + 4)];
      found.set(Number((words[0] ?? 0n) >> 32n), words);
      this.#events = (this.#events + 1) % 2 ** (EVENTS_LOG2 + 1);
    }
    await this.#qtest.send(`writel ${SMMU + 0x1_00ac} ${prod}`);
    return found;
  }

  /** Writes the command queue; the RAM may have been cleared. */
  restore(): void {
    const turn = [0x04n, 31n, 0x30n, 0n, 0x10n, 0n, 0x46n, 0n];
    const turns = 2 ** COMMANDS_LOG2 / 4;
    // CFGI_ALL (its range in the second word), TLBI_NSNH_ALL, TLBI_NH_ALL, SYNC.
    this.ram.writeWords64(COMMANDS, Array.from({ length: turns }, () => turn).flat());
  }

  async #setUp(): Promise<void> {
    const placed = Array.from({ length: DEVICES }, (_, device) => {
      const config = ECAM + ((device + 1) << 15);
      // BAR0, then memory space and bus mastering on.
      return [`writel ${config + 0x10} ${BAR_BASE + device * BAR_SIZE}`, `writel ${config + 4} 6`];
    });
    this.restore();
    await this.#qtest.send(
      ...placed.flat(),
      `writeq ${SMMU + 0x80} ${STREAM_TABLE}`,
      `writel ${SMMU + 0x88} ${STREAMS_LOG2}`,
      `writeq ${SMMU + 0x90} ${COMMANDS + COMMANDS_LOG2}`,
      `writeq ${SMMU + 0xa0} ${EVENTS + EVENTS_LOG2}`,
      // CR0: CMDQEN, EVENTQEN, SMMUEN.
      `writel ${SMMU + 0x20} 13`,
    );
  }
}

/** SMMU_STRTAB_BASE and its configuration, as the walker takes them. */
export const STREAM_TABLE_REGISTERS = {
  strtabBase: BigInt(STREAM_TABLE),
  strtabBaseCfg: BigInt(STREAMS_LOG2),
} as const;

/** The DMA of 4 bytes between memory and the device's own buffer. */
function start(device: number, { iova, access }: SmmuProbe): string[] {
  const bar = BAR_BASE + device * BAR_SIZE;
  const [source, target, command] = access === 'read' ? [iova, 0x4_0000n, 1] : [0x4_0000n, iova, 3];
  return [
    `writeq ${bar + 0x80} ${source}`,
    `writeq ${bar + 0x88} ${target}`,
    `writeq ${bar + 0x90} 4`,
    `writeq ${bar + 0x98} ${command}`,
  ];
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
