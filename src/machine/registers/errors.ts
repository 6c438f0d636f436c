/** The error for refused register values. It carries the register, its value, the rule, and what would work. */
import { hex } from '../../memory/hex.ts';
import { WalkerError } from '../../walker/errors.ts';

/** Why values are refused. `missing`: a register was not given; `regime`: the regime does not follow from them. The others are about a value. */
export type RegisterErrorKind = 'unknown' | 'contradiction' | 'not-modelled' | 'value' | 'missing' | 'regime';

/** Register values that allow no answer. */
export class RegisterError extends WalkerError {
  readonly kind: RegisterErrorKind;
  /** The register as it was named, and its value. */
  readonly register: string | undefined;
  readonly value: bigint | undefined;
  readonly rule: string;
  /** What would work: a likely name, an option. */
  readonly remedy: string | undefined;

  constructor(
    kind: RegisterErrorKind,
    rule: string,
    details: {
      readonly register?: string | undefined;
      readonly value?: bigint | undefined;
      readonly remedy?: string | undefined;
    } = {},
  ) {
    const { register, value, remedy } = details;
    const what =
      register === undefined ? '' : `${register}${value === undefined ? '' : ` = ${hex(value)}`}: `;
    super(`${what}${rule}${remedy === undefined ? '' : `; ${remedy}`}`);
    this.kind = kind;
    this.register = register;
    this.value = value;
    this.rule = rule;
    this.remedy = remedy;
  }
}
