/** What parameters make fault, and what descriptions say of it, from random registers: the one exactly where the other, and the same fault. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAArch32, isStage2Alone, type Regime, regimes, traitsOf } from '../../src/arch/regimes.ts';
import { describeRegime, type RangeDescription } from '../../src/describe/index.ts';
import { cpuFeatures } from '../../src/walker/cpu.ts';
import type { ConfigurationFault } from '../../src/walker/params/params.ts';
import { rangesOf, stage2Params, usesShortDescriptors } from '../../src/walker/regime-params.ts';
import { registerValues } from '../../src/walker/register-values.ts';

const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
/** Table bases are mostly low, so that some are within every output size. */
const base = fc.tuple(word, fc.constantFrom(0n, 8n, 16n, 24n, 32n)).map(([value, shift]) => value >> shift);
const registers = fc.record({
  ttbr0: base,
  ttbr1: base,
  tcr: word,
  mair: word,
  // Stage 1 is on, and stage 2: what is off says no more than that.
  sctlr: word.map((value) => value | 1n),
  vttbr: base,
  vtcr: word,
  hcr: word.map((value) => (value | 1n) & ~0x800_1000n),
  dacr: word,
});
const models = fc.constantFrom('max', 'neoverse-n1', 'cortex-a72', 'cortex-a57', 'cortex-a15');

/** The faults that a description tells: of a range that EPDn switches off, and of its problems. */
function toldFaults({ off, problems }: RangeDescription): string[] {
  const told = problems.filter(({ effect }) => effect === 'fault').map(({ rule }) => rule);
  return off !== undefined && /EPD/.test(off.field) ? [off.rule, ...told] : told;
}

function expectTold(fault: ConfigurationFault | undefined, range: RangeDescription): void {
  const told = toldFaults(range);
  if (fault === undefined) {
    expect(told).toEqual([]);
    return;
  }
  expect(told.join('; ')).toContain(`a level ${fault.level} ${fault.kind.replace('_', ' ')} fault`);
}

const long = regimes.filter((regime) => ['long', 'long or short'].includes(traitsOf(regime).descriptors));

describe('registers that fault are those that a rule tells of', () => {
  test.each(long.filter((regime) => !isStage2Alone(regime)))('stage 1 of %s', (regime: Regime) => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(registers, models, (given, model) => {
        const values = registerValues(regime, given);
        if (usesShortDescriptors(regime, values)) return;
        const described = describeRegime(regime, given, model).stages[0]!.ranges;
        rangesOf(regime, values, cpuFeatures(model)).spans.forEach(({ params, first, end }, i) => {
          // In AArch32 one table may translate every address, and nothing is left for the other.
          if (first >= end) return;
          expectTold(params.configurationFault, described[i]!);
          seen.add(String(params.configurationFault?.kind));
        });
      }),
      { numRuns: 400 },
    );
    expect([...seen].sort()).toEqual(
      isAArch32(regime) && traitsOf(regime).ranges === 1
        ? ['address_size', 'undefined']
        : ['address_size', 'translation', 'undefined'],
    );
  });

  test.each(long.filter((regime) => traitsOf(regime).stage2))('stage 2 of %s', (regime: Regime) => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(registers, models, (given, model) => {
        const { invalid, baseOutOfRange, configurationLevel } = stage2Params(
          regime,
          registerValues(regime, given),
          cpuFeatures(model),
        );
        const fault = invalid
          ? ({ kind: 'translation', level: configurationLevel } as const)
          : baseOutOfRange
            ? ({ kind: 'address_size', level: 0 } as const)
            : undefined;
        expectTold(fault, describeRegime(regime, given, model).stages.at(-1)!.ranges[0]!);
        seen.add(String(fault?.kind));
      }),
      { numRuns: 1000 },
    );
    expect([...seen].sort()).toEqual(['address_size', 'translation', 'undefined']);
  });
});
