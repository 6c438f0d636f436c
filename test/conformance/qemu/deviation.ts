/** A deviation of QEMU's as a rule: what every one of them says for itself. What it does is with the rules of the CPU and of the SMMU. */
export interface Deviation {
  readonly name: string;
  /** Releases, 702 for 7.2: from `since` on, and below `before`. */
  readonly since?: number;
  readonly before?: number;
  /** What the architecture says, and where. */
  readonly section: string;
  /** What QEMU does. */
  readonly text: string;
}

/** The rules that a release has. */
export function ofRelease<Rule extends Deviation>(rules: readonly Rule[], release: number): readonly Rule[] {
  return rules.filter(({ since = 0, before = 9999 }) => release >= since && release < before);
}
