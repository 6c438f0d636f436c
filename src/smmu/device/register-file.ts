/**
 * The registers of an SMMUv3's Non-secure programming interface: what a write does to them. A write to a register that is guarded is
 * ignored, as SMMUv3.2 has it; before, what it did was CONSTRAINED UNPREDICTABLE. (IHI 0070 6.2, 6.3.)
 */
import type { BitField } from '../../arch/field.ts';
import { isSet, withField } from '../../arch/read.ts';
import {
  SMMU_CR0,
  SMMU_GBPA,
  SMMU_IRQ_CTRL,
  SMMU_REGISTERS,
  type SmmuRegisterName,
} from '../../arch/smmu/index.ts';
import type { RegisterHalf } from '../trace.ts';

/** A register that is only written while a control is 0. */
interface Guard {
  readonly control: 'CR0' | 'IRQ_CTRL';
  readonly field: BitField;
  readonly section: string;
}

const { SMMUEN, CMDQEN, EVENTQEN, PRIQEN } = SMMU_CR0.fields;
const { GERROR_IRQEN, EVENTQ_IRQEN, PRIQ_IRQEN } = SMMU_IRQ_CTRL.fields;

const enabled = (field: BitField, section: string): Guard => ({ control: 'CR0', field, section });
const interrupt = (field: BitField, section: string): Guard => ({ control: 'IRQ_CTRL', field, section });

/** Which registers are guarded, and by what. */
export const GUARDS: Partial<Readonly<Record<SmmuRegisterName, Guard>>> = {
  CR2: enabled(SMMUEN, '6.3.12'),
  STRTAB_BASE: enabled(SMMUEN, '6.3.24'),
  STRTAB_BASE_CFG: enabled(SMMUEN, '6.3.25'),
  CMDQ_BASE: enabled(CMDQEN, '6.3.26'),
  CMDQ_CONS: enabled(CMDQEN, '6.3.28'),
  EVENTQ_BASE: enabled(EVENTQEN, '6.3.29'),
  EVENTQ_PROD: enabled(EVENTQEN, '6.3.95'),
  PRIQ_BASE: enabled(PRIQEN, '6.3.33'),
  PRIQ_PROD: enabled(PRIQEN, '6.3.97'),
  GERROR_IRQ_CFG0: interrupt(GERROR_IRQEN, '6.3.21'),
  GERROR_IRQ_CFG1: interrupt(GERROR_IRQEN, '6.3.22'),
  GERROR_IRQ_CFG2: interrupt(GERROR_IRQEN, '6.3.23'),
  EVENTQ_IRQ_CFG0: interrupt(EVENTQ_IRQEN, '6.3.30'),
  EVENTQ_IRQ_CFG1: interrupt(EVENTQ_IRQEN, '6.3.31'),
  EVENTQ_IRQ_CFG2: interrupt(EVENTQ_IRQEN, '6.3.32'),
  PRIQ_IRQ_CFG0: interrupt(PRIQ_IRQEN, '6.3.34'),
  PRIQ_IRQ_CFG1: interrupt(PRIQ_IRQEN, '6.3.35'),
  PRIQ_IRQ_CFG2: interrupt(PRIQ_IRQEN, '6.3.36'),
};

/** Why a write had no effect. */
export interface IgnoredWrite {
  readonly register: SmmuRegisterName;
  readonly value: bigint;
  /** The rule, with its section. */
  readonly rule: string;
}

/** Registers that show when a write to another one has taken effect, which here is at once. */
const ACKNOWLEDGES: Partial<Readonly<Record<SmmuRegisterName, SmmuRegisterName>>> = {
  CR0: 'CR0ACK',
  IRQ_CTRL: 'IRQ_CTRLACK',
};

const HALF_BITS = 32n;
const HALF = 0xffff_ffffn;

export class RegisterFile {
  readonly #values = new Map<SmmuRegisterName, bigint>();

  /** @param reset - values at reset; all others are 0. */
  constructor(reset: Partial<Readonly<Record<SmmuRegisterName, bigint>>>) {
    for (const [name, value] of Object.entries(reset)) this.set(name as SmmuRegisterName, value);
  }

  get(register: SmmuRegisterName): bigint {
    return this.#values.get(register) ?? 0n;
  }

  /** Sets a register as hardware does. */
  set(register: SmmuRegisterName, value: bigint): void {
    this.#values.set(register, value);
  }

  isSet(register: SmmuRegisterName, field: BitField): boolean {
    return isSet(this.get(register), field);
  }

  /** A write of software. Returns why it was ignored, if it was. */
  write(register: SmmuRegisterName, written: bigint, half?: RegisterHalf): IgnoredWrite | undefined {
    const value = half === undefined ? written : this.#withHalf(register, written, half);
    const ignored = this.#ignored(register, value);
    if (ignored !== undefined) return { register, value, rule: ignored };
    // The update has taken effect when it is looked at next.
    this.set(register, register === 'GBPA' ? withField(value, SMMU_GBPA.fields.Update, 0) : value);
    const acknowledge = ACKNOWLEDGES[register];
    if (acknowledge !== undefined) this.set(acknowledge, value);
    return undefined;
  }

  #withHalf(register: SmmuRegisterName, written: bigint, half: RegisterHalf): bigint {
    const old = this.get(register);
    return half === 'low' ? (old & ~HALF) | (written & HALF) : (old & HALF) | ((written & HALF) << HALF_BITS);
  }

  #ignored(register: SmmuRegisterName, value: bigint): string | undefined {
    if ('readOnly' in SMMU_REGISTERS[register]) return `SMMU_${register} is read-only (IHI 0070 6.2)`;
    if (register === 'GBPA' && !isSet(value, SMMU_GBPA.fields.Update)) {
      return 'SMMU_GBPA is written with Update = 1; a write without it may be ignored (IHI 0070 6.3.14.1)';
    }
    const guard = GUARDS[register];
    if (guard === undefined || !this.isSet(guard.control, guard.field)) return undefined;
    const { control, field, section } = guard;
    return `SMMU_${register} is read-only while SMMU_${control}.${field.name} = 1; before SMMUv3.2 the effect of a write is UNPREDICTABLE (IHI 0070 ${section})`;
  }
}
