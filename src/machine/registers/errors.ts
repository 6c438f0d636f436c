/** What is refused of register values: a typed error that carries the register, its value, the rule, and what would work. */
import { hex } from '../../memory/hex.ts';
import { WalkerError } from '../../walker/errors.ts';

/** Why values can't be taken. `missing`: a register was not given; `regime`: the regime does not follow. The others are about a value. */
export type RegisterErrorKind = 'unknown' | 'contradiction' | 'not-modelled' | 'value' | 'missing' | 'regime';

/** Register values that no answer may be made from. */
export class RegisterError extends WalkerError {
  readonly kind: RegisterErrorKind;
  /** The register as it was named, and what it holds. */
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
