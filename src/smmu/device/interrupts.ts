/**
 * Interrupts of an SMMUv3: wired outputs and MSIs, global errors and their acknowledgement. An interrupt is sent for what happens
 * while it is enabled, after what it tells of can be seen. (IHI 0070 3.18, 4.7.3, 6.3.16, 6.3.19, 7.5.)
 */
import type { BitField } from '../../arch/field.ts';
import { addressOf, isSet, maskOf, read } from '../../arch/read.ts';
import {
  SMMU_GERROR,
  SMMU_IDR0,
  SMMU_IRQ_CFG0,
  SMMU_IRQ_CFG2,
  SMMU_IRQ_CTRL,
  type SmmuRegisterName,
  SYNC_SIGNAL,
} from '../../arch/smmu/index.ts';
import type { SmmuCommand } from '../commands.ts';
import type { InterruptSource } from '../trace.ts';
import type { RegisterFile } from './register-file.ts';

/** A message signalled interrupt: a write of 32 bits. */
export interface Msi {
  /** Physical, a multiple of 4. */
  readonly address: bigint;
  /** 32 bits. */
  readonly data: bigint;
  /** Memory type, as STE.MemAttr: 4 bits. */
  readonly memAttr: number;
  /** Shareability: 0 none, 2 outer, 3 inner. */
  readonly sh: number;
}

/** An interrupt that the SMMU sends: on the wired output of its source, and as an MSI where one is configured. */
export interface SmmuInterrupt {
  /** `event`: a wake-up event for PEs (CMD_SYNC with CS = SIG_SEV), which has no MSI. */
  readonly source: InterruptSource | 'event';
  readonly msi: Msi | undefined;
}

/** A source with registers. */
type Configured = Exclude<InterruptSource, 'CMD_SYNC'>;
/** A global error. */
export type GlobalError = keyof typeof SMMU_GERROR.fields;

const ENABLES: Readonly<Record<Configured, BitField>> = {
  EVENTQ: SMMU_IRQ_CTRL.fields.EVENTQ_IRQEN,
  PRIQ: SMMU_IRQ_CTRL.fields.PRIQ_IRQEN,
  GERROR: SMMU_IRQ_CTRL.fields.GERROR_IRQEN,
};

const REGISTERS: Readonly<
  Record<Configured, readonly [SmmuRegisterName, SmmuRegisterName, SmmuRegisterName]>
> = {
  EVENTQ: ['EVENTQ_IRQ_CFG0', 'EVENTQ_IRQ_CFG1', 'EVENTQ_IRQ_CFG2'],
  PRIQ: ['PRIQ_IRQ_CFG0', 'PRIQ_IRQ_CFG1', 'PRIQ_IRQ_CFG2'],
  GERROR: ['GERROR_IRQ_CFG0', 'GERROR_IRQ_CFG1', 'GERROR_IRQ_CFG2'],
};

/** What is active when the MSI of a source was aborted. */
const ABORTS: Readonly<Record<InterruptSource, GlobalError>> = {
  CMD_SYNC: 'MSI_CMDQ_ABT_ERR',
  EVENTQ: 'MSI_EVENTQ_ABT_ERR',
  PRIQ: 'MSI_PRIQ_ABT_ERR',
  GERROR: 'MSI_GERROR_ABT_ERR',
};

/** What the interrupts need of their surroundings. */
export interface InterruptOutputs {
  /** Writes an MSI. False: it was aborted. */
  readonly write: (msi: Msi) => boolean;
  /** Is told of each interrupt, after its MSI was written. */
  readonly tell: ((interrupt: SmmuInterrupt) => void) | undefined;
}

export class Interrupts {
  readonly #registers: RegisterFile;
  readonly #outputs: InterruptOutputs;
  /** Sent when what they tell of can be seen. */
  readonly #waiting: SmmuInterrupt[] = [];
  #delivering = false;
  /** Sources that have interrupted since software took an interrupt of theirs. */
  readonly #sent = new Set<InterruptSource>();

  constructor(registers: RegisterFile, outputs: InterruptOutputs) {
    this.#registers = registers;
    this.#outputs = outputs;
  }

  /** Something happened at a source: an interrupt, if it is enabled. */
  trigger(source: Configured): void {
    if (!this.#registers.isSet('IRQ_CTRL', ENABLES[source])) return;
    const [address, data, attributes] = REGISTERS[source].map((name) => this.#registers.get(name));
    const { MemAttr, SH } = SMMU_IRQ_CFG2.fields;
    this.#send(source, {
      address: addressOf(address!, SMMU_IRQ_CFG0.fields.ADDR),
      data: data!,
      memAttr: read(attributes!, MemAttr),
      sh: read(attributes!, SH),
    });
  }

  /** A CMD_SYNC is complete. (4.7.3.) */
  commandSync({ fields }: SmmuCommand): void {
    const { CS = 0n, MSIAddress = 0n, MSIData = 0n, MSIAttr = 0n, MSH = 0n } = fields;
    const signal = Number(CS);
    if (signal === SYNC_SIGNAL.interrupt) {
      const [memAttr, sh] = [Number(MSIAttr), Number(MSH)];
      this.#send('CMD_SYNC', { address: MSIAddress, data: MSIData, memAttr, sh });
    }
    if (signal === SYNC_SIGNAL.event && this.#registers.isSet('IDR0', SMMU_IDR0.fields.SEV)) {
      this.#waiting.push({ source: 'event', msi: undefined });
    }
  }

  /** A global error: active until GERRORN agrees. One that is active already is not reported again. (7.5.) */
  activate(error: GlobalError): void {
    const field = SMMU_GERROR.fields[error];
    const [now, acknowledged] = [this.#registers.get('GERROR'), this.#registers.get('GERRORN')];
    if (isSet(now ^ acknowledged, field)) return;
    this.#registers.set('GERROR', now ^ maskOf(field));
    // Another MSI to the same place might be aborted as well. (7.5.1)
    if (error !== 'MSI_GERROR_ABT_ERR') this.trigger('GERROR');
  }

  /** Software takes an interrupt of a source. False: there was none since it took the one before. */
  take(source: InterruptSource): boolean {
    return this.#sent.delete(source);
  }

  /** Sends what waits. What is sent may have effects that send more. */
  deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const { source, msi } = next;
        if (source !== 'event') {
          if (msi !== undefined && !this.#outputs.write(msi)) this.activate(ABORTS[source]);
          this.#sent.add(source);
        }
        this.#outputs.tell?.(next);
      }
    } finally {
      this.#delivering = false;
    }
  }

  /** No MSI without SMMU_IDR0.MSI, nor to address 0. */
  #send(source: InterruptSource, msi: Msi): void {
    const signalled = this.#registers.isSet('IDR0', SMMU_IDR0.fields.MSI) && msi.address !== 0n;
    this.#waiting.push({ source, msi: signalled ? msi : undefined });
  }
}
